//! Reading the files.

use super::SettingsError;
use repository::configuration::{Configuration, UserTable};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Where tests of the original say what the base directory is (imgapi-operations.md §1.2).
pub const BASE_VARIABLE: &str = "IMGAPITEST_LOCAL_BASE_DIR";

/// Bytes of a file, at most.
const FILE_BYTES: u64 = 4 << 20;

/// The configuration of an instance file; the environment's base directory goes before that of the file. Blocks.
///
/// # Errors
/// The file cannot be read or is not good.
pub fn read_configuration(path: &Path) -> Result<Configuration, SettingsError> {
    let text = read(path).map_err(|source| SettingsError::File {
        path: path.display().to_string(),
        source,
    })?;
    let base = std::env::var(BASE_VARIABLE).ok().filter(|base| !base.is_empty());
    let configuration = match base {
        Some(base) => Configuration::read_with(&text, "baseDir", base.into()),
        None => Configuration::read(&text),
    };
    configuration.map_err(|source| SettingsError::Configuration {
        path: path.display().to_string(),
        source,
    })
}

/// The table of users that a configuration names.
pub(super) fn read_users(configuration: &Configuration) -> Result<Option<UserTable>, SettingsError> {
    let Some(path) = &configuration.settings().own.users_file else {
        return Ok(None);
    };
    let failed = |what: String| SettingsError::Users {
        path: path.clone(),
        what,
    };
    let text = read(Path::new(path)).map_err(|error| failed(error.to_string()))?;
    let table = UserTable::read(&text).map_err(|problems| failed(problems.join("; ")))?;
    Ok(Some(table))
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = Vec::new();
    let file = File::open(path)?;
    file.take(FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES {
        return Err(std::io::Error::other(format!("has more than {FILE_BYTES} bytes")));
    }
    String::from_utf8(text).map_err(|error| std::io::Error::other(error.to_string()))
}
