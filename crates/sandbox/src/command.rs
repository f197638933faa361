//! Starting a command in its sandbox, and ending it.

use crate::message::{self, Answer};
use crate::output::{self, Line};
use crate::{Outcome, SandboxError, Spec, child};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;

/// How commands are started.
#[derive(Debug, Clone)]
pub struct Command {
    program: PathBuf,
}

impl Default for Command {
    fn default() -> Self {
        Self::new()
    }
}

impl Command {
    /// By this very program, which must call [`run_if_child`](crate::run_if_child).
    pub fn new() -> Self {
        // Also right when the program's file was replaced by an upgrade meanwhile.
        Self::by("/proc/self/exe")
    }

    /// By another program that calls it.
    pub fn by(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Starts it. Its output must be read, or it will wait.
    pub fn start(&self, spec: &Spec) -> Result<Running, SandboxError> {
        self.start_with(spec, false)
    }

    /// The same with standard error by itself, for commands whose output is data. Both must be read, at the same time.
    pub fn start_with_errors_apart(&self, spec: &Spec) -> Result<Running, SandboxError> {
        self.start_with(spec, true)
    }

    fn start_with(&self, spec: &Spec, are_errors_apart: bool) -> Result<Running, SandboxError> {
        spec.check()?;
        if !rustix::process::geteuid().is_root() {
            return Err(SandboxError::NotRoot);
        }
        let failed = |source| SandboxError::Start { source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let (output, write_end) = std::io::pipe().map_err(failed)?;
        let (errors, errors_end) = if are_errors_apart {
            let (errors, end) = std::io::pipe().map_err(failed)?;
            (Some(errors), end)
        } else {
            (None, write_end.try_clone().map_err(failed)?)
        };
        let mut command = std::process::Command::new(&self.program);
        command
            .arg0(child::NAME)
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(write_end)
            .stderr(errors_end);
        let process = command.spawn().map_err(failed)?;
        // It holds the other ends of socket and pipe; as long as it lives they would never be closed.
        drop(command);
        let running = Running {
            process,
            control: Arc::new(ours),
            output: Some(output),
            errors,
        };
        message::send(&*running.control, spec).map_err(failed)?;
        Ok(running)
    }

    /// Runs it to its end; every line of its output goes to `line`.
    pub fn run(&self, spec: &Spec, line: impl FnMut(Line<'_>)) -> Result<Outcome, SandboxError> {
        let mut running = self.start(spec)?;
        running.read_output(line);
        running.wait()
    }
}

/// A command that was started. Dropping it ends the command and everything it started.
#[derive(Debug)]
pub struct Running {
    process: Child,
    control: Arc<UnixStream>,
    output: Option<std::io::PipeReader>,
    errors: Option<std::io::PipeReader>,
}

/// Ends a command from elsewhere.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<UnixStream>);

impl Canceller {
    /// Kills the command and everything it started. No harm if it has ended.
    pub fn cancel(&self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

impl Running {
    /// The number of the supervising process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// What ends it from elsewhere.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.control.clone())
    }

    /// Reads standard output and error, as they come, until nobody can write any more. Blocks.
    pub fn read_output(&mut self, line: impl FnMut(Line<'_>)) {
        if let Some(pipe) = self.output.take() {
            output::read(pipe, line);
        }
    }

    /// Standard output, and error unless that is apart, for a caller that reads by itself. Once.
    pub fn take_output(&mut self) -> Option<std::io::PipeReader> {
        self.output.take()
    }

    /// Standard error, if it is apart. Once.
    pub fn take_errors(&mut self) -> Option<std::io::PipeReader> {
        self.errors.take()
    }

    /// Waits for its end. Blocks.
    pub fn wait(mut self) -> Result<Outcome, SandboxError> {
        // Nobody reads any more: who writes gets an error instead of waiting.
        self.output = None;
        self.errors = None;
        let answer = message::receive(&*self.control);
        let ended = self.process.wait();
        match answer {
            Ok(Answer::Outcome(outcome)) => Ok(outcome),
            Ok(Answer::Failed(why)) => Err(SandboxError::SetUp(why)),
            Err(error) => {
                tracing::warn!("a sandbox ended without an answer: {error}; {ended:?}");
                Err(SandboxError::NoAnswer)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.control.shutdown(Shutdown::Both);
        // The supervisor ends when the socket does; it has what remains of the command killed before.
        let _ = self.process.wait();
    }
}
