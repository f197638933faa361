//! A network of its own, joined to the outside by `pasta`.
//!
//! The program opens its connections in the host's network and hands what it gets to an interface in the command's. It runs with
//! the command's identity, which has no rights on the host, and in a process namespace of its own: with the supervisor, however
//! that dies, it ends.

use super::keeper::{self, Word};
use super::supervisor::THEIR_SCORE;
use super::{During, Step};
use crate::{resolver, syscalls};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::MemfdFlags;
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::thread::LinkNameSpaceType;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the program may be.
const DIRECTORIES: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];
/// Name of the program.
const PROGRAM: &str = "pasta";
/// No port of one side is seen on the other, and the gateway's address is not the host: its loopback is out of reach.
const OPTIONS: [&str; 14] = [
    "--foreground",
    "--quiet",
    "--config-net",
    "--no-map-gw",
    "--tcp-ports",
    "none",
    "--udp-ports",
    "none",
    "--tcp-ns",
    "none",
    "--udp-ns",
    "none",
    // When everything is joined, it says so here: its standard output.
    "--pid",
    "/proc/self/fd/1",
];
/// Most of what it says about a failure, bytes.
const MOST_COMPLAINT_BYTES: u64 = 4096;

/// Ends when dropped.
pub(super) struct Outside {
    first: Pid,
    channel: Option<OwnedFd>,
}

impl Outside {
    /// Joins a network namespace, which belongs to a user namespace, to the outside.
    pub(super) fn join(user: &OwnedFd, network: OwnedFd) -> Step<Self> {
        let program = find().ok_or_else(|| {
            format!("a network of its own is joined to the outside by the program {PROGRAM}, which is not here: install the package passt, or choose the host's network or none")
        })?;
        let (ours, theirs) = keeper::channel().during("a channel to the network program")?;
        let Some(first) = syscalls::fork_as_first().during("a process for the network program")? else {
            drop(ours);
            // The program has the identity of the keeper, and must not reach it by its process group.
            let joined = rustix::process::setsid().during("a session of its own");
            let word = match joined.and_then(|_| run(&program, user, network, theirs.as_fd())) {
                Ok(()) => syscalls::exit_now(0),
                Err(why) => Word::Failed(format!("{}: {why}", program.display())),
            };
            let _ = keeper::send(theirs.as_fd(), &word, None);
            syscalls::exit_now(1);
        };
        drop(theirs);
        let joined = Self {
            first,
            channel: Some(ours),
        };
        match joined
            .channel
            .as_ref()
            .map(|channel| keeper::receive(channel.as_fd()))
        {
            Some(Ok(Some(Word::Go))) => Ok(joined),
            Some(Ok(Some(Word::Failed(why)))) => Err(why),
            _ => Err(format!("{} ended before it had begun", program.display())),
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        drop(self.channel.take());
        // With the first process all others of its namespace end. Not left to it: it may have been stopped.
        let _ = rustix::process::kill_process(self.first, Signal::KILL);
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitpid(Some(self.first), WaitOptions::empty())
        {}
    }
}

fn find() -> Option<PathBuf> {
    let paths = DIRECTORIES
        .iter()
        .map(|directory| PathBuf::from(directory).join(PROGRAM));
    paths.into_iter().find(|path| path.is_file())
}

/// As the first process: starts the program, says when it is ready, waits for the supervisor's end or its own.
fn run(program: &PathBuf, user: &OwnedFd, network: OwnedFd, channel: BorrowedFd<'_>) -> Step<()> {
    std::fs::write("/proc/self/oom_score_adj", THEIR_SCORE).during("oom_score_adj")?;
    syscalls::drop_groups().during("leaving groups")?;
    rustix::thread::move_into_link_name_space(user.as_fd(), Some(LinkNameSpaceType::User))
        .during("the user namespace")?;
    syscalls::become_user(0, 0).during("becoming nobody")?;
    // Made by who opens them again, by their names below /proc.
    let (mut ready, ready_end) = std::io::pipe().during("a pipe")?;
    let complaints = rustix::fs::memfd_create("complaints", MemfdFlags::CLOEXEC).during("memory")?;
    let mut complaints = std::fs::File::from(complaints);
    let mut command = Command::new(program);
    command.args(OPTIONS);
    if resolver::is_forwarder_needed() {
        command.args(["--dns-forward", resolver::FORWARDER]);
    }
    // It closes all descriptors but the first three.
    command.args(["--netns", "/proc/self/fd/0"]);
    command
        .env_clear()
        .current_dir("/")
        .stdin(network)
        .stdout(ready_end);
    command.stderr(Stdio::from(complaints.try_clone().during("memory")?));
    let mut process = command.spawn().during("starting it")?;
    drop(command);
    let mut byte = [0];
    if ready.read(&mut byte).during("waiting for it")? == 0 {
        let _ = process.wait();
        let mut text = String::new();
        complaints.rewind().during("its complaint")?;
        complaints
            .take(MOST_COMPLAINT_BYTES)
            .read_to_string(&mut text)
            .during("its complaint")?;
        return Err(text.trim().replace('\n', "; "));
    }
    keeper::send(channel, &Word::Go, None).during("telling the supervisor")?;
    let process = Pid::from_child(&process);
    let process =
        rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).during("watching it")?;
    let mut polled = [
        PollFd::new(&channel, PollFlags::IN),
        PollFd::new(&process, PollFlags::IN),
    ];
    while let Err(rustix::io::Errno::INTR) = rustix::event::poll(&mut polled, None) {}
    Ok(())
}
