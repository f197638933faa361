//! The image builder's flags (`imaginator.md §2.1`): names, defaults and meaning are those of existing deployments; what they
//! lack stands behind. What all daemons share (port, credentials, SRPC, logs) comes from the front.

mod memory;
mod options;

pub(crate) use options::{Network, Options};

use flags::{Flag, Table};

/// The port clients expect.
const PORT: u16 = 6975;
/// The port of an image server.
const IMAGE_SERVER_PORT: u16 = 6971;
/// Processes of a build, unless told otherwise: a fork bomb ends there, parallel compilers do not.
const BUILD_PROCESSES: u64 = 4096;

const CONFIGURATION: &str = "configuration";
const IMAGE_SERVER: &str = "image server";
const BUILDS: &str = "builds";
const LIMITS: &str = "limits of a build";
const BUILD_LOGS: &str = "build logs";

/// The whole table.
pub(crate) fn table() -> Table {
    Table::daemon("imaginator", "builds machine images and publishes them")
        .flags(front::daemon::strict_common_flags("imaginator", PORT))
        .flags(configuration())
        .flags(image_server())
        .flags(builds())
        .flags(limits())
        .flags(build_logs())
}

fn configuration() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "checkConfiguration",
            false,
            "print everything that is wrong with the configuration, and exit",
        ),
        Flag::string(
            "configurationUrl",
            "file:///etc/imaginator/conf.json",
            "URL or path of the main configuration",
        ),
        Flag::string(
            "variablesFile",
            "",
            "file with the secret variables that URLs of manifests may use",
        ),
        Flag::string(
            "stateDir",
            "/var/lib/imaginator",
            "directory for what is kept from run to run; it is made",
        ),
        Flag::string(
            "slaveDriverConfigurationFile",
            "",
            "not supported: builds run on this machine only",
        )
        .rare(),
    ]
    .into_iter()
    .map(|flag| flag.group(CONFIGURATION))
    .collect()
}

fn image_server() -> Vec<Flag> {
    vec![
        Flag::string(
            "imageServerHostname",
            "localhost",
            "host of the image server that images are published to",
        ),
        Flag::unsigned(
            "imageServerPortNum",
            IMAGE_SERVER_PORT.into(),
            "port of the image server",
        ),
        Flag::string(
            "presentationImageServerHostname",
            "",
            "host of the image server in links of pages; empty for -imageServerHostname",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group(IMAGE_SERVER))
    .collect()
}

fn builds() -> Vec<Flag> {
    vec![
        Flag::duration(
            "imageRebuildInterval",
            "1h0m0s",
            "time from one round of automatic rebuilds to the next; 0s for none but those asked for",
        ),
        Flag::boolean(
            "autoRebuildBootstrapStreams",
            true,
            "rebuild all bootstrap streams automatically, not only those that are listed",
        ),
        Flag::unsigned(
            "maximumConcurrentBuilds",
            0,
            "builds at a time; further ones wait; 0 for as many as there are processors",
        ),
        Flag::unsigned(
            "maximumConcurrentBuildsPerUser",
            1,
            "builds at a time that a user without method access may ask for; 0 for no limit",
        ),
        Flag::duration(
            "maximumBuildDuration",
            "24h0m0s",
            "longest time the commands of a build may take",
        ),
        Flag::duration(
            "minimumExpirationDuration",
            "15m0s",
            "shortest life time of an image that may be asked for",
        ),
        Flag::duration(
            "maximumExpirationDuration",
            "24h0m0s",
            "longest life time of an image that ordinary users may ask for",
        ),
        Flag::duration(
            "maximumExpirationDurationPrivileged",
            "730h0m0s",
            "longest life time of an image that users with method access may ask for",
        ),
        Flag::boolean(
            "cancelOnDisconnect",
            false,
            "cancel a build when the client that asked for it goes away",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group(BUILDS))
    .collect()
}

fn limits() -> Vec<Flag> {
    vec![
        Flag::string(
            "objectCacheDir",
            "STATE_DIR/objects",
            "directory of objects kept for unpacking; empty for none",
        ),
        Flag::size("objectCacheSize", "10GiB", "bytes of objects kept for unpacking"),
        Flag::size(
            "buildMemoryLimit",
            "",
            "memory of a build; half of the machine's unless given; 0 for no limit",
        ),
        Flag::unsigned("buildProcessLimit", BUILD_PROCESSES, "processes of a build"),
        Flag::size(
            "buildDiskLimit",
            "",
            "bytes a build may add to its tree; 0 for no limit",
        ),
        Flag::choice(
            "buildNetwork",
            &["host", "outside", "none"],
            "host",
            "what a build reaches: what the host does, the same but the host itself, or nothing",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group(LIMITS))
    .collect()
}

fn build_logs() -> Vec<Flag> {
    vec![
        Flag::string(
            "buildLogDir",
            "/var/log/imaginator/builds",
            "directory of the logs of finished builds; empty for none",
        ),
        Flag::size(
            "buildLogQuota",
            "100MiB",
            "size of all logs of builds after which the oldest are deleted; up to 1MiB for none",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group(BUILD_LOGS))
    .collect()
}

#[cfg(test)]
mod tests {
    /// The flags of the original (`imaginator.md §2.1`) that are not common to all daemons: name, kind, default.
    const ORIGINAL: &[(&str, &str, &str)] = &[
        ("buildLogDir", "string", "/var/log/imaginator/builds"),
        ("buildLogQuota", "value", "100MiB"),
        ("certFile", "string", "/etc/ssl/imaginator/cert.pem"),
        ("configurationUrl", "string", "file:///etc/imaginator/conf.json"),
        ("imageRebuildInterval", "duration", "1h0m0s"),
        ("imageServerHostname", "string", "localhost"),
        ("imageServerPortNum", "uint", "6971"),
        ("logDir", "string", "/var/log/imaginator"),
        ("maximumBuildDuration", "duration", "24h0m0s"),
        ("maximumConcurrentBuildsPerUser", "uint", "1"),
        ("maximumExpirationDuration", "duration", "24h0m0s"),
        ("maximumExpirationDurationPrivileged", "duration", "730h0m0s"),
        ("minimumExpirationDuration", "duration", "15m0s"),
        ("portNum", "uint", "6975"),
        ("presentationImageServerHostname", "string", ""),
        ("slaveDriverConfigurationFile", "string", ""),
        ("stateDir", "string", "/var/lib/imaginator"),
        ("variablesFile", "string", ""),
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
    fn there_is_no_running_without_credentials() {
        for name in ["permitInsecureMode", "generateMissingWebcert"] {
            assert!(super::table().find(name).is_none(), "{name}");
        }
    }
}
