//! `imagewright certs`: one file per verb, and the parts they share.
//!
//! | part | what it knows |
//! | --- | --- |
//! | `powers` | writing powers into certificates |
//! | `methods` | the methods of the daemons and who may call them (imageserver.md §1.1) |
//! | `preset` | named sets of powers |
//! | `key`, `build` | private keys, and certificates made from a template |
//! | `authority` | where a CA lies on disk and how it is loaded |
//! | `read` | what a certificate says |
//! | `files` | names of the files the programs read, and writing them whole or not at all |

mod authority;
mod build;
mod ca;
mod check;
mod files;
mod issue;
mod key;
mod methods;
mod powers;
mod preset;
mod read;
mod renew;
mod show;
mod when;

use clap::Subcommand;
use std::process::ExitCode;

/// The verbs of `imagewright certs`.
#[derive(Subcommand)]
pub(crate) enum CertsCommand {
    /// Make a certificate authority: the root of trust for identities and powers
    Ca(ca::CaArgs),
    /// Make an authority whose certificates give a name and groups, but never powers
    IdentityCa(ca::CaArgs),
    /// Make a certificate and key for a user or a daemon
    Issue(issue::IssueArgs),
    /// Give an existing certificate a new life time, everything else kept
    Renew(renew::RenewArgs),
    /// Tell who a certificate speaks for, what it may do, and until when
    Show(show::ShowArgs),
    /// Is this directory usable as -certDirectory? Which pair is offered first?
    Check(check::CheckArgs),
}

/// Runs one verb.
pub(crate) fn run(command: CertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        CertsCommand::Ca(args) => ca::run(&args, ca::Kind::Full),
        CertsCommand::IdentityCa(args) => ca::run(&args, ca::Kind::IdentityOnly),
        CertsCommand::Issue(args) => issue::run(&args),
        CertsCommand::Renew(args) => renew::run(&args),
        CertsCommand::Show(args) => show::run(&args),
        CertsCommand::Check(args) => check::run(&args),
    }
}
