//! Why there are no settings.

use repository::configuration::ConfigurationError;

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration {path}: {source}; make it, {{}} is enough, or name another with -f"
    )]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What it says is not good.
    #[error("configuration {path}: {source}")]
    Configuration {
        /// The file.
        path: String,
        /// What is wrong.
        source: ConfigurationError,
    },
    /// The table of users.
    #[error("table of users {path}: {what}")]
    Users {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The system has no thread for us.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
}
