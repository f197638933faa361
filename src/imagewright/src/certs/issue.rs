//! `certs issue`: a certificate and key for a user or a daemon.

use super::authority::{self, AuthorityArgs};
use super::build::{self, CLOCK_SKEW_SECONDS, Issuer, Template, Usage, Validity};
use super::files::{self, PairPaths};
use super::key::KeyType;
use super::preset::Preset;
use super::{methods, powers, read, when};
use crate::exit::WrongUse;
use clap::{Args, ValueEnum};
use srpc::powers::Pattern;
use std::path::PathBuf;
use std::process::ExitCode;

/// Longest user name, in characters: the upper bound of a common name in X.509.
const MAX_USER_CHARACTERS: usize = 64;

/// Which files the programs find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// USER.key and USER.cert, for the -certDirectory of tools ($HOME/.ssl)
    Tool,
    /// key.pem and cert.pem, for the -keyFile and -certFile of daemons
    Daemon,
}

/// Arguments of the verb.
#[derive(Args)]
pub(crate) struct IssueArgs {
    #[command(flatten)]
    authority: AuthorityArgs,
    /// Name of the user, or of the daemon towards other daemons
    #[arg(long)]
    user: String,
    /// Ready-made powers; may be given several times
    #[arg(long, value_enum, value_delimiter = ',')]
    preset: Vec<Preset>,
    /// Methods that may be called, as patterns: 'ImageServer.*,ObjectServer.GetObjects'
    #[arg(long, value_delimiter = ',', value_name = "PATTERNS")]
    methods: Vec<String>,
    /// Groups of the user
    #[arg(long, value_delimiter = ',')]
    groups: Vec<String>,
    /// DNS names and addresses, for a certificate that serves as well
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    server: Vec<String>,
    /// Names of the files [default: daemon with --server, else tool]
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Directory for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Days it is valid
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// First moment of validity, for example 2026-11-22T07:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// Kind of key
    #[arg(long, value_enum, default_value_t = KeyType::EcP256)]
    key_type: KeyType,
    /// Replace existing files
    #[arg(long)]
    force: bool,
}

/// Makes the pair and says what it may do.
pub(crate) fn run(args: &IssueArgs) -> anyhow::Result<ExitCode> {
    check_common_name(&args.user, "--user")?;
    let permitted = permitted_methods(args)?;
    check_groups(&args.groups)?;
    let template = Template {
        subject: build::common_name(&args.user)?,
        validity: validity(args)?,
        usage: Usage::Peer {
            server_names: args.server.clone(),
        },
        extensions: powers::extensions(&permitted, &args.groups),
    };
    let authority = args.authority.load()?;
    let template = within_authority(template, &authority)?;
    let key = args.key_type.generate()?;
    let cert = build::build(
        &template,
        &key,
        &Issuer::Authority {
            cert: &authority.cert,
            key: &authority.key,
        },
    )?;
    let default_layout = if args.server.is_empty() {
        Layout::Tool
    } else {
        Layout::Daemon
    };
    let paths = match args.layout.unwrap_or(default_layout) {
        Layout::Tool => PairPaths::tool(&args.out, &args.user),
        Layout::Daemon => PairPaths::daemon(&args.out),
    };
    files::write_pair(
        &paths,
        &key.private_key_to_pem_pkcs8()?,
        &cert.to_pem()?,
        args.force,
    )?;
    print!(
        "{}",
        read::Certificate::from_der(&cert.to_der()?)?.describe(when::now())
    );
    println!("certificate  {}", paths.cert.display());
    println!("key          {}  (keep it secret)", paths.key.display());
    Ok(ExitCode::SUCCESS)
}

fn permitted_methods(args: &IssueArgs) -> anyhow::Result<Vec<String>> {
    let mut permitted: Vec<String> = args
        .preset
        .iter()
        .flat_map(|preset| preset.methods())
        .map(|method| (*method).to_owned())
        .collect();
    for method in &args.methods {
        powers::check_method(method).map_err(|error| WrongUse(format!("--methods: {error}")))?;
        if !Pattern::new(method).is_well_formed() {
            return Err(WrongUse(format!(
                "--methods: {method:?} is a malformed pattern and would match nothing"
            ))
            .into());
        }
        if !methods::grants_anything(method) {
            eprintln!("note: {method} matches no method of the image server");
        }
        permitted.push(method.clone());
    }
    permitted.sort();
    permitted.dedup();
    if args.authority.identity && !permitted.is_empty() {
        return Err(WrongUse(
            "an identity authority cannot give powers: servers would ignore them".to_owned(),
        )
        .into());
    }
    Ok(permitted)
}

fn validity(args: &IssueArgs) -> anyhow::Result<Validity> {
    let length = authority::days_to_seconds(args.days)?;
    Ok(match &args.not_before {
        Some(text) => {
            let from = when::parse(text).map_err(|error| WrongUse(format!("--not-before: {error:#}")))?;
            Validity {
                from,
                until: from.saturating_add(length),
            }
        }
        None => Validity {
            from: when::now() - CLOCK_SKEW_SECONDS,
            until: when::now() + length,
        },
    })
}

/// A certificate that outlives its authority would fail earlier than it says, so it is cut to it.
pub(crate) fn within_authority(
    mut template: Template,
    authority: &authority::Authority,
) -> anyhow::Result<Template> {
    let issuer = read::Certificate::from_der(&authority.cert.to_der()?)?;
    anyhow::ensure!(
        issuer.is_authority,
        "{} is not the certificate of an authority: it may not sign others",
        authority.path.display()
    );
    anyhow::ensure!(
        issuer.valid_until > when::now(),
        "{} expired {}",
        authority.path.display(),
        when::relative(issuer.valid_until, when::now())
    );
    if template.validity.until > issuer.valid_until {
        eprintln!(
            "note: cut to the life of the authority, which ends {}",
            when::exact(issuer.valid_until)
        );
        template.validity.until = issuer.valid_until;
    }
    Ok(template)
}

fn check_groups(groups: &[String]) -> anyhow::Result<()> {
    match groups
        .iter()
        .find(|group| group.is_empty() || group.chars().any(char::is_control))
    {
        Some(bad) => Err(WrongUse(format!("--groups: {bad:?} is no name of a group")).into()),
        None => Ok(()),
    }
}

/// Refuses names that X.509 or a file system cannot hold.
pub(crate) fn check_common_name(name: &str, option: &str) -> anyhow::Result<()> {
    let count = name.chars().count();
    let bad = if name.trim().is_empty() {
        "must not be empty"
    } else if count > MAX_USER_CHARACTERS {
        "is longer than 64 characters"
    } else if name.starts_with('.')
        || name
            .chars()
            .any(|character| character == '/' || character.is_control())
    {
        "must be usable as a file name: no slash, no control character, no dot at its start"
    } else {
        return Ok(());
    };
    Err(WrongUse(format!("{option} {name:?} {bad}")).into())
}
