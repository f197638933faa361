//! Named settings in a file: which repository, as whom.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use repository::Uuid;
use serde::{Deserialize, Serialize};

use crate::failure::{WithHelp, WrongUse};

/// Bytes of the file, at most.
const MAXIMUM_FILE: u64 = 1 << 20;
/// The file instead of the usual one.
const FILE_VARIABLE: &str = "IMGAPI_CLI_PROFILES";

/// Settings of one name. No secret is in it: `identity` names a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) insecure: bool,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The one that counts where nobody names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// Where the file is.
pub(crate) fn path() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = variable(FILE_VARIABLE) {
        return Ok(path.into());
    }
    let directory = match variable("XDG_CONFIG_HOME") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(variable("HOME").context("HOME is not set")?).join(".config"),
    };
    Ok(directory.join("imgapi-cli").join("profiles.yaml"))
}

impl Profiles {
    /// What is in the file; nothing if there is none.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        use std::io::Read;
        let name = || path.display().to_string();
        let file = match std::fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.with_context(name)?,
        };
        let mut text = String::new();
        file.take(MAXIMUM_FILE)
            .read_to_string(&mut text)
            .with_context(name)?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml::from_str(&text).with_context(name)
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        use std::io::Write;
        let text = serde_yaml::to_string(self)?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push("~");
        let write = || -> std::io::Result<()> {
            if let Some(directory) = path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            let mut file = std::fs::File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&temporary, path)
        };
        write().with_context(|| path.display().to_string())
    }

    /// The profile that counts: the named one, or the default one, or none.
    pub(crate) fn chosen(&self, name: Option<&str>) -> anyhow::Result<Profile> {
        let Some(name) = name.or(self.default.as_deref()) else {
            return Ok(Profile::default());
        };
        self.profiles.get(name).cloned().ok_or_else(|| {
            let error = WrongUse(format!("there is no profile {name:?}")).into();
            let help = match self.profiles.keys().next() {
                Some(_) => "imgapi-cli profiles".to_owned(),
                None => format!("imgapi-cli profiles set {name} --url URL --user NAME --identity KEY"),
            };
            WithHelp { error, help }.into()
        })
    }
}

impl Profile {
    /// The account, if it is one.
    pub(crate) fn account(&self) -> anyhow::Result<Option<Uuid>> {
        let Some(text) = &self.account else {
            return Ok(None);
        };
        let parsed = Uuid::parse(text);
        Ok(Some(
            parsed.with_context(|| format!("account {text:?} is no UUID"))?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_by_name_and_by_default() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new").join("profiles.yaml");
        assert_eq!(Profiles::load(&path).unwrap(), Profiles::default());
        let lab = Profile {
            url: Some("http://lab:8080".to_owned()),
            ..Profile::default()
        };
        let mut profiles = Profiles::default();
        profiles.profiles.insert("lab".to_owned(), lab.clone());
        profiles.save(&path).unwrap();
        let mut loaded = Profiles::load(&path).unwrap();
        assert_eq!(loaded, profiles);
        assert_eq!(loaded.chosen(None).unwrap(), Profile::default());
        assert_eq!(loaded.chosen(Some("lab")).unwrap(), lab);
        assert!(loaded.chosen(Some("production")).is_err());
        loaded.default = Some("lab".to_owned());
        assert_eq!(loaded.chosen(None).unwrap(), lab);
    }

    #[test]
    fn a_misspelt_setting_is_told_and_not_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles.yaml");
        std::fs::write(&path, "profiles: {lab: {ulr: http://lab}}\n").unwrap();
        let error = format!("{:#}", Profiles::load(&path).unwrap_err());
        assert!(
            error.contains("ulr") && error.contains("profiles.yaml"),
            "{error}"
        );
    }
}
