//! Who is measured.

use super::scratch::Scratch;
use anyhow::{Context, ensure};
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Digits of a program's SHA-512 that stand in reports.
const FINGERPRINT_DIGITS: usize = 12;

/// An implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Side {
    /// As it stands in tables and file names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }
}

/// Whose client works with whose server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) client: Side,
    pub(crate) server: Side,
}

impl Pair {
    /// Both from one side.
    pub(crate) fn both(side: Side) -> Self {
        Self {
            client: side,
            server: side,
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.client == self.server {
            f.write_str(self.client.name())
        } else {
            write!(f, "{} on {}", self.client.name(), self.server.name())
        }
    }
}

/// The programs of a side, where the unprivileged user can run them.
pub(crate) struct Programs {
    pub(crate) side: Side,
    /// The image server and its tool, where the work needs them.
    pub(crate) server: Option<ServerPrograms>,
    /// The image builder and its tool, where there are such.
    pub(crate) builder: Option<BuilderPrograms>,
    /// The image repository, where there is one.
    pub(crate) imgapi: Option<PathBuf>,
    /// What the image server, or else the repository, says about itself, and a fingerprint.
    pub(crate) version: String,
}

/// The image server of a side.
pub(crate) struct ServerPrograms {
    pub(crate) imageserver: PathBuf,
    pub(crate) imagetool: PathBuf,
}

/// The image builder of a side.
pub(crate) struct BuilderPrograms {
    pub(crate) imaginator: PathBuf,
    pub(crate) builder_tool: PathBuf,
}

impl Programs {
    /// The image server and its tool.
    ///
    /// # Errors
    /// The work was said to need none.
    pub(crate) fn server(&self) -> anyhow::Result<&ServerPrograms> {
        self.server
            .as_ref()
            .context("this work needs an image server and does not say so")
    }

    /// Looks for them in `from`; for the image server only where the work needs one.
    pub(crate) fn find(
        side: Side,
        from: &Path,
        scratch: &Scratch,
        needs_server: bool,
    ) -> anyhow::Result<Self> {
        let to = scratch.path().join("programs").join(side.name());
        std::fs::create_dir_all(&to)?;
        let take = |name: &str| -> anyhow::Result<PathBuf> {
            let source = from.join(name);
            let option = match side {
                Side::Ours => "--programs",
                Side::Theirs => "--peer",
            };
            ensure!(
                source.is_file(),
                "{} is not there: {option} names a directory with imageserver and imagetool",
                source.display()
            );
            // The original may lie where the unprivileged user cannot go, and may be built anew meanwhile.
            let copy = to.join(name);
            if std::fs::hard_link(&source, &copy).is_err() {
                std::fs::copy(&source, &copy).with_context(|| format!("cannot copy {}", source.display()))?;
            }
            Ok(copy)
        };
        let server = if needs_server {
            Some(ServerPrograms {
                imageserver: take("imageserver")?,
                imagetool: take("imagetool")?,
            })
        } else {
            None
        };
        let has_builder = ["imaginator", "builder-tool"]
            .iter()
            .all(|name| from.join(name).is_file());
        let builder = if has_builder {
            Some(BuilderPrograms {
                imaginator: take("imaginator")?,
                builder_tool: take("builder-tool")?,
            })
        } else {
            None
        };
        let imgapi = from
            .join("imgapi")
            .is_file()
            .then(|| take("imgapi"))
            .transpose()?;
        let told = server
            .as_ref()
            .map(|server| &server.imageserver)
            .or(imgapi.as_ref());
        let version = told.map(|program| version(program, scratch)).transpose()?;
        Ok(Self {
            side,
            version: version.unwrap_or_else(|| "none of its programs is needed".to_owned()),
            server,
            builder,
            imgapi,
        })
    }
}

/// Lines of `-version` that say something, and the first digits of the program's SHA-512.
fn version(program: &Path, scratch: &Scratch) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.arg("-version").env("HOME", scratch.path());
    if let Some((user, group)) = scratch.owner() {
        command.uid(user).gid(group);
    }
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    // Some tell it on standard output, some on standard error.
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let told = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.ends_with("unknown"));
    let mut words: Vec<String> = told
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let mut fingerprint = hash::of(&std::fs::read(program)?).to_string();
    fingerprint.truncate(FINGERPRINT_DIGITS);
    words.push(format!("SHA-512 {fingerprint}…"));
    Ok(words.join(", "))
}
