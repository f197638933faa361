//! How long builds of a stream usually take, remembered from those that this user waited for at a terminal: no server has to tell.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Durations kept of a stream.
const KEPT: usize = 7;
/// Streams kept; beyond them the list begins anew.
const STREAMS_MOST: usize = 1000;
/// A larger file is not ours.
const FILE_BYTES_MOST: u64 = 1 << 20;

/// Seconds that builds took, by server and stream, oldest first.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered(BTreeMap<String, Vec<u64>>);

/// Where they are remembered: below `$XDG_CACHE_HOME`, or `~/.cache`.
pub(crate) fn file() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("imagewright/build-durations.json"))
}

/// What builds of a stream of a server usually take; `None` if none is remembered.
pub(crate) fn usual(file: &Path, server: &str, stream: &str) -> Option<Duration> {
    let mut seconds = read(file).0.remove(&key(server, stream))?;
    seconds.sort_unstable();
    let median = seconds.get(seconds.len().checked_sub(1)? / 2)?;
    Some(Duration::from_secs(*median))
}

/// Remembers one more. What cannot be written is not remembered.
pub(crate) fn remember(file: &Path, server: &str, stream: &str, took: Duration) {
    let mut remembered = read(file);
    if remembered.0.len() >= STREAMS_MOST {
        remembered = Remembered::default();
    }
    let seconds = remembered.0.entry(key(server, stream)).or_default();
    seconds.push(took.as_secs());
    let surplus = seconds.len().saturating_sub(KEPT);
    seconds.drain(..surplus);
    let write = || -> Option<()> {
        let directory = file.parent()?;
        std::fs::create_dir_all(directory).ok()?;
        let mut new = tempfile::NamedTempFile::new_in(directory).ok()?;
        new.write_all(&serde_json::to_vec(&remembered).ok()?).ok()?;
        new.persist(file).ok()?;
        Some(())
    };
    // A build that went well is no failure because of this.
    let _ = write();
}

fn key(server: &str, stream: &str) -> String {
    format!("{server} {stream}")
}

fn read(file: &Path) -> Remembered {
    let is_ours = std::fs::metadata(file).is_ok_and(|data| data.is_file() && data.len() <= FILE_BYTES_MOST);
    let content = is_ours.then(|| std::fs::read(file).ok()).flatten();
    content
        .and_then(|content| serde_json::from_slice(&content).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_is_the_middle_one_of_the_last_builds_of_that_stream_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/durations.json");
        assert_eq!(usual(&file, "h:1", "a"), None);
        for seconds in [1000, 1000, 1000, 1000, 10, 20, 30, 40, 50, 60, 70] {
            remember(&file, "h:1", "a", Duration::from_secs(seconds));
        }
        remember(&file, "h:2", "a", Duration::from_secs(5));
        assert_eq!(usual(&file, "h:1", "a"), Some(Duration::from_secs(40)));
        assert_eq!(usual(&file, "h:2", "a"), Some(Duration::from_secs(5)));
        assert_eq!(usual(&file, "h:2", "b"), None);
        std::fs::write(&file, b"nonsense").unwrap();
        assert_eq!(usual(&file, "h:1", "a"), None);
    }
}
