//! What may happen to a file behind the back of the server that keeps it.

use crate::random::Random;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// A way to damage a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// One bit of the byte at this per mille of the file.
    Flip(usize),
    /// Cut to this per mille of its length.
    Truncate(usize),
    /// Bytes at its end.
    Extend,
    /// All bytes are zeros, as some file systems leave them.
    Zeros,
    Remove,
    Directory,
    Symlink,
    Fifo,
}

/// Each way once, and the bytes at many places.
pub fn all(random: &mut Random, places: usize) -> Vec<Damage> {
    let mut damages = vec![
        Damage::Flip(0),
        Damage::Flip(1000),
        Damage::Truncate(0),
        Damage::Truncate(999),
        Damage::Extend,
        Damage::Zeros,
        Damage::Remove,
        Damage::Directory,
        Damage::Symlink,
        Damage::Fifo,
    ];
    for _ in 0..places {
        damages.push(Damage::Flip(random.below(1001)));
        damages.push(Damage::Truncate(random.below(1000)));
    }
    damages
}

impl Damage {
    /// Whether there is a file afterwards.
    pub fn leaves_file(self) -> bool {
        !matches!(
            self,
            Damage::Remove | Damage::Directory | Damage::Symlink | Damage::Fifo
        )
    }

    /// Damages the file; the same inode where that is possible, as a disk would.
    pub fn apply(self, path: &Path, random: &mut Random) -> Result<()> {
        let content = std::fs::read(path).with_context(|| path.display().to_string())?;
        let at = |per_mille: usize| (content.len() * per_mille / 1000).min(content.len().saturating_sub(1));
        let mut damaged = content.clone();
        match self {
            Damage::Flip(place) => damaged[at(place)] ^= 1 << random.below(8),
            Damage::Truncate(place) => damaged.truncate(at(place)),
            Damage::Extend => damaged.extend_from_slice(b"more"),
            Damage::Zeros => damaged.fill(0),
            Damage::Remove | Damage::Directory | Damage::Symlink | Damage::Fifo => {
                std::fs::remove_file(path)?;
            }
        }
        match self {
            Damage::Remove => {}
            Damage::Directory => std::fs::create_dir(path)?,
            Damage::Symlink => {
                // The right bytes, elsewhere: what is not ours to vouch for.
                let elsewhere = path.with_extension("elsewhere");
                std::fs::write(&elsewhere, &content)?;
                std::os::unix::fs::symlink(elsewhere, path)?;
            }
            Damage::Fifo => {
                let status = Command::new("mkfifo").arg(path).status()?;
                anyhow::ensure!(status.success(), "mkfifo failed");
            }
            _ => std::fs::write(path, damaged)?,
        }
        Ok(())
    }
}
