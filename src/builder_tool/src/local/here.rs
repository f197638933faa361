//! What builds on this machine share: a workshop that lives as long as the build, its log, its end.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use builder::{
    BuildError, BuildLimits, Delivery, Order, Phase, Recipe, RoomConfig, Watcher, Workshop, WorkshopConfig,
};
use parking_lot::Mutex;
use recipe::UserStream;
use tree_io::os_text;

use crate::options::Options;
use crate::session::Session;
use crate::variables;

/// Where the log of a build that succeeded is left.
const LOG_FILE: &str = "build.log";
/// Bytes of it at most, as the daemon has it.
const LOG_MOST_BYTES: usize = 64 << 20;
/// Nobody writes it again.
const LOG_MODE: u32 = 0o444;
/// Processes and threads of a build at a time, so that a runaway script does not take the machine with it.
const MOST_PROCESSES: u64 = 4096;
/// For less than [`SHORTEST_DURATION`], as the daemon has it (`imaginator.md §12.5`).
const LONGEST_DURATION: Duration = Duration::from_secs(24 * 3600);
/// See [`LONGEST_DURATION`].
const SHORTEST_DURATION: Duration = Duration::from_secs(1);

/// A build on this machine.
pub(super) struct Here {
    /// Everything it makes before it is done; gone with it.
    pub(super) directory: tempfile::TempDir,
    options: Options,
    log: Arc<Log>,
}

impl Here {
    /// Makes the directory. Only root can build.
    pub(super) fn new(session: &Session) -> anyhow::Result<Here> {
        if !rustix::process::geteuid().is_root() {
            bail!("building images takes root: try it with sudo");
        }
        let directory = tempfile::Builder::new()
            .prefix("builder-tool.")
            // A tree has files that are set-user-id, and manifests may be nobody else's business.
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|error| anyhow!("{}: {}", std::env::temp_dir().display(), os_text(&error)))?;
        let options = session.options.clone();
        let log = Arc::new(Log {
            is_shown: options.always_show_build_log,
            ..Log::default()
        });
        Ok(Here {
            directory,
            options,
            log,
        })
    }

    /// What watches the build.
    pub(super) fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::clone(&self.log) as Arc<dyn Watcher>
    }

    /// The workshop for one build.
    pub(super) async fn workshop(&self, session: &mut Session) -> anyhow::Result<Workshop> {
        let connect = session.connect_options(&session.options.image_server.clone())?;
        // Whether the server is there is told before anything is done.
        session.image_server().await?;
        let config = WorkshopConfig {
            temporary: self.directory.path().to_owned(),
            state_directory: self.directory.path().join("state"),
            object_cache: None,
            sandbox: sandbox::Command::new(),
            limits: limits(),
            network: sandbox::Network::Host,
            connect: Arc::new(move || connect.clone()),
        };
        Ok(Workshop::new(config)?)
    }

    /// The order for a build from a manifest in a directory.
    pub(super) fn order(&self, manifest: &str, stream: &str) -> anyhow::Result<Order> {
        let manifest =
            fs::canonicalize(manifest).map_err(|error| anyhow!("{manifest}: {}", os_text(&error)))?;
        let manifest = manifest
            .to_str()
            .context("the path of the manifest is not UTF-8")?;
        if manifest.contains('$') {
            bail!("{manifest}: a path with a $ in it would be expanded: give another one");
        }
        let variables = self.variables()?;
        Ok(Order {
            number: 1,
            slot: std::process::id(),
            stream: stream.to_owned(),
            recipe: Recipe::User {
                stream: Arc::new(UserStream {
                    manifest_url: format!("dir://{manifest}"),
                    variables: variables.clone(),
                    ..UserStream::default()
                }),
                bind_mounts: self.options.bind_mounts.clone(),
                mtimes_copy_filter_lines: self.mtimes_filter()?,
                cache: None,
            },
            variables: BTreeMap::new(),
            branch: String::new(),
            max_source_age: None,
            expires_in: Some(self.options.expires_in).filter(|time| !time.is_zero()),
            deadline: self.deadline(),
            created_for: String::new(),
            delivery: Delivery::Publish,
            secrets: Arc::default(),
        })
    }

    /// Those of `-variablesFilename`.
    pub(super) fn variables(&self) -> anyhow::Result<BTreeMap<String, String>> {
        variables::read(&self.options.variables_filename)
    }

    /// For a build without workshop.
    pub(super) fn room_config(&self) -> RoomConfig {
        RoomConfig {
            command: sandbox::Command::new(),
            limits: limits().of_a_command(),
            network: sandbox::Network::Host,
            slot: std::process::id(),
            group: format!("builder-tool-{}", std::process::id()),
            deadline: self.deadline(),
        }
    }

    fn deadline(&self) -> Duration {
        match self.options.maximum_build_duration {
            time if time < SHORTEST_DURATION => LONGEST_DURATION,
            time => time,
        }
    }

    fn mtimes_filter(&self) -> anyhow::Result<Vec<String>> {
        let path = &self.options.mtimes_copy_filter_file;
        if path.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        let text = fs::read(path).map_err(|error| anyhow!("{}: {}", path.display(), os_text(&error)))?;
        Ok(image::filter::parse_lines(&text).filter_lines)
    }

    /// Runs a build on a thread of its own. An interrupt ends it, and it cleans up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        build: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
    ) -> anyhow::Result<T> {
        if self.log.is_shown {
            eprintln!("Start of build log ==========================");
        }
        let (sender, mut built) = tokio::sync::oneshot::channel();
        // Nobody waits any more only if this program is ending.
        std::thread::spawn(move || drop(sender.send(build())));
        let built = tokio::select! {
            built = &mut built => built,
            _ = tokio::signal::ctrl_c() => {
                self.log.cancel();
                built.await
            }
        };
        let built = built.context("the build ended without a result")?;
        self.end(built.is_err())?;
        Ok(built?)
    }

    fn end(&self, failed: bool) -> anyhow::Result<()> {
        if self.log.is_shown {
            eprintln!("End of build log ============================");
        } else if failed {
            eprintln!("Start of build log ==========================");
            let _ = std::io::stderr().write_all(&self.log.log_so_far());
            eprintln!("End of build log ============================");
        } else {
            write_log(&self.log.log_so_far()).map_err(|error| anyhow!("{LOG_FILE}: {}", os_text(&error)))?;
        }
        Ok(())
    }
}

fn limits() -> BuildLimits {
    BuildLimits {
        processes: Some(MOST_PROCESSES),
        ..BuildLimits::default()
    }
}

fn write_log(text: &[u8]) -> std::io::Result<()> {
    let temporary = PathBuf::from(format!("{LOG_FILE}~"));
    // One that was left behind cannot be written to.
    let _ = fs::remove_file(&temporary);
    fs::write(&temporary, text)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(LOG_MODE))?;
    fs::rename(&temporary, Path::new(LOG_FILE))
}

type End = Arc<dyn Fn() + Send + Sync>;

/// The log of a build: shown as it grows, or kept.
#[derive(Default)]
struct Log {
    is_shown: bool,
    kept: Mutex<Vec<u8>>,
    cancelled: Mutex<(bool, Vec<End>)>,
}

impl Log {
    fn cancel(&self) {
        let ends = {
            let mut cancelled = self.cancelled.lock();
            cancelled.0 = true;
            std::mem::take(&mut cancelled.1)
        };
        ends.iter().for_each(|end| end());
    }
}

/// Adds to a log that is kept; what is too much is left out, which the log then says.
fn keep(kept: &mut Vec<u8>, bytes: &[u8], most_bytes: usize) {
    let left = most_bytes.saturating_sub(kept.len());
    if left == 0 {
        return;
    }
    kept.extend_from_slice(&bytes[..bytes.len().min(left)]);
    if bytes.len() >= left {
        let most = human::bytes(most_bytes as u64);
        kept.extend_from_slice(
            format!("\n[the log has more than {most}: the rest is left out]\n").as_bytes(),
        );
    }
}

impl Watcher for Log {
    fn log(&self, bytes: &[u8]) {
        if self.is_shown {
            // Nothing can be done about a closed standard error.
            let _ = std::io::stderr().write_all(bytes);
        }
        keep(&mut self.kept.lock(), bytes, LOG_MOST_BYTES);
    }

    fn phase(&self, _phase: Phase) {}

    fn log_so_far(&self) -> Vec<u8> {
        self.kept.lock().clone()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.lock().0
    }

    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        let end: End = Arc::from(end);
        let is_cancelled = {
            let mut cancelled = self.cancelled.lock();
            if !cancelled.0 {
                cancelled.1.push(Arc::clone(&end));
            }
            cancelled.0
        };
        if is_cancelled {
            end();
        }
        // There is one build: ending what has ended does no harm, and the list ends with the program.
        Box::new(())
    }
}

#[cfg(test)]
mod tests {
    use super::keep;

    #[test]
    fn a_log_that_is_kept_has_a_bound_and_says_so_once() {
        let mut kept = Vec::new();
        for _ in 0..4 {
            keep(&mut kept, b"0123456789", 25);
        }
        let says = "0123456789012345678901234\n[the log has more than 25 B: the rest is left out]\n";
        assert_eq!(String::from_utf8_lossy(&kept), says);
    }
}
