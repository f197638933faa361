//! The certificate of the port with TLS, kept as its files are.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actors::FileBell;
use arc_swap::ArcSwapOption;
use repository::configuration::Tls;

use super::tls::{Current, TlsError, acceptor};
use crate::state::Shared;

/// Between two looks at the files, whatever the kernel tells.
const SWEEP: Duration = Duration::from_secs(60);

/// The certificate in use. Clones share it.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// What handshakes are made with.
    pub(crate) current: Current,
    bell: Arc<FileBell>,
    problem: Arc<ArcSwapOption<String>>,
}

/// The files as they were found: while this is the same, so are they.
type Seen = (Tls, Vec<Option<(u64, u64, i64, i64)>>);

impl Certificate {
    /// Of the files as they are.
    ///
    /// # Errors
    /// They cannot be used.
    pub(crate) fn load(tls: &Tls) -> Result<Self, TlsError> {
        Ok(Self {
            current: Current::new(acceptor(tls)?),
            bell: FileBell::new(),
            problem: Arc::default(),
        })
    }

    /// Looks at the files soon.
    pub(crate) fn look_soon(&self) {
        self.bell.ring();
    }

    /// Why the files as they are now are not used, if they are not.
    pub(crate) fn problem(&self) -> Option<Arc<String>> {
        self.problem.load_full()
    }

    /// Takes the files whenever they are others, for ever. Files that do not go together change nothing: who
    /// replaces both does so one after the other.
    pub(crate) async fn keep(self, state: Shared) {
        let mut seen = None;
        loop {
            // The settings may name other files at any time; whether TLS is spoken at all needs a restart.
            if let Some(tls) = state.settings().own.tls.clone() {
                let directories = directories(&tls);
                self.bell.follow(directories.iter().map(PathBuf::as_path));
                let now = look(&tls);
                let is_other = seen.as_ref().is_some_and(|seen| *seen != now);
                if is_other {
                    self.take(&tls);
                }
                seen = Some(now);
            }
            self.bell.wait(SWEEP).await;
        }
    }

    fn take(&self, tls: &Tls) {
        match acceptor(tls) {
            Ok(acceptor) => {
                self.current.set(acceptor);
                self.problem.store(None);
                tracing::info!("certificate {} is taken", tls.certificate);
            }
            Err(error) => {
                let text = format!("{error}; the one before stays in use");
                tracing::error!("{text}");
                self.problem.store(Some(Arc::new(text)));
            }
        }
    }
}

fn look(tls: &Tls) -> Seen {
    let stamp = |path: &String| {
        let metadata = std::fs::metadata(path).ok()?;
        let (inode, bytes) = (metadata.ino(), metadata.len());
        Some((inode, bytes, metadata.ctime(), metadata.ctime_nsec()))
    };
    (tls.clone(), [&tls.certificate, &tls.key].map(stamp).to_vec())
}

/// Of the names, and of what they lead to: tools that renew certificates exchange links.
fn directories(tls: &Tls) -> Vec<PathBuf> {
    let files = [&tls.certificate, &tls.key].map(PathBuf::from);
    let targets = files
        .clone()
        .into_iter()
        .filter_map(|file| std::fs::canonicalize(file).ok());
    let all = files.clone().into_iter().chain(targets);
    all.filter_map(|file| file.parent().map(Path::to_owned)).collect()
}
