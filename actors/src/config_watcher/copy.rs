//! The copy of the image streams that a later run begins with if they cannot be had (`imaginator.md §7`).

use super::fetch::os_text;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where it is: the original has it there, too.
pub(super) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("image-streams.json")
}

/// Replaces it as a whole, or leaves it.
pub(super) fn save(path: &Path, content: &[u8]) -> Result<(), String> {
    let mut name = path.as_os_str().to_owned();
    name.push("~");
    let temporary = PathBuf::from(name);
    let write = || {
        // What an earlier run left may have been made by somebody else.
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| format!("{}: {}", path.display(), os_text(&error)))
}
