//! Keeping servers off the directories while they are read.

use super::Directories;
use crate::exit::WrongUse;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;

/// The files that a server locks.
const LOCKS: [&str; 2] = [".imagewright.images.lock", ".imagewright.objects.lock"];

/// Shared locks where a server takes exclusive ones; held until they are dropped. Directories that only an original has used have no such files.
pub(super) fn take(directories: &Directories, while_running: bool) -> anyhow::Result<Vec<File>> {
    let mut held = Vec::new();
    for (directory, name) in [&directories.images, &directories.objects].into_iter().zip(LOCKS) {
        match File::open(directory.join(name)) {
            Ok(file) => held.extend(lock(directory, file, while_running)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("{}: cannot open its lock: {error}", directory.display());
                if !while_running {
                    return Err(WrongUse(text).into());
                }
                eprintln!("warning: {text}");
            }
        }
    }
    Ok(held)
}

fn lock(directory: &Path, file: File, while_running: bool) -> anyhow::Result<Option<File>> {
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) if while_running => {
            eprintln!(
                "warning: a server uses {}: what it is writing may be reported",
                directory.display()
            );
            Ok(None)
        }
        Err(Errno::WOULDBLOCK) => {
            let holder = std::io::read_to_string(file).unwrap_or_default();
            let holder = match holder.trim().parse::<u32>() {
                Ok(pid) => format!(" (pid {pid})"),
                Err(_) => String::new(),
            };
            Err(WrongUse(format!(
                "a server uses {}{holder}: check it with `imagetool scrub`, or stop it first, or see --while-running",
                directory.display()
            ))
            .into())
        }
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}
