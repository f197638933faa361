//! System calls that the filter hands to the supervisor, which does for the command what a user namespace may not.
//!
//! Whatever is done is done *as the command would*, in its root and directory and with its identity, in a process of its own. What paths,
//! links and mounts are in the way leads to no other place than it leads the command to.

mod caller;
mod device_nodes;
mod sysfs;

pub(crate) use device_nodes::{STAND_IN, console};

use crate::syscalls;
use caller::Caller;
use std::io::{Error, Result};
use std::os::fd::BorrowedFd;

/// What a call is answered.
enum Answer {
    /// It was done.
    Done,
    /// The kernel is to do it, with the rights of the command.
    GoOn,
}

/// Serves the calls of one command.
#[derive(Debug)]
pub(crate) struct Server {
    /// Identity on the host of user 0 inside.
    pub(crate) first_identity: u32,
    /// Whether the command may mount the sysfs of its network namespace.
    pub(crate) has_own_network: bool,
    /// Whether device nodes can be opened where the command makes them.
    pub(crate) are_devices_open: bool,
    /// Whether a node was made that stands for the console's.
    pub(crate) has_stand_ins: bool,
}

impl Server {
    /// Answers one call.
    pub(crate) fn serve(&mut self, listener: BorrowedFd<'_>) {
        let Ok(call) = syscalls::receive_notification(listener) else {
            // Its process is gone.
            return;
        };
        let caller = Caller {
            listener,
            call: &call,
            first_identity: self.first_identity,
        };
        let answer = match i64::from(call.data.nr) {
            libc::SYS_mount => sysfs::mount(&caller, self.has_own_network),
            _ => {
                let made = device_nodes::make(&caller, self.are_devices_open, self.has_stand_ins);
                self.has_stand_ins |= made.as_ref().is_ok_and(|is_stand_in| *is_stand_in);
                made.map(|_| Answer::Done)
            }
        };
        // It may be gone by now as well.
        let _ = match answer {
            Ok(Answer::Done) => syscalls::answer_notification(listener, call.id, 0),
            Ok(Answer::GoOn) => syscalls::let_notification_go_on(listener, call.id),
            Err(error) => {
                let error = error.raw_os_error().unwrap_or(libc::EPERM);
                syscalls::answer_notification(listener, call.id, error)
            }
        };
    }
}

fn refused() -> Error {
    Error::from_raw_os_error(libc::EPERM)
}

/// What a process that does something for a command ended with.
fn result_of(code: Option<i32>) -> Result<()> {
    match code {
        Some(0) => Ok(()),
        Some(error) => Err(Error::from_raw_os_error(error)),
        None => Err(refused()),
    }
}
