//! Certificates for daemons that talk to each other on this host, and for whoever administers them.

use super::home::{Home, own};
use super::service_user::ServiceUser;
use crate::own_certs::certs;
use anyhow::Context;
use openssl::asn1::Asn1Time;
use openssl::x509::X509;
use std::cmp::Ordering;
use std::fs;
use std::path::Path;

/// Names that the daemons are reached by on this host. Those on others need a certificate of their own (`imagewright certs`).
const LOCAL: &str = "localhost,127.0.0.1,::1";
/// Life left below which a certificate is made anew, days.
const RENEW_DAYS: u32 = 60;

/// Makes what is not there or soon over.
pub(super) fn prepare(home: &Home, user: Option<&ServiceUser>) -> anyhow::Result<()> {
    let authority = home.authority();
    if !authority.join("CA.key").exists() {
        certs(&["ca", "--name", "imagewright up"], &[("--out", &authority)])?;
    }
    let server = home.image_server().join("ssl");
    let builder = home.image_builder().join("ssl");
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    // A host may be named in a way that no certificate can hold.
    let is_plain = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
    };
    let names = match is_plain(&host) {
        true => format!("{LOCAL},{host}"),
        false => LOCAL.to_owned(),
    };
    let names = names.as_str();
    let administrator = home.administrator();
    issue(
        home,
        "cert.pem",
        &server,
        &["--user", "imageserver", "--server", names],
    )?;
    let of_builder = ["--user", "imaginator", "--server", names, "--preset", "builder"];
    issue(home, "cert.pem", &builder, &of_builder)?;
    // Read as `~/.ssl` is: this program is a client of the two others.
    let repository = home.image_repository().join("ssl");
    let of_repository = ["--user", "imgapi", "--preset", "repository"];
    issue(home, "imgapi.cert", &repository, &of_repository)?;
    let of_administrator = ["--user", "administrator", "--preset", "admin"];
    issue(home, "administrator.cert", &administrator, &of_administrator)?;
    for directory in [&server, &builder] {
        let copy = directory.join("CA.pem");
        fs::copy(authority.join("CA.pem"), &copy).with_context(|| copy.display().to_string())?;
    }
    for name in ["CA.pem", "cert.pem", "key.pem"] {
        own(&server.join(name), user)?;
    }
    for entry in fs::read_dir(&repository).with_context(|| repository.display().to_string())? {
        own(&entry?.path(), user)?;
    }
    Ok(())
}

fn issue(home: &Home, certificate: &str, directory: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let file = directory.join(certificate);
    if is_good(&file)? {
        return Ok(());
    }
    let arguments = [&["issue", "--force"], arguments].concat();
    certs(&arguments, &[("--ca", &home.authority()), ("--out", directory)])
}

fn is_good(certificate: &Path) -> anyhow::Result<bool> {
    let Ok(pem) = fs::read(certificate) else {
        return Ok(false);
    };
    let Ok(certificate) = X509::from_pem(&pem) else {
        return Ok(false);
    };
    let soon = Asn1Time::days_from_now(RENEW_DAYS)?;
    Ok(certificate.not_after().compare(&soon)? == Ordering::Greater)
}
