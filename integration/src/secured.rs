//! A server that asks for certificates.

use crate::certificates::Authority;
use crate::server::{Home, ImageServer, free_port};
use crate::tool::Tool;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// A server that asks for certificates, and the two authorities it trusts.
pub struct Secured {
    pub directory: tempfile::TempDir,
    pub authority: Authority,
    /// Its certificates give a name and groups, but no powers.
    pub identity: Authority,
    pub home: Home,
    flags: Vec<String>,
    pub server: ImageServer,
}

impl Secured {
    /// Starts the server with `flags` beside those of its credentials.
    pub fn new(flags: &[&str]) -> Result<Self> {
        Self::at_home(Home::new()?, flags)
    }

    /// The same with directories, or a program, of its own.
    pub fn at_home(home: Home, flags: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("imagewright-access.").tempdir()?;
        let authority = Authority::new(&directory.path().join("ca"), "Test CA")?;
        let identity = Authority::new_identity(&directory.path().join("identity-ca"), "Identity CA")?;
        let ssl = home.path().join("ssl");
        authority.issue("imageserver", &["--server", "localhost,127.0.0.1"], &ssl)?;
        std::fs::create_dir(home.path().join("trust"))?;
        let copy = |from: &Path, name: &str| -> Result<String> {
            let to = home.path().join("trust").join(name);
            std::fs::copy(from.join(name), &to)?;
            Ok(to.display().to_string())
        };
        let ca = format!("-CAfile={}", copy(authority.directory(), "CA.pem")?);
        let identity_ca = format!(
            "-identityCAfile={}",
            copy(identity.directory(), "IdentityCA.pem")?
        );
        let certificate = format!("-certFile={}", ssl.join("cert.pem").display());
        let key = format!("-keyFile={}", ssl.join("key.pem").display());
        let mut all = vec![ca, identity_ca, certificate, key];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let server = start(&home, free_port()?, &all)?;
        Ok(Self {
            directory,
            authority,
            identity,
            home,
            flags: all,
            server,
        })
    }

    /// Starts the server again, which has ended, at the same port: tools that were made before go on working.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = start(&self.home, self.server.port, &self.flags)?;
        Ok(())
    }

    /// Ends the server; [`start_again`](Self::start_again) is for later.
    pub fn stop(&mut self) -> Result<()> {
        self.server.end().map(drop)
    }

    /// Ends the server and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// The `-certDirectory` of a user, whether there is one or not.
    pub fn certificates(&self, user: &str) -> PathBuf {
        self.directory.path().join("users").join(user)
    }

    pub fn tool(&self, user: &str) -> Tool {
        Tool::new(&self.server, &self.certificates(user), self.directory.path())
    }

    /// Issues a certificate of the first authority to `user`, and gives the tool as that user.
    pub fn issue(&self, user: &str, extra: &[&str]) -> Result<Tool> {
        self.authority.issue(user, extra, &self.certificates(user))?;
        Ok(self.tool(user))
    }
}

fn start(home: &Home, port: u16, flags: &[String]) -> Result<ImageServer> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    home.start_on(port, &[], &flags)
}
