//! The part with rights: it prepares, lets go, and watches.

use super::disk::{self, Disk};
use super::outside::Outside;
use super::{During, Step, keeper, mounts, stand_ins};
use crate::cgroup::{Group, Hierarchies};
use crate::made::Made;
use crate::message::Outcome;
use crate::spec::{IDENTITIES, Network, Spec, View};
use crate::{served, syscalls};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::mount::MountPropagationFlags;
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::thread::UnshareFlags;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// What is added to the score of a supervisor, by which the kernel chooses whom to kill for memory (-1000 to 1000).
const OUR_SCORE: i32 = -900;
/// And of a command, the first to be chosen.
pub(super) const THEIR_SCORE: &str = "1000";

/// Runs the command of a specification to its end.
pub(super) fn supervise(spec: &Spec, control: &UnixStream) -> Step<Outcome> {
    // Out of the terminal's and the parent's reach: only the socket ends it.
    rustix::process::setsid().during("a session of its own")?;
    protect_from_lack_of_memory();
    let group = Group::make(&Hierarchies::of_this_machine(), &spec.group, &spec.limits)
        .map_err(|error| error.to_string())?;
    syscalls::unshare(UnshareFlags::NEWNS).during("mounts of its own")?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private).during("making mounts private")?;
    let (ours, theirs) = keeper::channel().during("a channel to the command")?;
    let Some(keeper) = syscalls::fork().during("a process for the command")? else {
        drop(ours);
        keeper::run(spec, &theirs);
    };
    drop(theirs);
    let mut watched = Watched {
        keeper,
        channel: ours,
        command: None,
        outside: None,
        disk: None,
        server: served::Server {
            first_identity: spec.first_identity(),
            has_own_network: spec.network.is_own(),
            are_devices_open: matches!(spec.view, View::Host { .. }),
            has_stand_ins: false,
        },
    };
    // Before it is covered.
    let top = disk::open(mounts::new_root(spec));
    let (outcome, made) = match watched.prepare(spec, &group, top) {
        Ok(made) => {
            let deadline = spec.limits.time.map(|time| (Instant::now() + time, time));
            (watched.watch(control, deadline), Some(made))
        }
        Err(why) => (Err(why), None),
    };
    let has_stand_ins = watched.server.has_stand_ins;
    let top = watched.end();
    // Nothing is mounted on it any more.
    drop(made);
    if let (true, Some(top)) = (has_stand_ins, top) {
        stand_ins::replace(&top)?;
    }
    Ok(match outcome? {
        Outcome::Exited(0) => Outcome::Exited(0),
        Outcome::Exited(_) | Outcome::Killed(_) if group.ran_out_of_memory() => Outcome::OutOfMemory,
        other => other,
    })
}

/// Where memory lacks, commands go first, and what ends and cleans up after them last. Where that is not permitted, it is left as it is.
fn protect_from_lack_of_memory() {
    const FILE: &str = "/proc/self/oom_score_adj";
    let now = std::fs::read_to_string(FILE).unwrap_or_default();
    if now.trim().parse().is_ok_and(|now: i32| now > OUR_SCORE) {
        let _ = std::fs::write(FILE, OUR_SCORE.to_string());
    }
}

struct Watched {
    keeper: Pid,
    channel: OwnedFd,
    /// Process 1 of the command, once it is started.
    command: Option<OwnedFd>,
    /// What joins its network to the outside.
    outside: Option<Outside>,
    disk: Option<Disk>,
    server: served::Server,
}

impl Watched {
    /// Everything that takes rights on the host, while the keeper waits.
    fn prepare(&mut self, spec: &Spec, group: &Group, top: Option<OwnedFd>) -> Step<Made> {
        match self.next_word()? {
            keeper::Word::HasNamespace => {}
            other => return Err(format!("the command's process said {other:?}")),
        }
        let process = self.keeper.as_raw_nonzero();
        let map = format!("0 {} {IDENTITIES}\n", self.server.first_identity);
        for file in ["uid_map", "gid_map"] {
            std::fs::write(format!("/proc/{process}/{file}"), &map).during(file)?;
        }
        // Written with our rights: the command cannot lower it.
        std::fs::write(format!("/proc/{process}/oom_score_adj"), THEIR_SCORE).during("oom_score_adj")?;
        let namespace = self.namespace("user")?;
        self.disk = top.and_then(|top| Disk::new(top, &namespace, spec.limits.disk_bytes));
        let made = mounts::make(spec, namespace.as_fd())?;
        group.take(self.keeper).map_err(|error| error.to_string())?;
        self.let_go()?;
        if spec.network == Network::Outside {
            match self.next_word()? {
                keeper::Word::HasNetwork => {}
                other => return Err(format!("the command's process said {other:?}")),
            }
            self.outside = Some(Outside::join(&namespace, self.namespace("net")?)?);
            self.let_go()?;
        }
        Ok(made)
    }

    fn next_word(&self) -> Step<keeper::Word> {
        match keeper::receive(self.channel.as_fd()) {
            Ok(Some(keeper::Word::Failed(why))) => Err(why),
            Ok(Some(word)) => Ok(word),
            other => Err(format!(
                "the command's process is gone before it began: {other:?}"
            )),
        }
    }

    fn let_go(&self) -> Step<()> {
        keeper::send(self.channel.as_fd(), &keeper::Word::Go, None).during("letting the command go")
    }

    /// A namespace of the keeper's.
    fn namespace(&self, kind: &str) -> Step<OwnedFd> {
        let path = format!("/proc/{}/ns/{kind}", self.keeper.as_raw_nonzero());
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).during(kind)
    }

    fn watch(&mut self, control: &UnixStream, deadline: Option<(Instant, Duration)>) -> Step<Outcome> {
        let mut listener: Option<OwnedFd> = None;
        loop {
            let mut polled = vec![
                PollFd::new(&self.channel, PollFlags::IN),
                PollFd::new(control, PollFlags::IN),
            ];
            if let Some(listener) = &listener {
                polled.push(PollFd::new(listener, PollFlags::IN));
            }
            // Both looked at each time: a command that keeps us busy does not live longer for it.
            let left = deadline.map(|(at, time)| (at.saturating_duration_since(Instant::now()), time));
            if let Some((Duration::ZERO, time)) = left {
                return Ok(Outcome::TimedOut(time));
            }
            if self.disk.as_mut().is_some_and(Disk::is_over) {
                return Ok(Outcome::OutOfDisk);
            }
            let look = self
                .disk
                .as_ref()
                .map(|disk| disk.next().saturating_duration_since(Instant::now()));
            let wait = left.map(|(left, _)| left).into_iter().chain(look).min();
            let timeout = wait.and_then(|wait| Timespec::try_from(wait).ok());
            match rustix::event::poll(&mut polled, timeout.as_ref()) {
                Ok(0) => continue,
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(format!("waiting for the command: {error}")),
            }
            let ready: Vec<PollFlags> = polled.iter().map(PollFd::revents).collect();
            drop(polled);
            if !ready[0].is_empty() {
                match keeper::receive_with_descriptor(self.channel.as_fd()).during("the command's process")? {
                    (Some(keeper::Word::Ended(outcome)), _) => return Ok(outcome),
                    (Some(keeper::Word::Failed(why)), _) => return Err(why),
                    (Some(keeper::Word::Filter), Some(descriptor)) => listener = Some(descriptor),
                    (Some(keeper::Word::Started), Some(descriptor)) => self.command = Some(descriptor),
                    (None, _) => return Ok(Outcome::Killed(libc::SIGKILL)),
                    (Some(word), _) => return Err(format!("the command's process said {word:?}")),
                }
            }
            // The parent says nothing more: it cancels, or is dead.
            if !ready[1].is_empty() {
                return Ok(Outcome::Cancelled);
            }
            if let (Some(flags), Some(descriptor)) = (ready.get(2), &listener) {
                if flags.contains(PollFlags::IN) {
                    self.server.serve(descriptor.as_fd());
                } else if !flags.is_empty() {
                    // Nobody is left whom the filter holds.
                    listener = None;
                }
            }
        }
    }

    /// Nothing of it runs any more after this: process 1 is gone only when all others of its namespace are. Gives the tree back.
    fn end(self) -> Option<OwnedFd> {
        // First: its process has a copy of the channel.
        drop(self.outside);
        // The keeper sees it closed, kills the command and waits for it. Should it be gone before, we do.
        drop(self.channel);
        if let Some(command) = &self.command {
            let _ = rustix::process::pidfd_send_signal(command, Signal::KILL);
            let mut ended = [PollFd::new(command, PollFlags::IN)];
            while let Err(rustix::io::Errno::INTR) = rustix::event::poll(&mut ended, None) {}
            // It has nothing to do any more, and may have been stopped. (Before there is a command, nobody could have stopped it, and
            // it has to end what it is just starting.)
            let _ = rustix::process::kill_process(self.keeper, Signal::KILL);
        }
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitpid(Some(self.keeper), WaitOptions::empty())
        {}
        self.disk.map(Disk::into_top)
    }
}
