//! A file system with little room, for servers to fill.

use anyhow::{Result, ensure};
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
