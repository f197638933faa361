//! What outlives an incarnation of the actor: what is in force, and what is wrong.

use super::mix::live_part;
use super::read::{read_configuration, read_users};
use super::{Restart, SettingsError};
use crate::file_watcher::{FileWatch, Watched};
use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use repository::configuration::{Configuration, Settings, UserTable};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(super) path: PathBuf,
    pub(super) configuration: ArcSwap<Configuration>,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) users: ArcSwapOption<UserTable>,
    pub(super) changes: watch::Sender<u64>,
    pub(super) restart: watch::Sender<Option<Arc<Restart>>>,
    problems: Mutex<Problems>,
    /// What the file said last, if it was good.
    wanted: Mutex<Configuration>,
    watch: FileWatch,
}

#[derive(Default)]
struct Problems {
    file: Option<String>,
    users: Option<String>,
    restart: Option<String>,
}

impl Shared {
    pub(super) fn load(path: &Path, allow_debug_panic: bool) -> Result<Shared, SettingsError> {
        let configuration = read_configuration(path)?;
        let users = read_users(&configuration)?;
        Ok(Shared {
            path: path.to_owned(),
            settings: Arc::new(ArcSwap::from_pointee(configuration.settings().clone())),
            users: ArcSwapOption::from_pointee(users),
            changes: watch::Sender::new(0),
            restart: watch::Sender::new(None),
            problems: Mutex::default(),
            wanted: Mutex::new(configuration.clone()),
            configuration: ArcSwap::from_pointee(configuration),
            watch: FileWatch::new("settings", allow_debug_panic)?,
        })
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let problems = self.problems.lock();
        [&problems.file, &problems.users, &problems.restart]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    pub(super) fn refuse_restart(&self, reason: String) {
        tracing::error!("{reason}");
        self.problems.lock().restart = Some(reason);
        self.restart.send_replace(None);
        self.changes.send_modify(|count| *count += 1);
    }

    /// The directories of the files' names and of what the names lead to, as administrators replace links.
    fn follow(&self) {
        let users = self.settings.load().own.users_file.clone().map(PathBuf::from);
        let files = [Some(self.path.clone()), users].into_iter().flatten();
        let with_targets = files.flat_map(|file| [std::fs::canonicalize(&file).ok(), Some(file)]);
        let directories: Vec<PathBuf> = with_targets
            .flatten()
            .filter_map(|file| file.parent().map(Path::to_owned))
            .map(|directory| match directory.as_os_str().is_empty() {
                true => PathBuf::from("."),
                false => directory,
            })
            .collect();
        self.watch.follow(directories.iter().map(PathBuf::as_path));
    }

    fn take(&self, new: Configuration) {
        {
            let mut wanted = self.wanted.lock();
            if wanted.merged() == new.merged() {
                return;
            }
            *wanted = new.clone();
        }
        self.problems.lock().restart = None;
        let old = self.configuration.load_full();
        let keys = new.needs_restart_for(&old);
        if let Some(live) = live_part(&old, &new, &keys) {
            tracing::info!(
                "configuration {} is read again: {}",
                self.path.display(),
                changed_keys(&old, &live)
            );
            self.settings.store(Arc::new(live.settings().clone()));
            self.configuration.store(Arc::new(live));
        }
        let restart = (!keys.is_empty()).then(|| {
            tracing::info!("configuration: a restart is needed for {}", keys.join(", "));
            Arc::new(Restart {
                settings: new.settings().clone(),
                keys,
            })
        });
        self.restart.send_replace(restart);
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Watched for Shared {
    const NAME: &'static str = "SettingsWatcher";

    fn watch(&self) -> &FileWatch {
        &self.watch
    }

    /// Small files: they are read whether somebody asked or not.
    fn look(&self, _is_asked: bool) {
        self.follow();
        match read_configuration(&self.path) {
            Ok(new) => {
                tell(&mut self.problems.lock().file, None);
                self.take(new);
            }
            Err(error) => {
                let text = format!("{error}; what was in force before stays in force");
                tell(&mut self.problems.lock().file, Some(text));
            }
        }
        match read_users(&self.configuration.load()) {
            Ok(users) => {
                tell(&mut self.problems.lock().users, None);
                if self.users.load().as_deref() != users.as_ref() {
                    self.users.store(users.map(Arc::new));
                    tracing::info!("the table of users is another");
                    self.changes.send_modify(|count| *count += 1);
                }
            }
            Err(error) => {
                let text = format!("{error}; the users known before stay in force");
                tell(&mut self.problems.lock().users, Some(text));
            }
        }
    }
}

/// Names only: values may be secrets.
fn changed_keys(old: &Configuration, new: &Configuration) -> String {
    let names = new.merged().keys().chain(old.merged().keys());
    let mut changed: Vec<&str> = names
        .filter(|name| old.merged().get(*name) != new.merged().get(*name))
        .map(String::as_str)
        .collect();
    changed.sort_unstable();
    changed.dedup();
    match changed.is_empty() {
        true => "nothing that is in force now changed".to_owned(),
        false => format!("{} changed", changed.join(", ")),
    }
}

/// Keeps a problem, and logs it when it is new.
fn tell(place: &mut Option<String>, problem: Option<String>) {
    if *place != problem {
        match &problem {
            Some(text) => tracing::error!("{text}"),
            None => tracing::info!("the configuration is good again"),
        }
        *place = problem;
    }
}
