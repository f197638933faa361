//! The flags (imgapi-operations.md §1): where the configuration is, and how the log is kept. Everything else is in the configuration.

use std::path::PathBuf;

use flags::{Flag, Table, Values};

/// Where the configuration is, unless told otherwise (imgapi-operations.md §1).
const CONFIGURATION: &str = "/data/imgapi/etc/imgapi.config.json";

/// Where packages of this program have it.
const PACKAGED_CONFIGURATION: &str = "/etc/imgapi/imgapi.config.json";

/// The file that subcommands look at unless told otherwise: that of the server which the service's launcher starts.
pub(crate) fn configuration() -> PathBuf {
    let places = [PACKAGED_CONFIGURATION, CONFIGURATION].map(PathBuf::from);
    let found = places.iter().find(|place| place.exists());
    found.cloned().unwrap_or_else(|| PathBuf::from(CONFIGURATION))
}

/// The file that the server is told to use, or the one that is there.
pub(crate) fn configuration_of(values: &Values) -> PathBuf {
    if values.is_set("f") {
        values.path("f")
    } else {
        configuration()
    }
}

const SUBCOMMANDS: &[&str] = &[
    "imgapi config [--explain] [-f FILE] [KEY]   print the merged and computed configuration",
    "imgapi logs [--follow] [--level LEVEL] [-f FILE]   show the log of the running server",
];

/// The subcommands as they stand below the flags.
pub(crate) fn subcommands() -> String {
    format!("Subcommands:\n  {}\n", SUBCOMMANDS.join("\n  "))
}

/// The whole table.
pub(crate) fn table() -> Table {
    Table::daemon("imgapi", "keeps and serves images over a REST API")
        .flag(
            Flag::string("f", CONFIGURATION, "file of the configuration, JSON or YAML; if none is named, /etc/imgapi/imgapi.config.json comes first")
                .spelled("file")
                .group("configuration"),
        )
        .flag(
            Flag::boolean(
                "d",
                false,
                "log at level debug, given twice at level trace, whatever the configuration says",
            )
            .spelled("debug")
            .group("log"),
        )
        .flags(front::daemon::log_flags("imgapi"))
        .note("Subcommands", SUBCOMMANDS)
}
