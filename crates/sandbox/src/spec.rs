//! What to run in which tree, and what it may see and use.

use crate::SandboxError;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// Users and groups inside: 0 to 65535, as a Debian system has them. A file of any other owner cannot be made.
pub(crate) const IDENTITIES: u32 = 1 << 16;
/// First identity on the host of the first slot: above what container managers and directories of people give out.
const FIRST_IDENTITY: u32 = 0x7100_0000;
/// Sandboxes that differ in their identities, so that none may signal or trace another even if everything else failed.
const SLOTS: u32 = 256;

/// A command and everything around it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// What the command sees as `/`.
    pub view: View,
    /// Program with its path inside, and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Where it starts, inside.
    pub directory: PathBuf,
    /// What it reads from its standard input.
    pub input: Vec<u8>,
    /// Directories of the host to be seen inside.
    pub binds: Vec<Bind>,
    /// Which network there is.
    pub network: Network,
    /// The name of the machine, inside.
    pub host_name: String,
    /// What it may use.
    pub limits: Limits,
    /// Programs of another architecture of the same processor (i386 on amd64) may run, without the filter of system calls.
    pub foreign_programs: bool,
    /// Which of the ranges of identities; see [`Spec::first_identity`].
    pub slot: u32,
    /// The name of the control group; the same for the commands of one build that do not run at the same time. Those that do are called
    /// `SHARED/OWN`: the limits then hold for each, and for all with the same first part together.
    pub group: String,
}

/// What the command sees as `/`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum View {
    /// A tree of its own, which it may change. Device nodes in it cannot be opened; `/dev` has the usual ones.
    Tree {
        /// On the host.
        root: PathBuf,
    },
    /// The host, read-only and with no rights on it, so that secrets stay unread; `/run`, `/tmp` and other places where
    /// daemons are found are empty. For commands that make a tree with the programs of the host.
    Host {
        /// The directory it may change, at the same path inside.
        writable: PathBuf,
    },
}

/// A directory of the host, at a place inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bind {
    /// On the host. If it is writable, no part of the path may be a symbolic link, which could be the work of an earlier command. A
    /// directory that the caller has open is `/proc/PROCESS/fd/NUMBER`, with the caller's process and the descriptor's number.
    pub source: PathBuf,
    /// Inside; made if it is not there.
    pub target: PathBuf,
    /// Whether it may be changed; owners are as in the tree.
    pub writable: bool,
}

/// Which network there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// A loopback interface and nothing else.
    None,
    /// A network of its own, joined to the outside by the program `pasta` (Debian package `passt`): what the host reaches is
    /// reached, the host's loopback and abstract sockets are not.
    Outside,
    /// The host's: the command reaches what the host reaches, its loopback and abstract sockets included.
    Host,
}

/// What a command may use. `None`: as much as there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From start to end; then everything is killed.
    pub time: Option<Duration>,
    /// Memory of all its processes together, bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads at a time.
    pub processes: Option<u64>,
    /// Size of any one file, bytes.
    pub file_bytes: Option<u64>,
    /// What the tree, or the writable directory, may take on the disk, with files that are deleted and still open, bytes. See
    /// docs/sandbox.md for how exactly this holds.
    pub disk_bytes: Option<u64>,
}

impl Network {
    /// Whether the command has a network namespace of its own.
    pub(crate) fn is_own(self) -> bool {
        self != Self::Host
    }
}

impl Spec {
    /// A command with an environment of nothing, in `/`, without network and limits.
    pub fn new(view: View, argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            view,
            argv: argv.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            directory: PathBuf::from("/"),
            input: Vec::new(),
            binds: Vec::new(),
            network: Network::None,
            host_name: "sandbox".to_owned(),
            limits: Limits::default(),
            foreign_programs: false,
            slot: 0,
            group: "sandbox".to_owned(),
        }
    }

    /// The identity on the host of user and group 0 inside.
    pub fn first_identity(&self) -> u32 {
        FIRST_IDENTITY + (self.slot % SLOTS) * IDENTITIES
    }

    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let what_is_seen = match &self.view {
            View::Tree { root } => ("the tree", root),
            View::Host { writable } => ("the writable directory", writable),
        };
        let mut paths = vec![what_is_seen, ("the directory to start in", &self.directory)];
        for bind in &self.binds {
            paths.push(("a directory to be seen inside", &bind.source));
            paths.push(("the place of a directory to be seen inside", &bind.target));
        }
        for (what, path) in paths {
            check_path(what, path)?;
        }
        let strings = self
            .argv
            .iter()
            .chain(self.environment.iter().flat_map(|(name, value)| [name, value]));
        if self.argv.is_empty() || strings.into_iter().any(|text| text.contains('\0')) {
            return Err(SandboxError::Spec(
                "a command needs a program, and no argument or variable may have a zero byte".to_owned(),
            ));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain);
        if !self.group.split('/').all(is_name) || self.group.split('/').count() > 2 {
            return Err(SandboxError::Spec(format!(
                "{:?} cannot name a control group: letters, digits, -, _ and . only, and one / at most",
                self.group
            )));
        }
        Ok(())
    }
}

fn check_path(what: &'static str, path: &Path) -> Result<(), SandboxError> {
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if path.is_absolute() && path.components().all(is_plain) {
        Ok(())
    } else {
        Err(SandboxError::Path {
            what,
            path: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        let root = PathBuf::from("/tree");
        Spec::new(View::Tree { root }, ["/bin/true"])
    }

    #[test]
    fn what_would_lead_out_of_the_tree_is_refused() {
        spec().check().unwrap();
        let mut bad = spec();
        bad.directory = PathBuf::from("/a/../../etc");
        assert!(bad.check().unwrap_err().to_string().contains("absolute path"));
        let mut bad = spec();
        bad.view = View::Tree {
            root: PathBuf::from("tree"),
        };
        assert!(bad.check().is_err());
        let mut bad = spec();
        for group in ["../other", "a/../b", "/a", "a/", "", "a/b/c"] {
            bad.group = group.to_owned();
            assert!(bad.check().is_err(), "{group}");
        }
        bad.group = "build-1/test1".to_owned();
        bad.check().unwrap();
        let mut bad = spec();
        bad.argv = vec!["/bin/a\0b".to_owned()];
        assert!(bad.check().is_err());
    }

    #[test]
    fn slots_share_no_identity_and_stay_below_the_end() {
        let first = |slot| Spec { slot, ..spec() }.first_identity();
        assert_eq!(first(1) - first(0), IDENTITIES);
        assert_eq!(first(0), first(SLOTS));
        assert!(first(SLOTS - 1).checked_add(IDENTITIES).is_some());
    }
}
