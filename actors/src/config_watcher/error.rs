//! Why the watcher does not start.

/// What must be there at the start, and is not. No secret is in the texts.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The main configuration. The beginning is what the original's operators know.
    #[error("error getting master configuration: {0}")]
    Configuration(String),
    /// The variables file is there, but no such file.
    #[error("error reading variables: {0}")]
    Variables(String),
    /// The system has no thread or connection for us.
    #[error("cannot watch the configuration: {0}")]
    System(String),
}

impl From<std::io::Error> for ConfigError {
    fn from(error: std::io::Error) -> Self {
        Self::System(super::fetch::os_text(&error))
    }
}
