//! The thread that writes lines to files and to standard error.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::files::LogDirectory;
use super::{ALWAYS, Line, LogConfig, LogError};

/// Lines that may wait for the writer; further ones are counted and lost.
const QUEUE_MOST_LINES: usize = 16_384;
/// Lines written with one system call.
const BATCH_MOST_LINES: u64 = 512;
/// From one writing to the next, at least, so that under load a line costs neither a system call nor the waking of a thread.
/// What a process that is killed had still to write is not older.
const GATHER: Duration = Duration::from_millis(50);
/// Waiting lines that end the gathering early.
const GATHERED_MOST_LINES: usize = QUEUE_MOST_LINES / 4;
/// How long the writer sleeps when nothing is to be marked.
const FOREVER: Duration = Duration::from_secs(3600);
/// How long to wait before a new file is tried after one could not be made.
const FILE_RETRY: Duration = Duration::from_secs(1);

/// The last line of a file that is full.
const ROTATION_LINE: &str = "Closing and will open new logfile";

pub(super) struct Writer {
    orders: SyncSender<Order>,
    thread: Thread,
    shared: Arc<Shared>,
    directory: Option<LogDirectory>,
}

enum Order {
    Line(Arc<Line>),
    Flush(SyncSender<()>),
}

#[derive(Default)]
struct Shared {
    lost: AtomicU64,
    /// Lines in the queue.
    waiting: AtomicUsize,
    /// The gathering is to end.
    is_urgent: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Writer {
    /// Starts the thread, unless there is nothing to write to.
    pub(super) fn start(config: &LogConfig) -> Result<Option<Self>, LogError> {
        let to_stderr = config.also_stderr || (config.directory.is_none() && !config.silent);
        if config.directory.is_none() && !to_stderr {
            return Ok(None);
        }
        let shared = Arc::new(Shared::default());
        let mut target = Target {
            to_stderr,
            files: None,
            config: config.clone(),
            reported_lost: 0,
            shared: Arc::clone(&shared),
        };
        let directory = target.open_directory()?;
        let (orders, receiver) = sync_channel(QUEUE_MOST_LINES);
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || target.run(&receiver))
            .map_err(LogError::Thread)?;
        Ok(Some(Self {
            orders,
            thread: thread.thread().clone(),
            shared,
            directory,
        }))
    }

    pub(super) fn offer(&self, line: &Arc<Line>) {
        // Before it is sent: the writer may count it off at once.
        let before = self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.orders.try_send(Order::Line(Arc::clone(line)))
        {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
        if before == GATHERED_MOST_LINES {
            self.hurry();
        }
    }

    /// Ends the gathering.
    fn hurry(&self) {
        self.shared.is_urgent.store(true, Ordering::Release);
        self.thread.unpark();
    }

    pub(super) fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (done, wait) = sync_channel(1);
        let mut order = Order::Flush(done);
        loop {
            match self.orders.try_send(order) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if Instant::now() < deadline => {
                    order = back;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(_) => return,
            }
        }
        self.hurry();
        // Either it is written or the time is over; there is nothing else to do about it.
        let _ = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }

    pub(super) fn directory(&self) -> Option<&LogDirectory> {
        self.directory.as_ref()
    }

    pub(super) fn lost_lines(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().clone()
    }
}

struct Target {
    config: LogConfig,
    to_stderr: bool,
    files: Option<Files>,
    reported_lost: u64,
    shared: Arc<Shared>,
}

struct Files {
    directory: LogDirectory,
    file: Option<std::fs::File>,
    written_bytes: u64,
    next_attempt: Instant,
}

impl Target {
    fn open_directory(&mut self) -> Result<Option<LogDirectory>, LogError> {
        let Some(path) = self.config.directory.clone() else {
            return Ok(None);
        };
        let shown = path.display().to_string();
        let directory =
            LogDirectory::open(&path, self.config.quota_bytes).map_err(|source| LogError::Directory {
                path: shown.clone(),
                source,
            })?;
        let file = self
            .begin(&directory)
            .map_err(|source| LogError::File { path: shown, source })?;
        self.files = Some(Files {
            directory: directory.clone(),
            file: Some(file),
            written_bytes: 0,
            next_attempt: Instant::now(),
        });
        Ok(Some(directory))
    }

    /// A new file; standard output and error go there too, unless lines go to standard error.
    fn begin(&self, directory: &LogDirectory) -> io::Result<std::fs::File> {
        let file = directory.begin(self.config.file_max_bytes.min(self.config.quota_bytes))?;
        if !self.config.also_stderr && !self.config.silent {
            rustix::stdio::dup2_stdout(&file)?;
            rustix::stdio::dup2_stderr(&file)?;
        }
        Ok(file)
    }

    fn run(mut self, orders: &Receiver<Order>) {
        let mark = Some(self.config.idle_mark)
            .filter(|period| !period.is_zero())
            .unwrap_or(FOREVER);
        loop {
            match orders.recv_timeout(mark) {
                Ok(first) => {
                    let begun = Instant::now();
                    match self.batch(first, orders) {
                        Flow::Ended => return,
                        Flow::More => {}
                        Flow::Empty => self.gather(begun + GATHER),
                    }
                }
                Err(RecvTimeoutError::Timeout) if self.config.idle_mark.is_zero() => {}
                Err(RecvTimeoutError::Timeout) => {
                    let line = self.config.form.line(ALWAYS, "MARK");
                    self.write(line.full().to_owned() + "\n", 1);
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Lets lines come together till then.
    fn gather(&self, end: Instant) {
        while !self.shared.is_urgent.swap(false, Ordering::AcqRel) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    fn batch(&mut self, first: Order, orders: &Receiver<Order>) -> Flow {
        let mut text = String::new();
        let mut lines = 0_u64;
        let mut flushed = Vec::new();
        let mut flow = Flow::More;
        let mut next = Some(first);
        while let Some(order) = next.take() {
            match order {
                Order::Line(line) => {
                    text.push_str(line.full());
                    text.push('\n');
                    lines += 1;
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Order::Flush(done) => flushed.push(done),
            }
            if lines < BATCH_MOST_LINES && (text.len() as u64) < self.config.file_max_bytes {
                match orders.try_recv() {
                    Ok(order) => next = Some(order),
                    Err(TryRecvError::Empty) => flow = Flow::Empty,
                    Err(TryRecvError::Disconnected) => flow = Flow::Ended,
                }
            }
        }
        if !text.is_empty() {
            self.write(text, lines);
        }
        for done in flushed {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
        flow
    }

    /// Writes lines, and before them how many are missing if that was not said yet.
    fn write(&mut self, lines_text: String, lines: u64) {
        let lost = self.shared.lost.load(Ordering::Relaxed);
        let mut text = String::new();
        if lost > self.reported_lost {
            let words = format!("{} log lines were lost here", lost - self.reported_lost);
            text.push_str(self.config.form.line(ALWAYS, &words).full());
            text.push('\n');
        }
        text.push_str(&lines_text);
        if self.to_stderr {
            // Standard error may be a closed terminal; the ring still has the lines.
            let _ = io::stderr().write_all(text.as_bytes());
        }
        match self.write_to_file(&text) {
            Ok(()) => {
                self.reported_lost = lost;
                *self.shared.trouble.lock() = None;
            }
            Err(error) => {
                self.shared.lost.fetch_add(lines, Ordering::Relaxed);
                *self.shared.trouble.lock() = Some(error.to_string());
            }
        }
    }

    fn write_to_file(&mut self, text: &str) -> io::Result<()> {
        let Some(mut files) = self.files.take() else {
            return Ok(());
        };
        let result = self.write_with(&mut files, text);
        self.files = Some(files);
        result
    }

    fn write_with(&self, files: &mut Files, text: &str) -> io::Result<()> {
        let limit = self.config.file_max_bytes;
        if files.written_bytes > 0 && files.written_bytes + text.len() as u64 > limit {
            if let Some(full) = &mut files.file {
                let line = self.config.form.line(ALWAYS, ROTATION_LINE);
                // A full disk may refuse this line; the new file will tell.
                let _ = writeln!(full, "{}", line.full());
            }
            files.file = None;
        }
        if files.file.is_none() {
            if Instant::now() < files.next_attempt {
                return Err(io::Error::other(
                    "waiting before the next attempt to create a log file",
                ));
            }
            files.next_attempt = Instant::now() + FILE_RETRY;
            files.file = Some(self.begin(&files.directory)?);
            files.next_attempt = Instant::now();
            files.written_bytes = 0;
        }
        if let Some(file) = &mut files.file {
            file.write_all(text.as_bytes())?;
            files.written_bytes += text.len() as u64;
        }
        Ok(())
    }
}

/// What is behind a batch.
enum Flow {
    /// There may be more in the queue.
    More,
    /// Nothing.
    Empty,
    /// Nothing, and nobody is left who could send.
    Ended,
}
