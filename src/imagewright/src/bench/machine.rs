//! On what was measured.

use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::Path;

/// A description that belongs to every figure: without it none of them means anything.
#[derive(Serialize)]
pub(crate) struct Machine {
    /// UTC.
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) kernel: String,
    /// Of the scratch directory: type, device, options.
    pub(crate) file_system: String,
    /// Work waiting before the first measurement, averaged over 1, 5 and 15 minutes.
    pub(crate) load_before: String,
}

impl Machine {
    /// What the kernel tells; unknown things are empty.
    pub(crate) fn look(scratch: &Path) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, key: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':'));
            value
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let memory = value(&read("/proc/meminfo"), "MemTotal");
        let kibibytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            cpu: value(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            memory_bytes: kibibytes * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mountinfo"), scratch),
            load_before: load(),
        }
    }
}

/// Averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The mount whose place is the longest beginning of the path.
fn file_system(mounts: &str, path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut best: Option<(usize, String)> = None;
    for line in mounts.lines() {
        // "36 35 98:0 /root /place options [optional...] - type device superoptions"
        let Some((mount, kind)) = line.split_once(" - ") else {
            continue;
        };
        let (mount, kind): (Vec<&str>, Vec<&str>) = (mount.split(' ').collect(), kind.split(' ').collect());
        let (Some(place), Some(options)) = (mount.get(4), mount.get(5)) else {
            continue;
        };
        let [kind, device, ..] = kind[..] else { continue };
        let length = place.len();
        if path.starts_with(place) && best.as_ref().is_none_or(|(longest, _)| length >= *longest) {
            best = Some((length, format!("{kind} on {device} ({options})")));
        }
    }
    best.map(|(_, text)| text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_is_the_one() {
        let mounts = "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw\n";
        assert_eq!(file_system(mounts, Path::new("/")), "ext4 on /dev/sda1 (rw)");
        assert_eq!(
            file_system(mounts, Path::new("/proc/sys")).split(' ').next(),
            Some("proc")
        );
    }
}
