//! What the kernel says about this process.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{Sample, Unit};

/// Bytes of a block in the kernel's counts of input and output.
const BLOCK_BYTES: u64 = 512;

/// Reads `/proc/self`.
pub struct Process {
    started: SystemTime,
    name: String,
    arguments: String,
}

/// The figures of one reading; zero where the kernel says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    user: Duration,
    system: Duration,
    minor_faults: u64,
    major_faults: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_bytes: u64,
    most_resident_bytes: u64,
    voluntary_switches: u64,
    involuntary_switches: u64,
    input_blocks: u64,
    output_blocks: u64,
    open_files: u64,
    most_open_files: u64,
}

impl Process {
    /// Takes note of when it was called as the start of the process.
    pub fn new() -> Self {
        let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let name = words.next().unwrap_or_default();
        Self {
            started: SystemTime::now(),
            name,
            arguments: words.collect::<Vec<_>>().join("|"),
        }
    }

    /// The samples under `/proc`.
    pub fn samples(&self) -> Vec<Sample> {
        let now = Reading::take();
        let count = |path, description, value: u64| Sample::new(path, description, Unit::None, value);
        let bytes = |path, description, value: u64| Sample::new(path, description, Unit::Bytes, value);
        vec![
            Sample::new("/proc/args", "Program args", Unit::None, self.arguments.as_str()),
            Sample::new("/proc/name", "Program name", Unit::None, self.name.as_str()),
            Sample::new("/proc/start-time", "Program start time", Unit::None, self.started),
            Sample::new("/proc/cpu/user", "User CPU time used", Unit::Seconds, now.user),
            Sample::new("/proc/cpu/sys", "System CPU time used", Unit::Seconds, now.system),
            bytes(
                "/proc/memory/total",
                "Memory currently resident",
                now.resident_bytes,
            ),
            bytes(
                "/proc/memory/max-resident-set-size",
                "Maximum resident set size",
                now.most_resident_bytes,
            ),
            count(
                "/proc/memory/soft-page-fault",
                "Soft page faults",
                now.minor_faults,
            ),
            count(
                "/proc/memory/hard-page-fault",
                "Hard page faults",
                now.major_faults,
            ),
            count("/proc/io/input", "Block input operations", now.input_blocks),
            count("/proc/io/output", "Block output operations", now.output_blocks),
            count(
                "/proc/io/num-open-file-descriptors",
                "Number of open file descriptors",
                now.open_files,
            ),
            count(
                "/proc/scheduler/voluntary-switches",
                "Voluntary context switches",
                now.voluntary_switches,
            ),
            count(
                "/proc/scheduler/involuntary-switches",
                "Involuntary context switches",
                now.involuntary_switches,
            ),
            count("/proc/scheduler/num-threads", "Number of threads", now.threads),
        ]
    }

    /// When the process started.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// The names every collector of Prometheus uses for a process.
    pub(super) fn prometheus_text(&self) -> String {
        let now = Reading::take();
        let start = super::value::since_epoch(self.started).as_secs_f64();
        let figures: [(&str, &str, &str, f64); 7] = [
            (
                "process_cpu_seconds_total",
                "counter",
                "CPU time used",
                (now.user + now.system).as_secs_f64(),
            ),
            (
                "process_resident_memory_bytes",
                "gauge",
                "resident memory",
                now.resident_bytes as f64,
            ),
            (
                "process_virtual_memory_bytes",
                "gauge",
                "virtual memory",
                now.virtual_bytes as f64,
            ),
            (
                "process_open_fds",
                "gauge",
                "open file descriptors",
                now.open_files as f64,
            ),
            (
                "process_max_fds",
                "gauge",
                "limit of open file descriptors",
                now.most_open_files as f64,
            ),
            ("process_threads", "gauge", "threads", now.threads as f64),
            (
                "process_start_time_seconds",
                "gauge",
                "start, seconds since 1970",
                start,
            ),
        ];
        figures
            .iter()
            .map(|(name, kind, help, value)| {
                format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n")
            })
            .collect()
    }
}

impl Default for Process {
    fn default() -> Self {
        Self::new()
    }
}

impl Reading {
    pub(super) fn take() -> Self {
        let mut reading = Self::default();
        reading.read_stat(&fs::read_to_string("/proc/self/stat").unwrap_or_default());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        reading.most_resident_bytes = field(&status, "VmHWM:") << 10;
        reading.voluntary_switches = field(&status, "voluntary_ctxt_switches:");
        reading.involuntary_switches = field(&status, "nonvoluntary_ctxt_switches:");
        let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
        reading.input_blocks = field(&io, "read_bytes:") / BLOCK_BYTES;
        reading.output_blocks = field(&io, "write_bytes:") / BLOCK_BYTES;
        // The open directory is one of them.
        let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        reading.open_files = (files as u64).saturating_sub(1);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        reading.most_open_files = limit.unwrap_or(0);
        reading
    }

    /// Fields count from 3 behind the name, which is in parentheses and may hold anything.
    fn read_stat(&mut self, stat: &str) {
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            return;
        };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |field: usize| -> u64 {
            fields
                .get(field - 3)
                .and_then(|text| text.parse().ok())
                .unwrap_or(0)
        };
        let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
        let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64);
        self.minor_faults = number(10);
        self.major_faults = number(12);
        self.user = time(number(14));
        self.system = time(number(15));
        self.threads = number(20);
        self.virtual_bytes = number(23);
        self.resident_bytes = number(24) * rustix::param::page_size() as u64;
    }
}

/// The number behind a name at the start of a line.
fn field(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_something_about_us() {
        let reading = Reading::take();
        assert!(reading.resident_bytes > 1 << 16 && reading.virtual_bytes > reading.resident_bytes);
        assert!(
            reading.threads >= 1 && reading.open_files >= 3 && reading.most_open_files >= reading.open_files
        );
        assert!(reading.most_resident_bytes > 0 && reading.minor_faults > 0);
    }

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let mut reading = Reading::default();
        reading.read_stat("7 (a) b) c) R 1 1 1 0 -1 0 11 0 13 0 100 200 0 0 20 0 9 0 5 4096 2 0");
        assert_eq!(
            (reading.minor_faults, reading.major_faults, reading.threads),
            (11, 13, 9)
        );
        assert_eq!(reading.virtual_bytes, 4096);
    }
}
