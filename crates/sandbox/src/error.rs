//! What can go wrong before, while and after a command runs.

use std::path::PathBuf;

/// Errors of a sandbox, not of the command in it: those are an [`Outcome`](crate::Outcome).
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A path of the specification that must be absolute and without `..`.
    #[error("{what} {path}: give an absolute path without . or ..")]
    Path {
        /// Which one.
        what: &'static str,
        /// As given.
        path: PathBuf,
    },
    /// Another value of the specification.
    #[error("{0}")]
    Spec(String),
    /// Ordinary users cannot: no kernel maps the owners of files on a disk for them, or lets them make device nodes.
    #[error(
        "commands in a tree of their own take root: ordinary users may neither map the owners of its files nor make device nodes; run this as root, or ask a daemon to build"
    )]
    NotRoot,
    /// The child could not be started.
    #[error("cannot start the sandbox: {source}")]
    Start {
        /// Why.
        source: std::io::Error,
    },
    /// A step of setting up failed; nothing was run.
    #[error("cannot set up the sandbox: {0}")]
    SetUp(String),
    /// The child ended without saying what became of the command: it was killed, or the machine lacks memory.
    #[error("the sandbox ended without an answer; was it killed for lack of memory?")]
    NoAnswer,
    /// Control groups exist, and do not take the limits.
    #[error("control group {path}: {source}")]
    Group {
        /// File or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
