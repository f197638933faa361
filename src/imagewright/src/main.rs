//! Everything for one host.
//!
//! `imagewright up` runs image server, image builder and image repository together, with an authority and certificates of their own.
//!
//! `imagewright bench` measures the programs as their users run them, beside another implementation's if there is one.
//!
//! `imagewright check` looks through the directories of an image server, and says what to do about what it finds.
//!
//! `imagewright certs` makes and inspects the certificates that the daemons and tools identify themselves with. It promises never to overwrite a private key unless told to, and to leave either a whole
//! file or none. It deliberately lacks passphrases on keys (no program that reads them could ask for one) and
//! revocation lists (nothing in the protocol consults them): give certificates short lives instead.

mod bench;
mod certs;
mod check;
mod documents;
mod exit;
mod own_certs;
mod up;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "imagewright",
    version,
    about = "Everything for one host: the daemons together, certificates, checks, measurements",
    arg_required_else_help = true,
    after_help = "First steps:\n  imagewright up --dir /srv/imagewright\n  imagewright certs ca --out pki\n  imagewright certs issue --ca pki --user alice --preset admin --out ~/.ssl\n  \
                  imagewright certs show ~/.ssl/alice.cert"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make, renew and inspect certificates
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Run image server, image builder and image repository together, with an authority of their own
    Up(up::UpArgs),
    /// Measure our programs, and another implementation's beside them
    Bench(bench::BenchArgs),
    /// Look through the directories of an image server that does not run
    Check(check::CheckArgs),
    /// Write the man pages of this program
    #[command(hide = true)]
    PrintManPages {
        /// Directory to write them to
        directory: std::path::PathBuf,
    },
    /// Print the completion script of a shell
    #[command(hide = true)]
    PrintCompletion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Certs(command) => certs::run(command),
        Command::Up(args) => up::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::run(&args),
        Command::PrintManPages { directory } => documents::man_pages(Cli::command(), &directory),
        Command::PrintCompletion { shell } => documents::completion(Cli::command(), shell),
    };
    match result {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
