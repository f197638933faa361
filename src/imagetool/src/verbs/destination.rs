//! Files that verbs write: complete under their name, or not there at all.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::anyhow;
use tempfile::NamedTempFile;
use tree_io::os_text;

/// As any program makes files; the umask takes away from it.
const MODE: u32 = 0o666;

/// Where output goes.
pub(super) enum Destination {
    Stdout,
    /// A device or a pipe: written to as it is, never removed.
    InPlace(std::fs::File),
    /// Renamed to its place at the end; an older file stays until then.
    File(NamedTempFile, String),
}

impl Destination {
    /// `None` and `-` are standard output.
    pub(super) fn open(name: Option<&String>) -> anyhow::Result<Destination> {
        let Some(name) = name.filter(|name| *name != "-") else {
            return Ok(Destination::Stdout);
        };
        let failed = |e: std::io::Error| anyhow!("open {name}: {}", os_text(&e));
        if std::fs::metadata(name).is_ok_and(|metadata| !metadata.is_file()) {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(name)
                .map_err(failed)?;
            return Ok(Destination::InPlace(file));
        }
        // Through a symbolic link to the file it stands for, so that the link survives.
        let place = std::fs::canonicalize(name).unwrap_or_else(|_| name.into());
        let directory = place
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let prefix = place
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{prefix}."))
            .suffix("~")
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(directory)
            .map_err(failed)?;
        Ok(Destination::File(file, place.to_string_lossy().into_owned()))
    }

    /// A second handle for a thread that writes.
    pub(super) fn writer(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Destination::Stdout => Box::new(std::io::stdout()),
            Destination::InPlace(file) => Box::new(file.try_clone()?),
            Destination::File(file, _) => Box::new(file.as_file().try_clone()?),
        })
    }

    /// Gives the file its name. Without this it is removed again.
    pub(super) fn keep(self) -> anyhow::Result<()> {
        match self {
            Destination::File(file, place) => match file.persist(&place) {
                Ok(_) => Ok(()),
                Err(error) => Err(anyhow!("rename to {place}: {}", os_text(&error.error))),
            },
            _ => Ok(()),
        }
    }

    /// All at once.
    pub(super) fn write_all(self, data: &[u8]) -> anyhow::Result<()> {
        let mut writer = self.writer()?;
        writer.write_all(data)?;
        writer.flush()?;
        self.keep()
    }
}
