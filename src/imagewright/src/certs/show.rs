//! `certs show`: who a certificate speaks for, what it may do, and until when.

use super::{files, read, when};
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of the verb.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Certificates in PEM form; a file may hold several
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    file: String,
    #[serde(flatten)]
    certificate: &'a read::Certificate,
    valid_from_text: String,
    valid_until_text: String,
    expired: bool,
    warnings: Vec<String>,
}

/// Prints every certificate of every file.
pub(crate) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let now = when::now();
    let mut first = true;
    for path in &args.files {
        let certificates =
            read::all_in(&files::read_pem(path)?).with_context(|| path.display().to_string())?;
        for certificate in &certificates {
            if args.json {
                let line = Line {
                    file: path.display().to_string(),
                    certificate,
                    valid_from_text: when::exact(certificate.valid_from),
                    valid_until_text: when::exact(certificate.valid_until),
                    expired: certificate.valid_until < now,
                    warnings: certificate.warnings(now),
                };
                println!("{}", serde_json::to_string(&line)?);
                continue;
            }
            if !first {
                println!();
            }
            first = false;
            println!("{:<12} {}", "file", path.display());
            print!("{}", certificate.describe(now));
            println!("{:<12} {}", "serial", certificate.serial);
            println!("{:<12} {}", "SHA-256", certificate.fingerprint);
        }
    }
    Ok(ExitCode::SUCCESS)
}
