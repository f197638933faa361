//! `certs check`: is a directory usable as `-certDirectory`, and which pair is offered first (srpc.md §8.2)?

use super::files::PairPaths;
use super::read::Certificate;
use super::{authority, files, when};
use crate::exit::FAILED;
use anyhow::Context;
use clap::Args;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509PurposeId, X509StoreContext};
use serde::Serialize;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of the verb.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The directory [default: $HOME/.ssl]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Also verify against the authorities of this file, as a server with -CAfile would
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// One object a line
    #[arg(long)]
    json: bool,
}

/// One pair, or what was to be one.
#[derive(Serialize)]
struct Finding {
    cert: PathBuf,
    /// Place in the order of preference, from 1; none when unusable.
    place: Option<usize>,
    user: String,
    methods: Vec<String>,
    /// Seconds since 1970.
    valid_until: Option<i64>,
    /// A tool that is pointed at the directory stops with these.
    errors: Vec<String>,
    warnings: Vec<String>,
}

/// Prints one line per pair, best first; fails if a tool would.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => Path::new(&std::env::var_os("HOME").context("no HOME: name the directory")?).join(".ssl"),
    };
    let authorities = match &args.ca_file {
        Some(path) => {
            Some(X509::stack_from_pem(&files::read_pem(path)?).context("no certificate in --ca-file")?)
        }
        None => None,
    };
    let now = when::now();
    let mut findings = pairs_in(&directory)?
        .into_iter()
        .map(|paths| examine(&paths, authorities.as_deref(), now))
        .collect::<Vec<_>>();
    let order = offered_order(&directory, &findings)?;
    let place = |finding: &Finding| {
        order
            .iter()
            .position(|name| finding.cert.file_name() == Some(OsStr::new(name)))
    };
    findings
        .iter_mut()
        .for_each(|finding| finding.place = place(finding).map(|index| index + 1));
    // Unusable ones first: they are what must be mended.
    findings.sort_by_key(|finding| (finding.errors.is_empty(), finding.place));
    for finding in &findings {
        if args.json {
            println!("{}", serde_json::to_string(finding)?);
        } else {
            print_finding(finding, now);
        }
    }
    if findings.is_empty() {
        eprintln!(
            "error: {} holds no NAME.key with NAME.cert, nor key.pem with cert.pem",
            directory.display()
        );
        eprintln!(
            "try: imagewright certs issue --user NAME --ca DIR --out {}",
            directory.display()
        );
        return Ok(ExitCode::from(FAILED));
    }
    let bad = findings
        .iter()
        .filter(|finding| !finding.errors.is_empty())
        .count();
    if bad > 0 {
        eprintln!(
            "error: {}: {bad} of {} pairs would stop every tool",
            directory.display(),
            findings.len()
        );
        return Ok(ExitCode::from(FAILED));
    }
    if !args.json {
        println!(
            "{}: usable, the pairs are offered in this order",
            directory.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Names of the certificate files in the order in which a tool offers them; none if it would stop instead.
fn offered_order(directory: &Path, findings: &[Finding]) -> anyhow::Result<Vec<String>> {
    if findings.iter().any(|finding| !finding.errors.is_empty()) {
        return Ok(Vec::new());
    }
    let credentials = srpc::tls::load_directory(directory)?;
    Ok(credentials
        .iter()
        .flat_map(|all| all.pairs())
        .map(|pair| pair.name().to_owned())
        .collect())
}

fn pairs_in(directory: &Path) -> anyhow::Result<Vec<PairPaths>> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let name = entry
            .with_context(|| directory.display().to_string())?
            .file_name();
        let Some(name) = name.to_str() else { continue };
        if name == "key.pem" {
            pairs.push(PairPaths::daemon(directory));
        } else if let Some(stem) = name.strip_suffix(".key") {
            pairs.push(PairPaths::tool(directory, stem));
        }
    }
    // A key without its certificate is none of the tools' business.
    pairs.retain(|paths| paths.cert.exists());
    pairs.sort();
    Ok(pairs)
}

fn examine(paths: &PairPaths, authorities: Option<&[X509]>, now: i64) -> Finding {
    let mut finding = Finding {
        cert: paths.cert.clone(),
        place: None,
        user: String::new(),
        methods: Vec::new(),
        valid_until: None,
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let loaded =
        authority::load_pair(paths).and_then(|(cert, _)| Ok((Certificate::from_der(&cert.to_der()?)?, cert)));
    let (certificate, cert) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            finding.errors.push(format!("{error:#}"));
            return finding;
        }
    };
    let dated = certificate.valid_from > now || certificate.valid_until < now;
    let unusable = |certificate: &Certificate| dated || certificate.malformed.is_some();
    let target = if unusable(&certificate) {
        &mut finding.errors
    } else {
        &mut finding.warnings
    };
    target.extend(certificate.warnings(now));
    if let Some(authorities) = authorities
        && let Err(reason) = verify(&cert, authorities)
    {
        finding
            .warnings
            .push(format!("servers with that -CAfile refuse it: {reason}"));
    }
    if let Ok(metadata) = fs::metadata(&paths.key)
        && metadata.mode() & 0o077 != 0
    {
        finding.warnings.push(format!(
            "others can read {} (mode {:o}): chmod 600",
            paths.key.display(),
            metadata.mode() & 0o777
        ));
    }
    finding.user = certificate.user;
    finding.methods = certificate.methods;
    finding.valid_until = Some(certificate.valid_until);
    finding
}

fn verify(cert: &X509, authorities: &[X509]) -> Result<(), String> {
    let attempt = || {
        let mut store = X509StoreBuilder::new()?;
        for authority in authorities {
            store.add_cert(authority.clone())?;
        }
        let mut parameters = openssl::x509::verify::X509VerifyParam::new()?;
        parameters.set_purpose(X509PurposeId::SSL_CLIENT)?;
        // Whatever stands in the file is a root of trust, self-signed or not.
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        store.set_param(&parameters)?;
        let mut context = X509StoreContext::new()?;
        context.init(&store.build(), cert, Stack::new()?.as_ref(), |context| {
            Ok((context.verify_cert()?, context.error()))
        })
    };
    match attempt() {
        Ok((true, _)) => Ok(()),
        Ok((false, reason)) => Err(reason.error_string().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn print_finding(finding: &Finding, now: i64) {
    let place = finding
        .place
        .map_or_else(|| "-".to_owned(), |place| place.to_string());
    let ends = finding
        .valid_until
        .map_or_else(String::new, |until| when::relative(until, now));
    let methods = if finding.methods.is_empty() {
        "no methods".to_owned()
    } else {
        finding.methods.join(",")
    };
    println!(
        "{place}  {}  user {}  {methods}  ends {ends}",
        finding.cert.display(),
        finding.user
    );
    for error in &finding.errors {
        println!("   ERROR    {error}");
    }
    for warning in &finding.warnings {
        println!("   WARNING  {warning}");
    }
}
