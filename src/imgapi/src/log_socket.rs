//! The log of the running server for `imgapi logs`: a socket in the base directory, for this user and root.
//!
//! Who connects says in one line of JSON what is wanted; the records follow, one a line, until one of both closes.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use front::logs::{Line, LineFilter, Logs, Severity};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Where it is, below the base directory.
const PLACE: &str = "run/log.socket";

/// Who may follow at once.
const FOLLOWERS_MOST: usize = 16;

/// How long who connects may take to say what is wanted.
const ASK_TIME: Duration = Duration::from_secs(5);

/// Bytes of that line, at most.
const ASK_BYTES: u64 = 1024;

/// What is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Least level, 10 to 60.
    pub(crate) level: u64,
    /// Records of the past that are in memory.
    pub(crate) recent: bool,
    /// Records as they are written, for as long as both live.
    pub(crate) follow: bool,
}

/// The socket of a repository.
pub(crate) fn path(base: &Path) -> PathBuf {
    base.join(PLACE)
}

/// The open socket. Dropped, it is closed and its name removed.
pub(crate) struct LogSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl LogSocket {
    /// Opens it, in place of one that a process which died has left: the directory's lock is ours.
    ///
    /// # Errors
    /// It cannot be made, as where the path is longer than a socket's may be (107 bytes).
    pub(crate) fn open(base: &Path, logs: &Logs) -> io::Result<Self> {
        let path = path(base);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(accept(listener, logs.clone()));
        Ok(Self { path, task })
    }
}

impl Drop for LogSocket {
    fn drop(&mut self) {
        self.task.abort();
        // Left behind it does no harm: the next start removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, logs: Logs) {
    let room = Arc::new(Semaphore::new(FOLLOWERS_MOST));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // As when there are no descriptors: those who are here may leave some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Between the making of the socket and its mode somebody else may have come in.
        let own = rustix::process::geteuid().as_raw();
        let is_allowed = stream
            .peer_cred()
            .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0);
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            continue;
        };
        if is_allowed {
            let logs = logs.clone();
            tokio::spawn(async move {
                // Who does not listen any more has gone.
                let _ = serve(stream, &logs).await;
                drop(permit);
            });
        }
    }
}

async fn serve(mut stream: UnixStream, logs: &Logs) -> io::Result<()> {
    let mut ask = String::new();
    let reading = BufReader::new((&mut stream).take(ASK_BYTES));
    let mut reading = reading;
    tokio::time::timeout(ASK_TIME, reading.read_line(&mut ask)).await??;
    let wanted: Wanted = serde_json::from_str(&ask).map_err(io::Error::other)?;
    let least = Severity::of_number(wanted.level);
    // Before the past is read, so that nothing is lost between; what is in both is written once.
    let mut watch = logs.watch(LineFilter::default(), least.debug_level());
    let mut recent: Vec<Arc<Line>> = Vec::new();
    if wanted.recent {
        let mut text = String::new();
        recent = logs.recent();
        for line in &recent {
            if line.severity() >= least {
                text.push_str(line.full());
                text.push('\n');
            }
        }
        stream.write_all(text.as_bytes()).await?;
    }
    if !wanted.follow {
        return Ok(());
    }
    let (mut ended, mut writer) = stream.split();
    let mut byte = [0];
    loop {
        let line = tokio::select! {
            line = watch.next() => line,
            // It says nothing more: this is its end.
            _ = ended.read(&mut byte) => return Ok(()),
        };
        let Some(line) = line else { return Ok(()) };
        let is_written = recent.iter().any(|written| Arc::ptr_eq(written, &line));
        if is_written || line.severity() < least {
            continue;
        }
        recent.clear();
        writer.write_all(line.full().as_bytes()).await?;
        writer.write_all(b"\n").await?;
    }
}
