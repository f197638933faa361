//! How the log is kept.

use std::path::PathBuf;
use std::time::Duration;

use flags::Values;

use super::line::LineForm;

/// Least lines kept in memory.
const RING_LEAST_LINES: usize = 100;
/// Most lines kept in memory, so that a slip in a flag does not take all of it.
const RING_MOST_LINES: usize = 1_000_000;
/// Least size of a log file, in bytes.
const FILE_LEAST_BYTES: u64 = 16 << 10;
/// Least quota of all log files, in bytes.
const QUOTA_LEAST_BYTES: u64 = 64 << 10;

/// The log flags of a daemon (`imageserver.md §8`).
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Where the files go; none for no files.
    pub directory: Option<PathBuf>,
    /// Lines kept in memory.
    pub ring_lines: usize,
    /// Bytes after which a new file is begun.
    pub file_max_bytes: u64,
    /// Bytes of all files after which the oldest are deleted.
    pub quota_bytes: u64,
    /// In which form lines are written.
    pub form: LineForm,
    /// Lines go to standard error too, and it is not redirected to the file.
    pub also_stderr: bool,
    /// Highest debug level kept, -1 for none.
    pub debug_level: i16,
    /// Silence after which a line `MARK` is written; zero for never.
    pub idle_mark: Duration,
    /// Nothing goes to standard error, even without files.
    pub silent: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            directory: None,
            ring_lines: 1024,
            file_max_bytes: 10 << 20,
            quota_bytes: 100 << 20,
            form: LineForm::Text { subseconds: false },
            also_stderr: false,
            debug_level: -1,
            idle_mark: Duration::ZERO,
            silent: false,
        }
    }
}

impl LogConfig {
    /// From the values of the flags in [`crate::daemon::log_flags`].
    pub fn from_flags(values: &Values) -> Self {
        let directory = values.string("logDir");
        let clamped_level = values
            .integer("initialLogDebugLevel")
            .clamp(-1, i64::from(i16::MAX));
        let lines = usize::try_from(values.unsigned("logbufLines")).unwrap_or(usize::MAX);
        Self {
            directory: (!directory.is_empty()).then(|| PathBuf::from(directory)),
            ring_lines: lines.clamp(RING_LEAST_LINES, RING_MOST_LINES),
            file_max_bytes: values.size("logFileMaxSize").max(FILE_LEAST_BYTES),
            quota_bytes: values.size("logQuota").max(QUOTA_LEAST_BYTES),
            form: LineForm::Text {
                subseconds: values.boolean("logSubseconds"),
            },
            also_stderr: values.boolean("alsoLogToStderr"),
            // The clamp makes it fit.
            debug_level: i16::try_from(clamped_level).unwrap_or(-1),
            idle_mark: values.duration("idleMarkTimeout"),
            silent: false,
        }
    }
}
