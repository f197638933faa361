//! An authority of its own for each run, made by `imagewright certs`.

use super::scratch::Scratch;
use crate::own_certs::certs;
use anyhow::Context;
use srpc::tls::ClientCredentials;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificates of the servers and of who asks them.
pub(crate) struct Credentials {
    /// With `CA.pem`, `cert.pem` and `key.pem`; belongs to the servers.
    pub(crate) server: PathBuf,
    /// The same for image builders, which run as whoever measures.
    pub(crate) builder: PathBuf,
    /// A `-certDirectory` of somebody who may do everything.
    pub(crate) client: PathBuf,
    /// The same for our own client.
    pub(crate) loaded: Arc<ClientCredentials>,
}

impl Credentials {
    pub(crate) fn make(scratch: &Scratch) -> anyhow::Result<Self> {
        let at = |name: &str| scratch.path().join(name);
        let (authority, server, client) = (at("authority"), at("server-certificate"), at("certificates"));
        let builder = at("builder-certificate");
        certs(&["ca", "--name", "Benchmark CA"], &[("--out", &authority)])?;
        let issue = |user: &str, extra: &[&str], out: &Path| {
            let arguments = [&["issue", "--user", user], extra].concat();
            certs(&arguments, &[("--ca", &authority), ("--out", out)])
        };
        issue("imageserver", &["--server", "localhost,127.0.0.1"], &server)?;
        let of_builder = ["--server", "localhost,127.0.0.1", "--preset", "builder"];
        issue("imaginator", &of_builder, &builder)?;
        issue("bench", &["--preset", "admin"], &client)?;
        for directory in [&server, &builder] {
            std::fs::copy(authority.join("CA.pem"), directory.join("CA.pem"))?;
        }
        scratch.hand_over(&server)?;
        let loaded = srpc::tls::load_directory(&client)?.context("no certificates were made")?;
        Ok(Self {
            server,
            builder,
            client,
            loaded,
        })
    }
}
