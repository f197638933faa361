//! `certs renew`: a new life time for an existing certificate, everything else kept.

use super::authority::{self, AuthorityArgs};
use super::build::{self, CLOCK_SKEW_SECONDS, Issuer, Template, Usage, Validity};
use super::files::{self, PairPaths};
use super::{issue, read, when};
use crate::exit::WrongUse;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Extensions that follow from the keys and are made afresh: subject and authority key identifiers.
const REMADE_OIDS: [&str; 2] = ["2.5.29.14", "2.5.29.35"];

/// Arguments of the verb.
#[derive(Args)]
pub(crate) struct RenewArgs {
    /// NAME.cert, cert.pem, or CA.pem; its key is looked for beside it
    #[arg(value_name = "CERTIFICATE")]
    certificate: PathBuf,
    #[command(flatten)]
    authority: AuthorityArgs,
    /// Days it is valid from now [default: as long as before]
    #[arg(long)]
    days: Option<u32>,
}

/// Replaces the certificate file. The key stays, so whatever holds it goes on working.
pub(crate) fn run(args: &RenewArgs) -> anyhow::Result<ExitCode> {
    let paths = PairPaths::of_cert(&args.certificate)
        .ok_or_else(|| WrongUse("the certificate must be called NAME.cert or NAME.pem".to_owned()))?;
    let (old_cert, key) = authority::load_pair(&paths)?;
    let old = read::Certificate::from_der(&old_cert.to_der()?)?;
    if let Some(reason) = &old.malformed {
        anyhow::bail!("{}: {reason}", paths.cert.display());
    }
    let now = when::now();
    let length = match args.days {
        Some(days) => authority::days_to_seconds(days)?,
        None => old
            .valid_until
            .saturating_sub(old.valid_from)
            .saturating_sub(CLOCK_SKEW_SECONDS)
            .max(1),
    };
    let mut template = Template {
        subject: build::copy_name(old_cert.subject_name())?,
        validity: Validity {
            from: now - CLOCK_SKEW_SECONDS,
            until: now.saturating_add(length),
        },
        usage: Usage::AsExtensions,
        extensions: old.extensions,
    };
    template
        .extensions
        .retain(|extension| !REMADE_OIDS.contains(&extension.oid.as_str()));
    let cert = if old.is_self_signed {
        build::build(&template, &key, &Issuer::Itself)?
    } else {
        let authority = args.authority.load()?;
        // Powers count only from the authority that gave them, so a renewal may not change it unnoticed.
        anyhow::ensure!(
            authority.cert.subject_name().to_der()? == old_cert.issuer_name().to_der()?,
            "{} was issued by {}, which is not the authority in {}",
            paths.cert.display(),
            old.issuer,
            authority.path.display()
        );
        template = issue::within_authority(template, &authority)?;
        build::build(
            &template,
            &key,
            &Issuer::Authority {
                cert: &authority.cert,
                key: &authority.key,
            },
        )?
    };
    files::write_file(&paths.cert, &cert.to_pem()?, files::CERT_MODE, true)?;
    print!("{}", read::Certificate::from_der(&cert.to_der()?)?.describe(now));
    println!("{:<12} {}", "certificate", paths.cert.display());
    Ok(ExitCode::SUCCESS)
}
