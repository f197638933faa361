//! The keeper: first in the user namespace, it starts the command as process 1 and hands on how it ended.

use super::{During, Step, enter};
use crate::message::Outcome;
use crate::spec::{Network, Spec};
use crate::syscalls;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::{Signal, WaitOptions};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Longest message, bytes: an error is the longest.
const MOST_BYTES: usize = 16 << 10;

/// What supervisor and keeper, or the command before it runs, tell each other.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// The user namespace is there, and has no identities yet.
    HasNamespace,
    /// Everything is mounted.
    Go,
    /// The filter is in effect; its descriptor comes with this.
    Filter,
    Failed(String),
    Ended(Outcome),
}

/// Both ends of a channel of whole messages.
pub(super) fn channel() -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

pub(super) fn send(
    channel: BorrowedFd<'_>,
    word: &Word,
    descriptor: Option<BorrowedFd<'_>>,
) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(word)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut with = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
    if !descriptors.is_empty() {
        with.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    rustix::net::sendmsg(channel, &[IoSlice::new(&bytes)], &mut with, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// `None` when the other end is closed.
pub(super) fn receive(channel: BorrowedFd<'_>) -> std::io::Result<Option<Word>> {
    Ok(receive_with_descriptor(channel)?.0)
}

pub(super) fn receive_with_descriptor(
    channel: BorrowedFd<'_>,
) -> std::io::Result<(Option<Word>, Option<OwnedFd>)> {
    let mut bytes = vec![0; MOST_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        channel,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut with,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut descriptor = None;
    for message in with.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
            descriptor = descriptors.next();
        }
    }
    if received.bytes == 0 {
        return Ok((None, None));
    }
    Ok((
        Some(serde_json::from_slice(&bytes[..received.bytes])?),
        descriptor,
    ))
}

/// The keeper's life. Errors go to the supervisor.
pub(super) fn run(spec: &Spec, channel: &OwnedFd) -> ! {
    let word = match start_and_wait(spec, channel.as_fd()) {
        Ok(outcome) => Word::Ended(outcome),
        Err(why) => Word::Failed(why),
    };
    // If the supervisor is gone there is nobody to tell.
    let _ = send(channel.as_fd(), &word, None);
    syscalls::exit_now(0)
}

fn start_and_wait(spec: &Spec, channel: BorrowedFd<'_>) -> Step<Outcome> {
    syscalls::unshare(UnshareFlags::NEWUSER)
        .during("a user namespace of its own (are they switched off on this machine?)")?;
    send(channel, &Word::HasNamespace, None).during("telling the supervisor")?;
    match receive(channel).during("waiting for the supervisor")? {
        Some(Word::Go) => {}
        _ => return Err("the supervisor is gone".to_owned()),
    }
    syscalls::drop_groups().during("leaving groups")?;
    syscalls::become_user(0, 0).during("becoming user 0 inside")?;
    die_with_parent()?;
    let mut namespaces = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    if spec.network == Network::None {
        namespaces |= UnshareFlags::NEWNET;
    }
    syscalls::unshare(namespaces).during("namespaces of its own")?;
    let Some(command) = syscalls::fork().during("the command's process")? else {
        let why = match die_with_parent() {
            Ok(()) => match enter::exec(spec, channel) {
                Ok(never) => match never {},
                Err(why) => why,
            },
            Err(why) => why,
        };
        let _ = send(channel, &Word::Failed(why), None);
        syscalls::exit_now(1);
    };
    loop {
        match rustix::process::waitpid(Some(command), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return Ok(match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Outcome::Exited(code),
                    (None, signal) => Outcome::Killed(signal.unwrap_or(libc::SIGKILL)),
                });
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("waiting for the command: {error}")),
        }
    }
}

/// The parent of both has one thread, so its death is that of the process.
fn die_with_parent() -> Step<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).during("ending with its parent")
}
