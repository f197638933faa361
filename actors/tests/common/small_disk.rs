//! A file system with little room, for tests to fill.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// A file system of a few MiB of its own, unmounted when dropped.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
    _directory: tempfile::TempDir,
}

impl SmallDisk {
    pub(crate) fn mount(size: &str) -> Option<SmallDisk> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path);
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(SmallDisk {
                path,
                _directory: directory,
            });
        }
        let line = "SKIPPED: full_disk: mounting a tmpfs needs root\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        if let Some(log) = std::env::var_os("IMAGEWRIGHT_SKIP_LOG") {
            let log = std::fs::OpenOptions::new().append(true).create(true).open(log);
            log.and_then(|mut log| log.write_all(line.as_bytes()))
                .expect("an unwritten skip would pass for a test that ran");
        }
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
