//! What the tests that start the real programs share.
//!
//! | module | what it gives |
//! | --- | --- |
//! | `skip` | the one way a test may step aside: loudly, and counted |
//! | `certificates` | a certificate authority for a test, made by `imagewright certs` |
//! | `golden` | recorded conversations of the original, and a judge of gob streams independent of ours |
//! | `http_talk` | requests of HTTP/1.1 written out by hand |
//! | `images` | small images and the calls that bring them to a server |
//! | `imaginator` | an image builder of its own for a test: daemon, configuration, manifests, users |
//! | `machine` | a machine of its own: a Debian tree, processes and a network that nobody else sees |
//! | `repository` | an image repository with a REST API of its own for a test |
//! | `repository_calls` | calls to it as its clients make them |
//! | `repository_images` | the images that the original's own tests begin with |
//! | `repository_tool` | `imgapi-cli` as one user, and that user's keys |
//! | `repository_jobs` | jobs of an image repository: submitting, waiting, what must not be left |
//! | `scripted_web` | a web server that says what no good one says |
//! | `rpm_repository` | an RPM system and packages for it, made on a Debian |
//! | `secured` | a server that asks for certificates, and the authorities it trusts |
//! | `server` | an image server of its own for a test: process, unprivileged user, directories, port |
//! | `stalling_git` | a git server that is told a password and never answers |
//! | `tool` | `imagetool` as one user |
//! | `page_request` | one web request to a daemon, written out by hand |
//! | `plain_call` | one call over a plain connection, written out by hand |
//! | `trace` | system calls of a server, as `strace` writes them down |
//! | `power_cut` | what a disk holds after the power fails, by such a trace |
//! | `random` | choices that can be made again, and how often a test does its work |
//! | `small_disk` | a file system with little room |
//! | `cut_proxy` | a way to a server that breaks off or stands still after so many bytes |
//! | `damage` | what may happen to a file behind its server's back |
//! | `stored_image` | images put into a repository's directory by hand |
//! | `strace` | system calls of a running server that fail, wait, or kill it |
//! | `system_tree` | a small system that can run scripts, for builds |
//! | `told` | what clients were told, and whether it is there |
//! | `whole` | what a server holds, fetched and hashed by the test itself |
//! | `web` | pages for those who fetch something by HTTP |
//! | `workshop` | what builds images, without a daemon around it |
//! | `process` | the process of a daemon, which ends with its test |
//! | `unprivileged` | daemons that refuse to run as root, started by tests that do |
//! | `programs` | where the programs of this workspace lie, built first if need be |
//!
//! The tests themselves are in `tests/`, one file per promise or family of promises. This crate promises that a
//! test which did not run is never mistaken for one that passed; it deliberately has no stand-ins for servers,
//! disks or networks.

// Test support: names say what the items are for, and no other crate reads their pages.
#![allow(missing_docs)]

pub mod certificates;
pub mod cut_proxy;
pub mod damage;
pub mod golden;
pub mod http_talk;
pub mod images;
pub mod imaginator;
pub mod machine;
mod page_request;
pub mod plain_call;
pub mod power_cut;
mod process;
pub mod programs;
pub mod random;
pub mod replica;
pub mod repository;
pub mod repository_calls;
pub mod repository_images;
pub mod repository_jobs;
pub mod repository_tool;
pub mod rpm_repository;
pub mod scripted_web;
pub mod secured;
pub mod server;
mod skip;
pub mod small_disk;
pub mod stalling_git;
pub mod stored_image;
pub mod strace;
pub mod system_tree;
pub mod told;
pub mod tool;
pub mod trace;
mod unprivileged;
pub mod wait;
pub mod web;
pub mod whole;
pub mod workshop;

pub use skip::{SKIP_LOG_VARIABLE, skip};
