//! All flags (`builder-tool.md §1`) and what can be wrong with them beyond their syntax.

use std::time::Duration;

use flags::{Flag, Table};

use crate::options::Options;
use crate::verbs;

/// Shorter lives are mistakes.
const MIN_EXPIRATION: Duration = Duration::from_secs(5 * 60);

/// The command line of the program.
pub(crate) fn table() -> Table {
    Table::tool(
        "builder-tool",
        "asks for builds of machine images, or builds them here",
    )
    .flags(connection())
    .flags(builds())
    .flags(local_builds())
    .flags(graph())
    .flags(auto_builds())
    .flags(general())
    .verbs(verbs::all())
}

/// What makes wrong use although each flag is right by itself.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let expires_in = options.expires_in;
    if !expires_in.is_zero() && expires_in < MIN_EXPIRATION {
        return Err(format!(
            "Minimum expiration: {}",
            human::go_duration(MIN_EXPIRATION)
        ));
    }
    Ok(())
}

fn connection() -> Vec<Flag> {
    vec![
        Flag::string("imaginatorHostname", "localhost", "host of the image builder").key(),
        Flag::unsigned("imaginatorPortNum", 6975, "port of the image builder").key(),
        Flag::string(
            "imageServerHostname",
            "localhost",
            "host of the image server, for builds here",
        ),
        Flag::unsigned(
            "imageServerPortNum",
            6971,
            "port of the image server, for builds here",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("connection"))
    .chain([flags::shared::certificates_of_tool()])
    .chain(flags::shared::rpc())
    .collect()
}

fn builds() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "alwaysShowBuildLog",
            false,
            "show the log while the build runs, also if it goes well",
        )
        .key(),
        Flag::boolean(
            "cancelOnDisconnect",
            false,
            "the build ends when this program does, unless somebody else wants it (only our imaginator)",
        ),
        Flag::duration("expiresIn", "1h0m0s", "life time of the image, at least 5m").key(),
        Flag::string(
            "imageFilename",
            "",
            "file to write the image to, instead of publishing it",
        ),
        Flag::duration(
            "maxSourceAge",
            "1h0m0s",
            "age of the source image from which on it is rebuilt first",
        ),
        Flag::duration(
            "maximumBuildDuration",
            "24h0m0s",
            "longest time the commands of the build may take",
        ),
        Flag::string(
            "variablesFilename",
            "",
            "file (.json or .gob) with variables for the build",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("builds"))
    .collect()
}

fn local_builds() -> Vec<Flag> {
    vec![
        Flag::list(
            "bindMounts",
            "",
            "directories of this host that builds see at the same path",
        ),
        Flag::string(
            "mtimesCopyFilterFile",
            "",
            "file of expressions: files whose modification times are not copied",
        ),
        Flag::size("rawSize", "", "size of the raw image").rare(),
    ]
    .into_iter()
    .map(|flag| flag.group("builds here"))
    .collect()
}

fn graph() -> Vec<Flag> {
    vec![
        Flag::list(
            "digraphExcludes",
            "",
            "streams to leave out, with all that are built on them",
        ),
        Flag::list(
            "digraphIncludes",
            "",
            "streams to keep, with all that belong to them; empty for all",
        ),
        Flag::boolean(
            "showFetchLog",
            false,
            "show what fetching the manifests said, too",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("graph"))
    .collect()
}

fn auto_builds() -> Vec<Flag> {
    vec![
        Flag::duration("disableFor", "5m0s", "how long to disable"),
        Flag::boolean(
            "waitForAutoRebuilds",
            false,
            "start-auto-builds waits until they are over",
        ),
        Flag::boolean(
            "waitToStartAutoRebuilds",
            false,
            "start-auto-builds waits for running ones, instead of failing",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("automatic rebuilds"))
    .collect()
}

fn general() -> Vec<Flag> {
    let log = flags::shared::log_of_tool();
    [
        Flag::boolean("json", false, "results as JSON, for programs").group("general"),
        Flag::string(
            "cpuProfileFilename",
            "",
            "accepted for existing scripts; nothing is written",
        )
        .group("general")
        .rare(),
    ]
    .into_iter()
    .chain(log)
    .collect()
}

#[cfg(test)]
mod tests {
    /// The flags of the original (`builder-tool.md §1`): name, kind, default.
    const ORIGINAL: &[(&str, &str, &str)] = &[
        ("alwaysShowBuildLog", "", "false"),
        ("bindMounts", "value", ""),
        ("cpuProfileFilename", "string", ""),
        ("digraphExcludes", "value", ""),
        ("digraphIncludes", "value", ""),
        ("disableFor", "duration", "5m0s"),
        ("expiresIn", "duration", "1h0m0s"),
        ("imageFilename", "string", ""),
        ("imageServerHostname", "string", "localhost"),
        ("imageServerPortNum", "uint", "6971"),
        ("imaginatorHostname", "string", "localhost"),
        ("imaginatorPortNum", "uint", "6975"),
        ("logDatestamps", "", "false"),
        ("logDebugLevel", "int", "-1"),
        ("logSubseconds", "", "false"),
        ("maxSourceAge", "duration", "1h0m0s"),
        ("maximumBuildDuration", "duration", "24h0m0s"),
        ("mtimesCopyFilterFile", "string", ""),
        ("rawSize", "value", ""),
        ("showFetchLog", "", "false"),
        ("srpcProxy", "string", ""),
        ("variablesFilename", "string", ""),
        ("waitForAutoRebuilds", "", "false"),
        ("waitToStartAutoRebuilds", "", "false"),
    ];

    #[test]
    fn the_flags_have_the_names_kinds_and_defaults_of_the_original() {
        let table = super::table();
        for (name, word, default) in ORIGINAL {
            let flag = table.find(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(
                (flag.kind().word(), flag.default_text()),
                (*word, *default),
                "{name}"
            );
        }
        flags::command(&table).debug_assert();
    }

    #[test]
    fn the_short_help_fits_a_screen() {
        let lines = super::table().short_help();
        assert!(lines.lines().count() <= 24, "{lines}");
    }
}
