//! Logs of last results that no archive has: as many of the newest as there is room for.
//!
//! With an archive a log is let go as soon as it is stored. Without one, or while its disk is full, each stream's last log would stay
//! in memory and in files without names, and there is no end to streams.

use super::snapshot::LastResult;
use crate::build_runner::BuildLog;
use imbl::OrdMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Bytes of such logs, in memory and in files.
pub(super) const LOGS_KEPT_BYTES: u64 = 256 << 20;

/// Files that such logs keep open.
pub(super) const LOGS_KEPT_FILES: usize = 256;

/// What the log of an older result says.
const NOTICE: &[u8] = b"[the log is no longer kept: there are newer ones, and it is in no archive]\n";

/// Lets the logs of the oldest results go, until the rest is within the bounds. The results themselves stay.
pub(super) fn forget_oldest(results: &mut OrdMap<String, LastResult>, most_bytes: u64, most_files: usize) {
    // A source shares its log with the build it was built in.
    let mut sharers: HashMap<*const BuildLog, usize> = HashMap::new();
    let (mut bytes, mut files) = (0, 0);
    for last in results.values() {
        let count = sharers.entry(Arc::as_ptr(&last.log)).or_default();
        *count += 1;
        if *count == 1 {
            let held = last.log.held();
            bytes += held.bytes;
            files += usize::from(held.has_file);
        }
    }
    if bytes <= most_bytes && files <= most_files {
        return;
    }
    let mut oldest: Vec<_> = results
        .iter()
        .map(|(stream, last)| (last.result.finished_at, stream.clone()))
        .collect();
    oldest.sort_unstable();
    for (_, stream) in oldest {
        if bytes <= most_bytes && files <= most_files {
            return;
        }
        let Some(last) = results.get_mut(&stream) else {
            continue;
        };
        let held = last.log.held();
        if held.bytes == 0 && !held.has_file {
            continue;
        }
        if let Some(count) = sharers.get_mut(&Arc::as_ptr(&last.log)) {
            *count -= 1;
            if *count == 0 {
                bytes = bytes.saturating_sub(held.bytes);
                files = files.saturating_sub(usize::from(held.has_file));
            }
        }
        last.log = notice();
    }
}

fn notice() -> Arc<BuildLog> {
    let log = BuildLog::new(Path::new(""));
    log.append(NOTICE);
    log.complete();
    Arc::new(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build_runner::{BuildResult, BuiltImage, LOG_MEMORY_BYTES, Why};
    use std::time::{Duration, SystemTime};

    fn last(stream: &str, second: u64, log: &Arc<BuildLog>) -> (String, LastResult) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let result = BuildResult {
            number: second,
            stream: stream.to_owned(),
            requester: String::new(),
            joined_by: Vec::new(),
            why: Why::Interval,
            queued_at: at,
            started_at: Some(at),
            finished_at: at,
            phases: Vec::new(),
            outcome: Ok(BuiltImage::default()),
            is_usual: true,
        };
        let last = LastResult {
            result: Arc::new(result),
            log: log.clone(),
            name: String::new(),
        };
        (stream.to_owned(), last)
    }

    fn log(dir: &Path, bytes: usize) -> Arc<BuildLog> {
        let log = BuildLog::new(dir);
        log.append(&vec![b'x'; bytes]);
        log.complete();
        Arc::new(log)
    }

    fn kept(results: &OrdMap<String, LastResult>) -> Vec<&str> {
        let kept = results.iter().filter(|(_, last)| last.log.read_from(0) != NOTICE);
        kept.map(|(stream, _)| stream.as_str()).collect()
    }

    #[test]
    fn the_oldest_logs_go_when_all_together_are_too_long_and_their_results_stay() {
        let dir = tempfile::tempdir().unwrap();
        let logs = [1, 2, 3].map(|_| log(dir.path(), 1000));
        let mut results: OrdMap<String, LastResult> = [
            last("c", 1, &logs[0]),
            last("a", 2, &logs[1]),
            last("b", 3, &logs[2]),
        ]
        .into_iter()
        .collect();
        forget_oldest(&mut results, 3000, 0);
        assert_eq!(kept(&results), ["a", "b", "c"]);
        forget_oldest(&mut results, 2500, 0);
        assert_eq!(kept(&results), ["a", "b"]);
        assert_eq!(results["c"].result.number, 1);
        assert_eq!(Arc::strong_count(&logs[0]), 1);
        // Again: a notice is short, and is not the next to go.
        forget_oldest(&mut results, 2500, 0);
        assert_eq!(kept(&results), ["a", "b"]);
    }

    #[test]
    fn the_oldest_logs_go_when_too_many_have_files_and_one_that_is_shared_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let long = usize::try_from(LOG_MEMORY_BYTES).unwrap() + 1;
        let (shared, own) = (log(dir.path(), long), log(dir.path(), long));
        let mut results: OrdMap<String, LastResult> =
            [last("a", 1, &shared), last("b", 2, &shared), last("c", 3, &own)]
                .into_iter()
                .collect();
        forget_oldest(&mut results, u64::MAX, 2);
        assert_eq!(kept(&results), ["a", "b", "c"]);
        forget_oldest(&mut results, u64::MAX, 1);
        assert_eq!(kept(&results), ["c"]);
    }
}
