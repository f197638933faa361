//! The text of `-version` (`imagetool.md §1`).

use std::fmt;

/// What was built, from what, when. Everything comes from the environment of the build; what is not there is
/// `unknown`, so that a build from the same source is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Version of the program.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
    /// Where the source came from, when that is not the project itself.
    pub origin: Option<String>,
    /// Branch, when that is not the main one.
    pub branch: Option<String>,
    /// Date of the build.
    pub built: String,
    /// Version of the compiler.
    pub compiler: String,
}

impl Version {
    /// From `IMAGEWRIGHT_VERSION`, `_COMMIT`, `_ORIGIN`, `_BRANCH`, `_BUILT` and `_RUSTC` at build time.
    pub fn of_build() -> Self {
        let or_unknown = |value: Option<&str>| value.unwrap_or("unknown").to_owned();
        Self {
            version: option_env!("IMAGEWRIGHT_VERSION")
                .unwrap_or(env!("CARGO_PKG_VERSION"))
                .to_owned(),
            commit: or_unknown(option_env!("IMAGEWRIGHT_COMMIT")),
            origin: option_env!("IMAGEWRIGHT_ORIGIN").map(str::to_owned),
            branch: option_env!("IMAGEWRIGHT_BRANCH").map(str::to_owned),
            built: or_unknown(option_env!("IMAGEWRIGHT_BUILT")),
            compiler: or_unknown(option_env!("IMAGEWRIGHT_RUSTC")),
        }
    }

    /// The lines `-version` prints for this program.
    pub fn lines(&self, program: &str) -> String {
        let mut text = format!("{program} {}\n  Commit: {}\n", self.version, self.commit);
        if let Some(origin) = &self.origin {
            text += &format!("  Origin: {origin}\n");
        }
        if let Some(branch) = &self.branch {
            text += &format!("  Branch: {branch}\n");
        }
        text += &format!("  Built:  {}\n  Rust:   {}\n", self.built, self.compiler);
        text
    }
}

/// One line, as daemons log it when they start.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            commit,
            built,
            compiler,
            ..
        } = self;
        write!(f, "{version} (commit: {commit}, ")?;
        if let Some(branch) = &self.branch {
            write!(f, "branch: {branch}, ")?;
        }
        write!(f, "built: {built}, rust: {compiler})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_text_has_the_lines_scripts_look_for() {
        let version = Version {
            version: "0.1.0".into(),
            commit: "abc".into(),
            origin: None,
            branch: Some("next".into()),
            built: "2026-11-22".into(),
            compiler: "1.95.0".into(),
        };
        assert_eq!(
            version.lines("imagetool"),
            "imagetool 0.1.0\n  Commit: abc\n  Branch: next\n  Built:  2026-11-22\n  Rust:   1.95.0\n"
        );
        assert_eq!(
            version.to_string(),
            "0.1.0 (commit: abc, branch: next, built: 2026-11-22, rust: 1.95.0)"
        );
    }
}
