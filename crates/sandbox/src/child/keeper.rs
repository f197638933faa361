//! The keeper: first in the user namespace, it starts the command as process 1 and hands on how it ended.

use super::{During, Step, enter};
use crate::message::Outcome;
use crate::spec::{Network, Spec};
use crate::syscalls;
use rustix::event::{PollFd, PollFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};
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
    /// Everything is mounted, or joined.
    Go,
    /// The network namespace is there, and joined to nothing yet.
    HasNetwork,
    /// The command's process is there; a descriptor of it comes with this.
    Started,
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
    wait_for_go(channel)?;
    let mut namespaces = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    if spec.network.is_own() {
        namespaces |= UnshareFlags::NEWNET;
    }
    syscalls::unshare(namespaces).during("namespaces of its own")?;
    if spec.network == Network::Outside {
        send(channel, &Word::HasNetwork, None).during("telling the supervisor")?;
        wait_for_go(channel)?;
    }
    // Still as the host's root, who may pass directories that are closed to others.
    let root = enter::open_root(spec)?;
    syscalls::drop_groups().during("leaving groups")?;
    syscalls::become_user(0, 0).during("becoming user 0 inside")?;
    let Some(command) = syscalls::fork().during("the command's process")? else {
        let Err(why) = enter::exec(spec, &root, channel);
        let _ = send(channel, &Word::Failed(why), None);
        syscalls::exit_now(1);
    };
    let process =
        rustix::process::pidfd_open(command, PidfdFlags::empty()).during("the command's process")?;
    let told = send(channel, &Word::Started, Some(process.as_fd()));
    // The supervisor says nothing more. When it closes the channel, or dies, that is the end of the command. (A signal at the
    // parent's death would not do: the command can switch that off.)
    let mut polled = [
        PollFd::new(&channel, PollFlags::IN),
        PollFd::new(&process, PollFlags::IN),
    ];
    while told.is_ok() && polled.iter().all(|one| one.revents().is_empty()) {
        match rustix::event::poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("waiting for the command: {error}")),
        }
    }
    if !polled[0].revents().is_empty() || told.is_err() {
        let _ = rustix::process::pidfd_send_signal(&process, Signal::KILL);
    }
    ended(command)
}

fn wait_for_go(channel: BorrowedFd<'_>) -> Step<()> {
    match receive(channel).during("waiting for the supervisor")? {
        Some(Word::Go) => Ok(()),
        _ => Err("the supervisor is gone".to_owned()),
    }
}

fn ended(command: Pid) -> Step<Outcome> {
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
