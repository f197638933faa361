//! The log files: names, the `latest` link, quota (`imageserver.md §10.2`).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use parking_lot::RwLock;

/// Attempts to find a name nobody has; names differ by milliseconds.
const NAME_ATTEMPTS: usize = 200;

/// `YYYY-MM-DD:HH:MM:SS.mmm` in local time, trailing zeros of the fraction dropped. Sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFileName(String);

impl LogFileName {
    fn now() -> Self {
        let now = Zoned::now();
        let whole = now.strftime("%Y-%m-%d:%H:%M:%S").to_string();
        let fraction = now.strftime("%3f").to_string();
        match fraction.trim_end_matches('0') {
            "" => Self(whole),
            fraction => Self(format!("{whole}.{fraction}")),
        }
    }

    /// Reads a name; `None` for anything else, so nothing outside the directory can be named with one.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (whole, fraction) = bytes.split_at_checked(19)?;
        let pattern = b"dddd-dd-dd:dd:dd:dd";
        let fits = whole.iter().zip(pattern).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
        let fraction_fits = match fraction {
            [] => true,
            [b'.', digits @ ..] => (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        (fits && fraction_fits).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The directory of the log files. Clones share what is known about it.
#[derive(Clone, Debug)]
pub struct LogDirectory {
    path: PathBuf,
    quota_bytes: u64,
    /// First and newest file of this process.
    own: Arc<RwLock<Option<(LogFileName, LogFileName)>>>,
}

impl LogDirectory {
    /// The directory; made if its parent exists.
    pub(super) fn open(path: &Path, quota_bytes: u64) -> io::Result<Self> {
        match DirBuilder::new().mode(0o755).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            path: path.to_owned(),
            quota_bytes,
            own: Arc::default(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log files, oldest first.
    pub fn files(&self) -> Vec<LogFileName> {
        let mut names: Vec<LogFileName> = fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .filter_map(|entry| LogFileName::read(entry.ok()?.file_name().to_str()?))
            .collect();
        names.sort_unstable();
        names
    }

    /// The file that is being written.
    pub fn current(&self) -> Option<LogFileName> {
        self.own.read().as_ref().map(|(_, current)| current.clone())
    }

    /// The files of this process, oldest first.
    pub fn files_of_this_process(&self) -> Vec<LogFileName> {
        let Some((first, _)) = self.own.read().clone() else {
            return Vec::new();
        };
        self.files().into_iter().filter(|name| *name >= first).collect()
    }

    /// The newest file of an earlier process.
    pub fn last_of_the_previous_process(&self) -> Option<LogFileName> {
        let first = self.own.read().as_ref().map(|(first, _)| first.clone());
        self.files()
            .into_iter()
            .rfind(|name| first.as_ref().is_none_or(|first| name < first))
    }

    /// Opens a file for reading.
    pub fn read(&self, name: &LogFileName) -> io::Result<File> {
        File::open(self.path.join(&name.0))
    }

    /// Begins a new file, makes `latest` point at it and deletes the oldest while all are over the quota.
    pub(super) fn begin(&self, room_bytes: u64) -> io::Result<File> {
        let (name, file) = self.create()?;
        let mut own = self.own.write();
        let first = own
            .as_ref()
            .map_or_else(|| name.clone(), |(first, _)| first.clone());
        *own = Some((first, name.clone()));
        drop(own);
        // The link and the quota are conveniences: the log goes on without them.
        let _ = self.link_latest(&name);
        self.apply_quota(&name, room_bytes);
        Ok(file)
    }

    fn create(&self) -> io::Result<(LogFileName, File)> {
        for _ in 0..NAME_ATTEMPTS {
            let name = LogFileName::now();
            let path = self.path.join(&name.0);
            match OpenOptions::new()
                .append(true)
                .create_new(true)
                .mode(0o644)
                .open(path)
            {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Replaces the link in one step, so that there is always one.
    fn link_latest(&self, name: &LogFileName) -> io::Result<()> {
        let temporary = self.path.join("latest~");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::os::unix::fs::symlink(&name.0, &temporary)?;
        fs::rename(&temporary, self.path.join("latest"))
    }

    /// Deletes the oldest files till the others and `room_bytes` for the newest are within the quota.
    fn apply_quota(&self, current: &LogFileName, room_bytes: u64) {
        let others = self.files().into_iter().filter(|name| name != current);
        let sized: Vec<(PathBuf, u64)> = others
            .filter_map(|name| {
                let path = self.path.join(&name.0);
                let bytes = fs::symlink_metadata(&path).ok()?.len();
                Some((path, bytes))
            })
            .collect();
        let mut total = sized
            .iter()
            .map(|(_, bytes)| bytes)
            .sum::<u64>()
            .saturating_add(room_bytes);
        for (path, bytes) in sized {
            if total <= self.quota_bytes {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= bytes;
            }
        }
    }
}

#[cfg(test)]
#[path = "tests/files.rs"]
mod tests;
