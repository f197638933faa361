//! What `-h` prints: the verbs in groups, the flags people need, on one screen. `--help` tells everything.

use clap::Command;

/// Columns the lines are wrapped at.
const WIDTH: usize = 80;

/// The verbs by what one wants to do.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "look",
        &["ping", "list", "get", "get-file", "get-icon", "channels", "acl"],
    ),
    (
        "change",
        &[
            "create",
            "add-file",
            "activate",
            "update",
            "enable",
            "disable",
            "delete",
            "add-icon",
            "delete-icon",
            "add-acl",
            "remove-acl",
            "channel-add",
            "channel-remove",
        ],
    ),
    (
        "move",
        &[
            "import",
            "import-remote",
            "copy",
            "clone",
            "export",
            "create-from-vm",
            "publish",
            "take-in",
            "change-stor",
        ],
    ),
    ("jobs", &["jobs", "job", "wait", "wait-job"]),
    ("housekeeping", &["state", "reload-auth-keys", "profiles"]),
];

const FLAGS: &str = "
flags:
  --url URL         address of the repository (default http://localhost:8080)
  -u, -i USER KEY   who you are, your SSH key or its fingerprint
  -C NAME           channel
  -P NAME           named settings: see profiles
  -j                results for programs

one verb, with examples: imgapi-cli list --help
everything: imgapi-cli --help
";

/// Whether the command line asks for it: nothing, or `-h` alone.
pub(crate) fn is_asked_for() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    matches!(
        arguments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice(),
        [] | ["-h"]
    )
}

/// The text.
pub(crate) fn short(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text =
        format!("imgapi-cli: {about}\n\nusage: imgapi-cli [flags...] command [args...]\n\ncommands:\n");
    let widest = GROUPS.iter().map(|(group, _)| group.len()).max().unwrap_or(0);
    for (group, verbs) in GROUPS {
        let mut line = format!("  {group:widest$} ");
        for (index, verb) in verbs.iter().enumerate() {
            let comma = if index + 1 < verbs.len() { "," } else { "" };
            if line.len() + 1 + verb.len() + comma.len() > WIDTH {
                text += line.trim_end();
                text.push('\n');
                line = " ".repeat(widest + 3);
            }
            line += &format!(" {verb}{comma}");
        }
        text += &line;
        text.push('\n');
    }
    text + FLAGS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_verb_is_in_one_group_and_the_whole_fits_a_screen() {
        let command = Cli::command();
        let mut shown: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, verbs)| verbs.iter().copied())
            .collect();
        let mut verbs: Vec<&str> = command
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .map(Command::get_name)
            .collect();
        shown.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(shown, verbs);
        assert!(short(&command).lines().count() <= 24, "{}", short(&command));
    }

    /// The library wraps paragraphs: one that is broken by hand is broken twice, an example that is too long cannot be copied.
    #[test]
    fn paragraphs_are_one_line_and_examples_fit_one() {
        const COLUMNS: usize = 100;
        for verb in Cli::command().get_subcommands() {
            let Some(text) = verb.get_after_long_help().map(ToString::to_string) else {
                continue;
            };
            let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
            for pair in text.lines().collect::<Vec<_>>().windows(2) {
                assert!(
                    !(is_prose(pair[0]) && is_prose(pair[1])),
                    "{}: {pair:?}",
                    verb.get_name()
                );
            }
            for line in text.lines().filter(|line| line.starts_with(' ')) {
                assert!(line.chars().count() <= COLUMNS, "{}: {line}", verb.get_name());
            }
        }
    }

    #[test]
    fn every_verb_has_two_examples() {
        for verb in Cli::command()
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
        {
            let examples = verb
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let count = examples
                .lines()
                .filter(|line| line.contains("imgapi-cli "))
                .count();
            assert!(count >= 2, "{} has {count}", verb.get_name());
        }
    }
}
