//! Directories of the host that the words of a command name.

use crate::{Bind, Spec, View};
use std::path::{Component, Path, PathBuf};

/// Never seen with the rights of user 0, and nothing that holds them or is in them: here are secrets, and the system itself.
const CLOSED: [&str; 9] = [
    "boot",
    "dev",
    "etc",
    "home",
    "proc",
    "root",
    "run",
    "sys",
    "var/lib/imaginator",
];

impl Spec {
    /// Shows the directories that these words name by their absolute path, read-only and with the rights of user 0, so that
    /// `cp -aT /srv/prepared $dir` reads every file and keeps its owner. Without this they are seen as the rest of the host is:
    /// as by a user without any right. For words of the operator's configuration, in [`View::Host`] only. Neither the host's root nor
    /// /boot, /dev, /etc, /home, /proc, /root, /run, /sys, /var/lib/imaginator are shown that way, nor what is in them.
    pub fn show_named_directories<T: AsRef<str>>(&mut self, words: impl IntoIterator<Item = T>) {
        let View::Host { writable } = &self.view else {
            return;
        };
        for word in words {
            let Some(path) = directory(word.as_ref()) else {
                continue;
            };
            let is_near = path.starts_with(writable) || writable.starts_with(&path);
            let is_seen = self.binds.iter().any(|bind| bind.target == path);
            if !is_near && !is_seen && !is_closed(&path) {
                self.binds.push(Bind {
                    source: path.clone(),
                    target: path,
                    writable: false,
                });
            }
        }
    }
}

/// The directory that a word names, without links on the way.
fn directory(word: &str) -> Option<PathBuf> {
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    let path = Path::new(word);
    if !path.is_absolute() || !path.components().all(is_plain) {
        return None;
    }
    let path = std::fs::canonicalize(path).ok()?;
    path.is_dir().then_some(path)
}

fn is_closed(path: &Path) -> bool {
    CLOSED.iter().any(|closed| {
        let closed = Path::new("/").join(closed);
        path.starts_with(&closed) || closed.starts_with(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_outside_of_those_with_secrets_are_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().canonicalize().unwrap().join(name);
        for name in ["prepared", "new"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        std::fs::write(path("file"), "").unwrap();
        let shown = |words: &[&Path]| {
            let words = words.iter().map(|path| path.to_str().unwrap());
            let mut spec = Spec::new(
                View::Host {
                    writable: path("new"),
                },
                ["cp"],
            );
            spec.show_named_directories(words.chain(["-aT", "http://example.com/etc"]));
            let binds: Vec<PathBuf> = spec.binds.into_iter().map(|bind| bind.source).collect();
            binds
        };
        assert_eq!(
            shown(&[&path("prepared"), &path("new"), &path("file")]),
            [path("prepared")]
        );
        assert_eq!(shown(&[&path("prepared"), &path("prepared")]), [path("prepared")]);
        let up = path("prepared").join("..");
        for closed in [
            "/",
            "/etc",
            "/etc/ssl",
            "/var",
            "/var/lib",
            "/proc/self",
            "/no-such",
        ] {
            assert!(shown(&[Path::new(closed), &up]).is_empty(), "{closed}");
        }
    }
}
