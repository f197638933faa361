//! What a running process has used so far.

use anyhow::Context;
use std::time::Duration;

/// Unit of the times in `/proc/PID/stat`: a hundredth of a second on every Linux this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time.
pub(crate) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    // Fields 14 and 15; the second one, in brackets, may contain anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
}

/// Most resident memory at any time, bytes.
pub(crate) fn peak_bytes(process: u32) -> anyhow::Result<u64> {
    status_bytes(process, "VmHWM:")
}

/// Resident memory at this moment, bytes.
pub(crate) fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    status_bytes(process, "VmRSS:")
}

fn status_bytes(process: u32, field: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .with_context(|| format!("{path}: no {field}"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes * 1024)
}
