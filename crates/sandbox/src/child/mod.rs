//! What happens in the child process, step by step, until the command runs and after it ended.
//!
//! ```text
//! supervisor   the host's root, in mounts of its own: maps identities, mounts the trees, serves device nodes, watches the clock
//!   ├ keeper   in the user namespace: waits for the command, hands on how it ended
//!   │   └ the command, process 1 of its own: set up by `enter`
//!   └ process 1 of another, with the program that joins the command's network to the outside (`outside`)
//! ```
//!
//! The supervisor ends when its parent closes the socket or dies. The keeper kills the command when the supervisor closes the
//! channel or dies. The command is process 1 of its namespace: with it the kernel ends everything it started.

mod disk;
mod enter;
mod host_view;
mod keeper;
mod mounts;
mod outside;
mod stand_ins;
mod supervisor;
mod trusted_way;
mod walk;

use crate::message::{self, Answer};
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// How the child is called; nobody's real name.
pub(crate) const NAME: &str = "imagewright-sandbox";

/// Set-up errors travel as text: they end in a message to a person.
pub(crate) type Step<T> = Result<T, String>;

/// Says which step it was.
pub(crate) trait During<T> {
    fn during(self, what: impl std::fmt::Display) -> Step<T>;
}

impl<T, E: std::fmt::Display> During<T> for Result<T, E> {
    fn during(self, what: impl std::fmt::Display) -> Step<T> {
        self.map_err(|error| format!("{what}: {error}"))
    }
}

/// Does the child's part if this process was started for it; else nothing. To be called first of all in `main`,
/// before any thread is started; with an exit code, `main` has to end at once.
#[must_use = "a process that was the child must not go on as the program"]
pub fn run_if_child() -> Option<ExitCode> {
    if std::env::args_os().next()? != NAME {
        return None;
    }
    Some(match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    })
}

fn run() -> std::io::Result<()> {
    let control = UnixStream::from(take_standard_input()?);
    let spec = message::receive(&control)?;
    let answer = match supervisor::supervise(&spec, &control) {
        Ok(outcome) => Answer::Outcome(outcome),
        Err(error) => Answer::Failed(error),
    };
    message::send(&control, &answer)
}

/// The socket to the parent; in its place comes nothing to read.
fn take_standard_input() -> std::io::Result<OwnedFd> {
    let control = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(control)
}
