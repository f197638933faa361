//! What a disk holds after the power fails, by the trace of a server's system calls.
//!
//! The disk simulated here is the worst there may be: it keeps what was flushed, and of all the rest an arbitrary part.
//! An entry of a directory is there for certain once the directory was flushed after the entry was made; the bytes of a
//! file once the file was flushed after they were written; `syncfs` is both for everything. What a call changes counts
//! from its end, what a flush covers is what had ended before the flush began.

use crate::random::Random;
use crate::trace::{Call, Trace};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Number of a file, whatever its names.
type FileId = usize;

/// Files by path, and directories as `None`.
type Entries = BTreeMap<String, Option<FileId>>;

/// A file's bytes as the kernel has them and as the disk does.
#[derive(Debug, Clone, Default)]
struct File {
    now: Vec<u8>,
    flushed: Vec<u8>,
}

/// A change of a directory.
#[derive(Debug, Clone)]
struct Change {
    removed: Option<String>,
    made: Option<(String, Option<FileId>)>,
}

impl Change {
    fn apply(&self, entries: &mut Entries) {
        if let Some(removed) = &self.removed {
            entries.remove(removed);
        }
        if let Some((path, file)) = &self.made {
            entries.insert(path.clone(), *file);
        }
    }

    fn directory(&self) -> &str {
        let path = self.made.as_ref().map(|(path, _)| path).or(self.removed.as_ref());
        path.map_or("", |path| parent(path))
    }
}

/// A flush under way: what it will have covered.
#[derive(Debug, Clone, Default)]
struct Flush {
    files: Vec<(FileId, Vec<u8>)>,
    /// Changes of directories, by their numbers.
    changes: Vec<usize>,
}

/// A disk, and the kernel in front of it.
#[derive(Debug, Default)]
pub struct Machine {
    roots: Vec<String>,
    files: Vec<File>,
    now: Entries,
    flushed: Entries,
    /// Not flushed, oldest first.
    pending: BTreeMap<usize, Change>,
    changes: usize,
    /// What descriptors stand for, with the offset of the next write.
    descriptors: HashMap<i64, (FileId, usize)>,
    flushing: HashMap<usize, Flush>,
}

/// What is found after a power cut: contents by path.
pub type Survivors = BTreeMap<String, Vec<u8>>;

/// A moment of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Start,
    End,
}

/// Starts and ends of all calls in their order.
pub fn moments(trace: &Trace) -> Vec<(Moment, &Call)> {
    let mut moments: Vec<(usize, Moment, &Call)> = trace
        .calls
        .iter()
        .flat_map(|call| [(call.start, Moment::Start, call), (call.end, Moment::End, call)])
        .collect();
    // Stable: the start of a call on one line comes before its end.
    moments.sort_by_key(|(line, _, _)| *line);
    moments
        .into_iter()
        .map(|(_, moment, call)| (moment, call))
        .collect()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Machine {
    /// With empty directories at `roots`; nothing else is of interest.
    pub fn new(roots: &[&Path]) -> Self {
        Self {
            roots: roots.iter().map(|root| root.display().to_string()).collect(),
            ..Self::default()
        }
    }

    fn is_of_interest(&self, path: &str) -> bool {
        self.roots.iter().any(|root| path.starts_with(root.as_str()))
    }

    /// What the call does at that moment.
    pub fn step(&mut self, moment: Moment, call: &Call) -> Result<()> {
        let flush = match call.name.as_str() {
            "fsync" | "fdatasync" => Some(false),
            "syncfs" => Some(true),
            _ => None,
        };
        match (flush, moment) {
            (Some(everything), Moment::Start) => self.begin_flush(call, everything),
            (Some(_), Moment::End) => self.end_flush(call),
            (None, Moment::End) if call.is_success() => self.change(call)?,
            _ => {}
        }
        Ok(())
    }

    fn begin_flush(&mut self, call: &Call, everything: bool) {
        let (descriptor, path) = call.descriptor(0);
        // A directory may be older than the trace; no file that matters is.
        let is_directory = self.is_of_interest(&path) && self.file_of(descriptor, &path).is_none();
        let mut flush = Flush::default();
        if everything {
            flush.files = (0..self.files.len())
                .map(|file| (file, self.files[file].now.clone()))
                .collect();
        } else if let Some(file) = self.file_of(descriptor, &path).filter(|_| !is_directory) {
            flush.files.push((file, self.files[file].now.clone()));
        }
        let covered = |change: &Change| everything || (is_directory && change.directory() == path);
        flush.changes = self
            .pending
            .iter()
            .filter(|(_, change)| covered(change))
            .map(|(number, _)| *number)
            .collect();
        self.flushing.insert(call.start, flush);
    }

    fn end_flush(&mut self, call: &Call) {
        let Some(flush) = self.flushing.remove(&call.start).filter(|_| call.is_success()) else {
            return;
        };
        for (file, bytes) in flush.files {
            self.files[file].flushed = bytes;
        }
        for number in flush.changes {
            if let Some(change) = self.pending.remove(&number) {
                change.apply(&mut self.flushed);
            }
        }
    }

    fn file_of(&self, descriptor: i64, path: &str) -> Option<FileId> {
        let by_descriptor = self.descriptors.get(&descriptor).map(|(file, _)| *file);
        by_descriptor.or_else(|| self.now.get(path).copied().flatten())
    }

    fn entry(&mut self, removed: Option<String>, made: Option<(String, Option<FileId>)>) {
        let change = Change { removed, made };
        change.apply(&mut self.now);
        self.pending.insert(self.changes, change);
        self.changes += 1;
    }

    fn change(&mut self, call: &Call) -> Result<()> {
        match call.name.as_str() {
            "openat" | "openat2" => self.open(call),
            "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" => self.write(call)?,
            "ftruncate" => {
                let (descriptor, path) = call.descriptor(0);
                if let Some(file) = self.file_of(descriptor, &path) {
                    let length = call.argument(1).parse().unwrap_or(0);
                    self.files[file].now.resize(length, 0);
                }
            }
            "linkat" => self.link(call),
            "renameat" | "renameat2" => {
                let (from, to) = (call.path(1), call.path(3));
                if let Some(entry) = self.now.get(&from).copied() {
                    self.entry(Some(from), Some((to, entry)));
                }
            }
            "unlinkat" if self.is_of_interest(&call.path(1)) => self.entry(Some(call.path(1)), None),
            "mkdirat" if self.is_of_interest(&call.path(1)) => self.entry(None, Some((call.path(1), None))),
            "copy_file_range" | "splice" | "link" | "rename" | "unlink" | "truncate" | "mkdir" => {
                bail!("{} is not understood: teach the test", call.name)
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, call: &Call) {
        let path = &call.result_path;
        self.descriptors.remove(&call.result);
        if !self.is_of_interest(path) {
            return;
        }
        let flags = call.argument(2);
        let existing = self.now.get(path).copied();
        let file = match existing {
            // `O_TMPFILE` holds the bits of `O_DIRECTORY`, and is written by its own name.
            _ if flags.contains("O_TMPFILE") => self.new_file(),
            Some(Some(file)) => file,
            Some(None) => return,
            None if flags.contains("O_CREAT") => {
                let file = self.new_file();
                self.entry(None, Some((path.clone(), Some(file))));
                file
            }
            None => return,
        };
        if flags.contains("O_TRUNC") {
            self.files[file].now.clear();
        }
        self.descriptors.insert(call.result, (file, 0));
    }

    fn new_file(&mut self) -> FileId {
        self.files.push(File::default());
        self.files.len() - 1
    }

    fn write(&mut self, call: &Call) -> Result<()> {
        let (descriptor, path) = call.descriptor(0);
        // The number may stand for a connection by now.
        let is_file = self.is_of_interest(&path);
        let Some((file, offset)) = self.descriptors.get_mut(&descriptor).filter(|_| is_file) else {
            return Ok(());
        };
        let bytes = call.bytes()?;
        let is_positioned = call.name.starts_with('p');
        let at = match is_positioned {
            true => call
                .argument(if call.name == "pwrite64" { 3 } else { 2 })
                .parse()?,
            false => *offset,
        };
        if !is_positioned {
            *offset += bytes.len();
        }
        let content = &mut self.files[*file].now;
        content.resize(content.len().max(at + bytes.len()), 0);
        content[at..at + bytes.len()].copy_from_slice(&bytes);
        Ok(())
    }

    fn link(&mut self, call: &Call) {
        let (from, to) = (call.path(1), call.path(3));
        let file = match from.strip_prefix("/proc/self/fd/") {
            Some(number) => self
                .descriptors
                .get(&number.parse().unwrap_or(-1))
                .map(|(file, _)| *file),
            None if from.ends_with('/') => self.descriptors.get(&call.descriptor(0).0).map(|(file, _)| *file),
            None => self.now.get(&from).copied().flatten(),
        };
        if let Some(file) = file {
            self.entry(None, Some((to, Some(file))));
        }
    }

    /// Directories that were there before the trace began count as flushed.
    pub fn assume_directories(&mut self) {
        let paths: Vec<String> = self.flushed.keys().cloned().collect();
        for path in paths {
            let mut above = parent(&path);
            while self.is_of_interest(above) && !self.roots.iter().any(|root| root == above) {
                self.flushed.entry(above.to_owned()).or_insert(None);
                above = parent(above);
            }
        }
    }

    /// What a power cut at this moment leaves: what was flushed, and nothing else.
    pub fn cut(&self) -> Survivors {
        self.survivors(&self.flushed, |file| file.flushed.clone())
    }

    /// The same, with an arbitrary part of what was not flushed.
    pub fn cut_at_random(&self, random: &mut Random) -> Survivors {
        let mut entries = self.flushed.clone();
        for change in self.pending.values() {
            if random.percent(50) {
                change.apply(&mut entries);
            }
        }
        self.survivors(&entries, |file| match random.below(4) {
            0 => file.flushed.clone(),
            1 => file.now[..random.below(file.now.len() + 1)].to_vec(),
            _ => file.now.clone(),
        })
    }

    fn survivors(&self, entries: &Entries, mut bytes: impl FnMut(&File) -> Vec<u8>) -> Survivors {
        let mut survivors = Survivors::new();
        // The bytes of a file are the same by whichever name.
        let mut known: HashMap<FileId, Vec<u8>> = HashMap::new();
        for (path, file) in entries {
            let Some(file) = file else { continue };
            let is_reachable = std::iter::successors(Some(parent(path)), |path| Some(parent(path)))
                .take_while(|path| self.is_of_interest(path) && !self.roots.iter().any(|root| root == path))
                .all(|path| entries.get(path) == Some(&None));
            if is_reachable {
                let content = match &self.files[*file] {
                    clean if clean.now == clean.flushed => clean.now.clone(),
                    dirty => known.entry(*file).or_insert_with(|| bytes(dirty)).clone(),
                };
                survivors.insert(path.clone(), content);
            }
        }
        survivors
    }
}
