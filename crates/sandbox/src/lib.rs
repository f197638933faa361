//! Commands in a tree of their own, that cannot see, signal or change the host.
//!
//! A command runs as user 0 of a user namespace whose identities no other process of the host has. The tree is mounted
//! for it through an id map: files that belong to 0 on the disk belong to 0 inside, and what it makes belongs to the same
//! identities on the disk, although the kernel takes the command for somebody without any right. It has mounts, processes,
//! IPC, host name and, unless it is to have the host's, a network of its own; a /dev and a /proc of its own; limits
//! of time, memory, processes, disk and file size; and everything it started ends with it.
//!
//! | part | what it knows |
//! | --- | --- |
//! | `spec` | what to run in which tree, and what it may see and use: plain data |
//! | `command`, `output` | starting one, its output line by line, ending it, what became of it |
//! | `cgroup` | control groups, version 2, version 1, or none |
//! | `child` | what happens in the child process, step by step, until the command runs |
//! | `served` | what the supervisor does for the command: the few device nodes that may be made, sysfs |
//! | `filter` | the system calls that are refused or handed to the supervisor |
//! | `named` | which directories of the host the words of a command name |
//! | `resolver` | which name servers are within reach of which network |
//! | `made` | directories made to mount on, removed also after a kill |
//! | `message` | what parent and child tell each other |
//! | `syscalls` | the calls that no crate offers safely |
//!
//! A program that uses this calls [`run_if_child`] first of all in its `main`: it starts itself again as the child, because what has to
//! be done between fork and exec is too much for a process with several threads.
//!
//! It promises: nothing of what a command did outlives it but files in the trees it was given to write; a link in a tree never
//! leads out of it; when the parent dies, however it dies, so does the command. It asks: that directories above a tree be closed to
//! other users of the host, for a file that a command makes set-user-id is that on the host's disk too. What exactly is protected, and what is
//! not, is in docs/sandbox.md. Deliberately absent: images, builds, logs, retries; ordinary users, for whom no kernel maps owners of
//! files; kernels without id-mapped mounts (before 5.12), on which starting fails with an error that says so rather than with
//! less protection.

mod cgroup;
mod child;
mod command;
mod error;
mod filter;
mod made;
mod message;
mod named;
mod output;
mod resolver;
mod served;
mod spec;
mod syscalls;

pub use cgroup::{Hierarchies, remove_stale_groups};
pub use child::run_if_child;
pub use command::{Canceller, Command, Running};
pub use error::SandboxError;
pub use made::remove_stale_directories;
pub use message::Outcome;
pub use output::Line;
pub use resolver::configuration as resolver_configuration;
pub use spec::{Bind, Limits, Network, Spec, View};
