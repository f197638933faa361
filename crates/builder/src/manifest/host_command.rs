//! A program of the host, not in a sandbox: watched, ended with all it started when time is over or the build is cancelled.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::bounds::DiskBound;
use crate::Watcher;
use crate::step_error::StepError;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 16 << 10;

/// What ends a program before its own end.
pub(super) struct Ends<'a> {
    pub(super) until: Instant,
    pub(super) watcher: &'a dyn Watcher,
    pub(super) disk: DiskBound,
}

/// Runs it to its end; `name` is for errors. What it prints is given to `output` and `errors`, as it comes.
pub(super) fn run(
    name: &str,
    mut command: Command,
    ends: Ends<'_>,
    mut output: impl FnMut(&[u8]),
    mut errors: impl FnMut(&[u8]),
) -> Result<ExitStatus, StepError> {
    let Ends {
        until,
        watcher,
        mut disk,
    } = ends;
    let failed = |error: std::io::Error| StepError::wrong(format!("{name}: {}", tree_io::os_text(&error)));
    let too_much = |reason: String| StepError::wrong(format!("{name}: {reason}"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // With what it starts it is a group, to be ended as one.
        .process_group(0);
    // SAFETY: between fork and exec only one system call is made, which allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            // However this process ends, it leaves none behind.
            Ok(rustix::process::set_parent_process_death_signal(Some(
                Signal::KILL,
            ))?)
        });
    }
    let (wake, waker) = UnixStream::pair().map_err(failed)?;
    let mut running = Group {
        child: command.spawn().map_err(failed)?,
        is_waited_for: false,
    };
    // Ours as well: a watcher may drop what it was given.
    let waker = Arc::new(waker);
    let cancels = Arc::clone(&waker);
    let _withdrawn_at_the_end = watcher.on_cancel(Box::new(move || {
        let _ = cancels.shutdown(std::net::Shutdown::Both);
    }));
    let process = rustix::process::pidfd_open(running.pid(), PidfdFlags::empty())
        .map_err(|error| failed(error.into()))?;
    let (mut out, mut err) = (running.child.stdout.take(), running.child.stderr.take());
    loop {
        let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        else {
            return Err(StepError::wrong(format!("{name}: took too long, killed")));
        };
        let now = Instant::now();
        if now >= disk.next()
            && let Some(reason) = disk.look()
        {
            return Err(too_much(reason));
        }
        let left = left.min(disk.next().saturating_duration_since(now));
        let [has_ended, is_cancelled, has_output, has_errors] = wait(
            &[
                Some(process.as_fd()),
                Some(wake.as_fd()),
                out.as_ref().map(AsFd::as_fd),
                err.as_ref().map(AsFd::as_fd),
            ],
            left,
        )
        .map_err(failed)?;
        if is_cancelled {
            return Err(StepError::Cancelled);
        }
        if has_output {
            read_some(&mut out, &mut output);
        }
        if has_errors {
            read_some(&mut err, &mut errors);
        }
        if has_ended {
            // What it left running could write for ever.
            running.kill();
            if !has_output && !has_errors {
                let status = running.wait().map_err(failed)?;
                return match disk.look() {
                    Some(reason) => Err(too_much(reason)),
                    None => Ok(status),
                };
            }
        }
    }
}

/// Which of the descriptors are ready.
fn wait(
    descriptors: &[Option<std::os::fd::BorrowedFd<'_>>; 4],
    most: Duration,
) -> std::io::Result<[bool; 4]> {
    let mut polled: Vec<PollFd<'_>> = Vec::new();
    let mut places = Vec::new();
    for (place, descriptor) in descriptors.iter().enumerate() {
        if let Some(descriptor) = descriptor {
            polled.push(PollFd::from_borrowed_fd(*descriptor, PollFlags::IN));
            places.push(place);
        }
    }
    let timeout = Timespec::try_from(most).ok();
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready = [false; 4];
    for (poll, place) in polled.iter().zip(places) {
        ready[place] = !poll.revents().is_empty();
    }
    Ok(ready)
}

/// Reads what is there; at its end the pipe goes.
fn read_some(pipe: &mut Option<impl Read>, to: &mut impl FnMut(&[u8])) {
    let mut chunk = [0; CHUNK_BYTES];
    match pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
        Some(Ok(length)) if length > 0 => to(&chunk[..length]),
        _ => *pipe = None,
    }
}

/// A child and all it started. Dropping it ends them.
struct Group {
    child: Child,
    is_waited_for: bool,
}

impl Group {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// To be called before the child was waited for: until then its number is nobody else's.
    fn kill(&self) {
        let _ = rustix::process::kill_process_group(self.pid(), Signal::KILL);
    }

    fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.is_waited_for = true;
        Ok(status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_waited_for {
            self.kill();
            let _ = self.wait();
        }
    }
}

/// `exit status 128`, as in the original.
pub(super) fn exit_text(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
