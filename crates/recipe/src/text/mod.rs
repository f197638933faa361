//! Texts of fields: JSON as Go reads it, and YAML of the same structure.

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON with comment lines; names match regardless of case; what follows the first value is ignored.
    #[default]
    Json,
    /// YAML.
    Yaml,
}

impl Format {
    /// By the ending of a path or URL: `.yaml` and `.yml`, in any case, are YAML.
    pub fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        if path.ends_with(".yaml") || path.ends_with(".yml") {
            Self::Yaml
        } else {
            Self::Json
        }
    }
}
