//! `certs ca` and `certs identity-ca`.

use super::build::{self, CLOCK_SKEW_SECONDS, Issuer, Template, Usage, Validity};
use super::files::{self, PairPaths};
use super::key::KeyType;
use super::{authority, when};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// What certificates of the authority are trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Full,
    IdentityOnly,
}

/// Arguments of both verbs.
#[derive(Args)]
pub(crate) struct CaArgs {
    /// Directory for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Name of the authority, as it stands in every certificate it makes
    #[arg(long)]
    name: Option<String>,
    /// Days it is valid from now
    #[arg(long, default_value_t = 3650)]
    days: u32,
    /// Kind of key
    #[arg(long, value_enum, default_value_t = KeyType::EcP256)]
    key_type: KeyType,
    /// Replace existing files: every certificate of the old authority becomes worthless
    #[arg(long)]
    force: bool,
}

/// Makes the authority.
pub(crate) fn run(args: &CaArgs, kind: Kind) -> anyhow::Result<ExitCode> {
    let (file_name, default_name, flag) = match kind {
        Kind::Full => (authority::FULL_NAME, "Imagewright CA", "CAfile"),
        Kind::IdentityOnly => (
            authority::IDENTITY_NAME,
            "Imagewright Identity CA",
            "identityCAfile",
        ),
    };
    let name = args.name.as_deref().unwrap_or(default_name);
    super::issue::check_common_name(name, "--name")?;
    let from = when::now();
    let until = from + authority::days_to_seconds(args.days)?;
    let template = Template {
        subject: build::common_name(name)?,
        validity: Validity {
            from: from - CLOCK_SKEW_SECONDS,
            until,
        },
        usage: Usage::Authority,
        extensions: Vec::new(),
    };
    let key = args.key_type.generate()?;
    let cert = build::build(&template, &key, &Issuer::Itself)?;
    let paths = PairPaths::authority(&args.out, file_name);
    files::write_pair(
        &paths,
        &key.private_key_to_pem_pkcs8()?,
        &cert.to_pem()?,
        args.force,
    )?;
    println!("authority    {name}");
    println!(
        "valid until  {} ({})",
        when::exact(until),
        when::relative(until, from)
    );
    println!(
        "certificate  {}  (every server needs it: -{flag})",
        paths.cert.display()
    );
    println!(
        "key          {}  (keep it secret and off the servers)",
        paths.key.display()
    );
    Ok(ExitCode::SUCCESS)
}
