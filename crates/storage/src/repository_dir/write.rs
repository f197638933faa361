//! Small files, several at once.

use super::RepositoryDir;
use crate::error::IoContext;
use crate::{Result, Stamp};
use rustix::fs::{AtFlags, Mode, OFlags, fsync, openat, renameat, statat, unlinkat};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

/// A file that is written and flushed, and not yet at its name; unlinked when dropped before.
#[derive(Debug)]
pub struct StagedFile<'a> {
    name: &'a str,
    parent: OwnedFd,
    temporary: String,
    last: &'a str,
    file: File,
    is_placed: bool,
}

impl Drop for StagedFile<'_> {
    fn drop(&mut self) {
        if !self.is_placed {
            let _ = unlinkat(&self.parent, &self.temporary, AtFlags::empty());
        }
    }
}

impl RepositoryDir {
    /// Writes whole files over whatever is at their names: each is the old one or the new one at any instant. What is
    /// reported as written is on stable storage. All are written before the first is flushed and each directory is flushed
    /// once, so that many cost little more than one. Of one name given twice the later content stays.
    pub fn write_all(&self, files: &[(&str, &[u8])]) -> Vec<Result<Stamp>> {
        self.place_all(self.stage_all(files))
    }

    /// The first half of that: everything that takes room.
    pub fn stage_all<'a>(&self, files: &[(&'a str, &[u8])]) -> Vec<Result<StagedFile<'a>>> {
        let written = files
            .iter()
            .enumerate()
            .map(|(index, (name, content))| self.stage(index, name, content));
        let written: Vec<Result<StagedFile<'_>>> = written.collect();
        let flushed = written.into_iter().map(|staged| {
            staged.and_then(|staged| {
                fsync(&staged.file)
                    .context("flush", || staged.name.to_owned())
                    .map(|()| staged)
            })
        });
        flushed.collect()
    }

    /// The second half of it: gives them their names. Errors of the first half are handed through.
    pub fn place_all(&self, staged: Vec<Result<StagedFile<'_>>>) -> Vec<Result<Stamp>> {
        let placed: Vec<Result<StagedFile<'_>>> =
            staged.into_iter().map(|staged| staged.and_then(place)).collect();
        flush_directories(placed)
    }

    /// The whole without flushing: after a loss of power each may be the old one, the new one, or empty. For what can be made
    /// again.
    pub fn write_all_unflushed(&self, files: &[(&str, &[u8])]) -> Vec<Result<()>> {
        let write = |(index, (name, content)): (usize, &(&str, &[u8]))| {
            let staged = self.stage(index, name, content)?;
            place(staged).map(|_| ())
        };
        files.iter().enumerate().map(write).collect()
    }

    fn stage<'a>(&self, index: usize, name: &'a str, content: &[u8]) -> Result<StagedFile<'a>> {
        let (parent, last) = self.made_parent(name)?;
        let temporary = format!(".{last}.{index}~");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor = openat(&parent, &temporary, flags, Mode::from_raw_mode(0o644))
            .context("write", || name.to_owned())?;
        let mut staged = StagedFile {
            name,
            parent,
            temporary,
            last,
            file: File::from(descriptor),
            is_placed: false,
        };
        staged
            .file
            .write_all(content)
            .context("write", || name.to_owned())?;
        Ok(staged)
    }
}

fn place(mut staged: StagedFile<'_>) -> Result<StagedFile<'_>> {
    renameat(&staged.parent, &staged.temporary, &staged.parent, staged.last)
        .context("write", || staged.name.to_owned())?;
    staged.is_placed = true;
    Ok(staged)
}

/// Flushes each directory once; a failure is one of all files in it.
fn flush_directories(placed: Vec<Result<StagedFile<'_>>>) -> Vec<Result<Stamp>> {
    let mut flushed: HashMap<String, Result<()>> = HashMap::new();
    let finish = |staged: StagedFile<'_>| {
        let directory = staged
            .name
            .rsplit_once('/')
            .map_or(staged.name, |(directory, _)| directory);
        let result = flushed.entry(directory.to_owned()).or_insert_with(|| {
            fsync(&staged.parent).context("flush the directory of", || staged.name.to_owned())
        });
        result.clone()?;
        let stat = statat(&staged.parent, staged.last, AtFlags::SYMLINK_NOFOLLOW);
        stat.context("look at", || staged.name.to_owned())
            .map(|stat| Stamp::of(&stat))
    };
    let mut finish = finish;
    placed
        .into_iter()
        .map(|staged| staged.and_then(&mut finish))
        .collect()
}
