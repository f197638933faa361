//! What a repository asks of a place for its files: the local directory today, an object store one day.
//!
//! Names are those below the base directory, `images/UUI/UUID/file0`; a store may put another root before them. All calls
//! block. Nothing here decides what a file is for, or when it goes: the repository does.

use crate::repository_dir::{Found, Upload};
use crate::{RepositoryDir, Result, Stamp};
use std::fmt;
use std::fs::File;

/// A store of large files.
pub trait FileStore: Send + Sync + fmt::Debug {
    /// The word that records name it by: `local`.
    fn word(&self) -> &'static str;

    /// Begins a file under a temporary name; what was there is gone.
    ///
    /// # Errors
    /// It cannot be made.
    fn begin(&self, name: &str) -> Result<Box<dyn Incoming>>;

    /// Goes on with one that was kept; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be opened.
    fn resume(&self, name: &str) -> Result<Option<Box<dyn Incoming>>>;

    /// Opens a file for reading; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be opened, or is no file.
    fn open(&self, name: &str) -> Result<Option<(File, Stamp)>>;

    /// What a file is like now; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be looked at.
    fn stamp(&self, name: &str) -> Result<Option<Stamp>>;

    /// What is in a directory, in no order; empty if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    fn list(&self, directory: &str) -> Result<Vec<Found>>;

    /// Gives a file or directory its final name, in place of what is there. False if there is none: it was done before.
    /// Not flushed.
    ///
    /// # Errors
    /// It cannot be done; nothing changed.
    fn rename(&self, from: &str, to: &str) -> Result<bool>;

    /// A second file of the same content, as cheap as the store can make it. Durable once it is renamed to its place. False if
    /// there is none to copy.
    ///
    /// # Errors
    /// It cannot be made; no part of it is left.
    fn duplicate(&self, from: &str, to: &str) -> Result<bool>;

    /// Removes a file; false if there is none. Not flushed.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&self, name: &str) -> Result<bool>;

    /// Removes a directory if it is empty; false if it is not, or not there. Not flushed.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove_empty_directory(&self, name: &str) -> Result<bool>;

    /// Has what was done to these names on stable storage.
    ///
    /// # Errors
    /// It cannot be flushed.
    fn flush(&self, names: &[&str]) -> Result<()>;
}

/// A file that arrives. Dropped, it is removed, unless it was kept or finished.
pub trait Incoming: Send + fmt::Debug {
    /// Bytes that are there.
    fn length(&self) -> u64;

    /// Appends.
    ///
    /// # Errors
    /// The store is full, or fails; what was there before stays.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// The bytes that are there, from the first one on.
    ///
    /// # Errors
    /// They cannot be read.
    fn reader(&self) -> Result<File>;

    /// Leaves it for another day, on stable storage; gives the bytes that are there.
    ///
    /// # Errors
    /// It cannot be flushed, and is removed.
    fn keep(self: Box<Self>) -> Result<u64>;

    /// Has all bytes on stable storage, so that it can be renamed to its place.
    ///
    /// # Errors
    /// They cannot be flushed.
    fn flush(&mut self) -> Result<()>;

    /// Whether dropping it leaves its bytes where they are: they have their place now, or it is decided that they get it.
    fn hold(&mut self, is_held: bool);
}

impl FileStore for RepositoryDir {
    fn word(&self) -> &'static str {
        "local"
    }

    fn begin(&self, name: &str) -> Result<Box<dyn Incoming>> {
        self.begin_upload(name)
            .map(|upload| Box::new(upload) as Box<dyn Incoming>)
    }

    fn resume(&self, name: &str) -> Result<Option<Box<dyn Incoming>>> {
        let upload = self.resume_upload(name)?;
        Ok(upload.map(|upload| Box::new(upload) as Box<dyn Incoming>))
    }

    fn open(&self, name: &str) -> Result<Option<(File, Stamp)>> {
        self.open_file(name)
    }

    fn stamp(&self, name: &str) -> Result<Option<Stamp>> {
        RepositoryDir::stamp(self, name)
    }

    fn list(&self, directory: &str) -> Result<Vec<Found>> {
        RepositoryDir::list(self, directory)
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        self.rename_unflushed(from, to)
    }

    fn duplicate(&self, from: &str, to: &str) -> Result<bool> {
        RepositoryDir::duplicate(self, from, to)
    }

    fn remove(&self, name: &str) -> Result<bool> {
        self.remove_unflushed(name)
    }

    fn remove_empty_directory(&self, name: &str) -> Result<bool> {
        self.remove_empty_directory_unflushed(name)
    }

    fn flush(&self, names: &[&str]) -> Result<()> {
        self.flush_directories_of(names)
    }
}

impl Incoming for Upload {
    fn length(&self) -> u64 {
        Upload::length(self)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        Upload::append(self, bytes)
    }

    fn reader(&self) -> Result<File> {
        Upload::reader(self)
    }

    fn keep(self: Box<Self>) -> Result<u64> {
        Upload::keep(*self)
    }

    fn flush(&mut self) -> Result<()> {
        Upload::flush(self)
    }

    fn hold(&mut self, is_held: bool) {
        Upload::hold(self, is_held);
    }
}
