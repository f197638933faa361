//! Small files, several at once.

use super::RepositoryDir;
use crate::error::IoContext;
use crate::{Result, Stamp};
use rustix::fs::{AtFlags, Mode, OFlags, fsync, openat, renameat, statat, unlinkat};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

/// Threads that flush files at a time, at most.
const FLUSH_THREADS: usize = 32;

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
        flush_all(written)
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

/// Flushes files, several at a time: the file system makes one commit of those that wait for it together, where one after the other
/// each would cost a commit of its own.
fn flush_all(written: Vec<Result<StagedFile<'_>>>) -> Vec<Result<StagedFile<'_>>> {
    let flushed: Vec<Result<()>> = if written.len() < 2 {
        flush_each(&written)
    } else {
        let share = written.len().div_ceil(FLUSH_THREADS);
        std::thread::scope(|scope| {
            let shares = written.chunks(share);
            let threads: Vec<_> = shares
                .map(|share| (share, scope.spawn(move || flush_each(share))))
                .collect();
            // A flush does not panic; if it ever does, nothing of its share counts as flushed.
            let ends = threads.into_iter();
            ends.flat_map(|(share, thread)| thread.join().unwrap_or_else(|_| failed(share)))
                .collect()
        })
    };
    let both = written.into_iter().zip(flushed);
    both.map(|(staged, flushed)| staged.and_then(|staged| flushed.map(|()| staged)))
        .collect()
}

fn flush_each(written: &[Result<StagedFile<'_>>]) -> Vec<Result<()>> {
    let flush = |staged: &Result<StagedFile<'_>>| {
        let Ok(staged) = staged else { return Ok(()) };
        fsync(&staged.file).context("flush", || staged.name.to_owned())
    };
    written.iter().map(flush).collect()
}

fn failed(share: &[Result<StagedFile<'_>>]) -> Vec<Result<()>> {
    let failure = || Err(std::io::Error::other("the flush was broken off"));
    share
        .iter()
        .map(|_| failure().context("flush", || "a file".to_owned()))
        .collect()
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
