//! A file system with little room, for servers to fill.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs; dropping it unmounts it.
pub struct SmallDisk {
    path: PathBuf,
}

/// Why there can be none here, if there cannot.
pub fn obstacle() -> Option<&'static str> {
    (!rustix::process::geteuid().is_root()).then_some("needs root, to mount a file system")
}

impl SmallDisk {
    /// Mounts one over an empty directory. `options` are those of tmpfs: `size=2m`, `nr_inodes=50`.
    pub fn mount(path: &Path, options: &str) -> Result<Self> {
        mount(&["-t", "tmpfs", "-o", options, "tmpfs"], path)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Makes room, or takes it away.
    pub fn change(&self, options: &str) -> Result<()> {
        mount(&["-o", &format!("remount,{options}")], &self.path)
    }
}

/// A mounted ext4 in a file, whose blocks can be changed behind the file system's back; dropping it unmounts it.
pub struct LoopDisk {
    backing: PathBuf,
    path: PathBuf,
}

impl LoopDisk {
    /// Makes one of so many MiB and mounts it over an empty directory. An error where there are no loop devices.
    pub fn make(backing: &Path, path: &Path, mebibytes: u64) -> Result<Self> {
        std::fs::File::create(backing)?.set_len(mebibytes << 20)?;
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(backing)
            .output()?;
        ensure!(
            made.status.success(),
            "mkfs.ext4: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        mount(&["-o", "loop", &backing.display().to_string()], path)?;
        Ok(Self {
            backing: backing.to_owned(),
            path: path.to_owned(),
        })
    }

    /// Flips a bit of the block that holds these bytes, where they are on the disk: all of them behind `content`'s first.
    pub fn rot(&self, content: &[u8]) -> Result<()> {
        let disk = std::fs::read(&self.backing)?;
        // Files begin at the beginning of a block.
        let at = disk
            .chunks(BLOCK_BYTES)
            .position(|block| block.starts_with(content));
        let at = at.context("the bytes are not on the disk")? * BLOCK_BYTES + content.len() / 2;
        let file = std::fs::OpenOptions::new().write(true).open(&self.backing)?;
        std::os::unix::fs::FileExt::write_all_at(&file, &[disk[at] ^ 1], at as u64)?;
        Ok(file.sync_all()?)
    }
}

/// The smallest block of ext4.
const BLOCK_BYTES: usize = 1024;

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is still being killed has files open in it.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> Result<()> {
    let output = Command::new("mount").args(arguments).arg(path).output()?;
    ensure!(
        output.status.success(),
        "mount: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
