//! Reading the files.

use super::{KeyRingProblem, MAXIMUM_KEY_FILE_BYTES, MAXIMUM_KEY_FILES};
use repository::json::Object;
use repository::layout;
use repository::signature::KeyTable;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A key file as it was found: while this is the same, so is its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    path: PathBuf,
    user: String,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

/// What key files held when they could be read last: user and text, by path. Bounded by the number and the size of files.
pub(super) type Texts = BTreeMap<PathBuf, (String, String)>;

/// What is there.
#[derive(Default)]
pub(super) struct Listing {
    /// In the order in which they count.
    pub(super) files: Vec<Found>,
    /// Directories that cannot be listed.
    pub(super) unlisted: Vec<PathBuf>,
    /// What is wrong with directories.
    pub(super) problems: Vec<KeyRingProblem>,
}

/// Where key files are, in the order in which they count.
pub(super) fn directories(base: &Path) -> [PathBuf; 2] {
    [base.join(layout::LOCAL_KEYS), base.join(layout::REMOTE_KEYS)]
}

/// The key files, and what is wrong with the rest.
pub(super) fn find(base: &Path) -> Listing {
    let mut listing = Listing::default();
    for directory in directories(base) {
        match list(&directory) {
            Ok(files) if files.len() > MAXIMUM_KEY_FILES => {
                let what = format!("has more than {MAXIMUM_KEY_FILES} key files; the rest is left out");
                listing.problems.push(whole(&directory, what));
                listing.files.extend(files.into_iter().take(MAXIMUM_KEY_FILES));
            }
            Ok(files) => listing.files.extend(files),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("{error}; keys that were read from there before stay in force");
                listing.problems.push(whole(&directory, what));
                listing.unlisted.push(directory);
            }
        }
    }
    listing
}

fn list(directory: &Path) -> std::io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(user) = name.to_str().and_then(layout::keys_user) else {
            continue;
        };
        let path = entry.path();
        // Follows links, as administrators keep such files elsewhere. One that leads nowhere is told when it is read.
        let (inode, bytes, changed) = match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(metadata) => (
                metadata.ino(),
                metadata.len(),
                (metadata.ctime(), metadata.ctime_nsec()),
            ),
            Err(_) => (0, 0, (0, 0)),
        };
        found.push(Found {
            user: user.to_owned(),
            path,
            inode,
            bytes,
            changed,
        });
    }
    found.sort();
    Ok(found)
}

/// What came of reading.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) table: KeyTable,
    /// Lines that are left out.
    pub(super) problems: Vec<KeyRingProblem>,
    /// Files that could not be read at all.
    pub(super) unread: Vec<KeyRingProblem>,
    /// What counts of each file.
    pub(super) texts: Texts,
}

/// The keys of the configuration and of these files. Of what cannot be read now counts what was read `before`: a disk that fails for a
/// moment locks nobody out, and keeps no other change back.
pub(super) fn read_all(configured: &Object, listing: &Listing, before: &Texts) -> Reading {
    let mut read = Reading::default();
    read.table.add_configured(configured);
    read.take_problems("authKeys");
    for file in &listing.files {
        match read_file(&file.path) {
            Ok(text) => read.take_file(&file.path, &file.user, text),
            // Gone since.
            Err(error) if error.kind() == ErrorKind::NotFound && !file.path.is_symlink() => {}
            Err(error) => {
                let last = before.get(&file.path);
                let what = match last {
                    Some(_) => format!("{error}; the keys that it had stay in force"),
                    None => format!("{error}; none of its keys counts"),
                };
                read.unread.push(whole(&file.path, what));
                if let Some((user, text)) = last {
                    read.take_file(&file.path, user, text.clone());
                }
            }
        }
    }
    let is_unlisted = |path: &Path| {
        path.parent()
            .is_some_and(|above| listing.unlisted.iter().any(|one| one == above))
    };
    for (path, (user, text)) in before.iter().filter(|(path, _)| is_unlisted(path)) {
        read.take_file(path, user, text.clone());
    }
    read
}

impl Reading {
    fn take_file(&mut self, path: &Path, user: &str, text: String) {
        self.table.add_file(user, &text);
        self.take_problems(&path.display().to_string());
        self.texts.insert(path.to_owned(), (user.to_owned(), text));
    }

    /// The table lists all problems; those it has beyond ours are of the place that was added last.
    fn take_problems(&mut self, place: &str) {
        for problem in &self.table.problems()[self.problems.len()..] {
            self.problems.push(KeyRingProblem {
                place: place.to_owned(),
                user: problem.user.clone(),
                line: problem.line,
                what: problem.what.clone(),
            });
        }
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = Vec::new();
    // A pipe would be waited for till somebody writes to it, at the start of the daemon, too.
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("is no file"));
    }
    file.take(MAXIMUM_KEY_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAXIMUM_KEY_FILE_BYTES {
        let what = format!("has more than {MAXIMUM_KEY_FILE_BYTES} bytes");
        return Err(std::io::Error::other(what));
    }
    // A comment may be in any encoding; a key is ASCII.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn whole(path: &Path, what: String) -> KeyRingProblem {
    KeyRingProblem {
        place: path.display().to_string(),
        user: String::new(),
        line: 0,
        what,
    }
}
