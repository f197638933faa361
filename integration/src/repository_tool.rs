//! `imgapi-cli` as one user with a home directory of its own, and that user's keys.

use crate::programs::program;
use crate::tool::Outcome;
use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A user of a repository. No configuration of the host is read.
pub struct RepositoryTool {
    home: tempfile::TempDir,
    url: String,
    environment: Vec<(String, String)>,
}

/// A running SSH agent; dropping it ends it.
pub struct SshAgent {
    child: Child,
    pub socket: PathBuf,
}

impl RepositoryTool {
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self {
            home: tempfile::Builder::new().prefix("imagewright-user.").tempdir()?,
            url: url.to_owned(),
            environment: Vec::new(),
        })
    }

    /// Sets a variable for all runs from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Where the user's files are, and where the program runs.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Makes a key as users do, and gives the line of its public half.
    pub fn make_key(&self, kind: &str, name: &str) -> Result<String> {
        let path = self.home().join(name);
        let mut keygen = Command::new("ssh-keygen");
        keygen
            .args(["-q", "-t", kind, "-N", "", "-C", name, "-f"])
            .arg(&path);
        ensure!(
            keygen.status().context("ssh-keygen")?.success(),
            "ssh-keygen failed"
        );
        Ok(std::fs::read_to_string(path.with_extension("pub"))?
            .trim()
            .to_owned())
    }

    /// The program, ready to be started.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Command> {
        let mut command = Command::new(program("imgapi-cli")?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("IMGAPI_CLI_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.home())
            .env("HOME", self.home())
            .env("IMGAPI_CLI_URL", &self.url)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("SSH_AUTH_SOCK")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        Ok(command)
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Outcome> {
        self.run_with(arguments, b"")
    }

    /// With something on standard input.
    pub fn run_with<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<Outcome> {
        use std::io::Write;
        let mut child = self
            .command(arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let input = input.to_vec();
        // What the program does not read is not our fault.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output()?;
        let _ = writer.join();
        Ok(output.into())
    }

    /// The same for a command that must succeed; gives what it printed.
    pub fn must<A: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[A]) -> Result<String> {
        let outcome = self.run(arguments)?;
        ensure!(
            outcome.code == 0,
            "imgapi-cli {arguments:?} ended with {}: {}",
            outcome.code,
            outcome.err
        );
        Ok(outcome.out)
    }
}

impl SshAgent {
    /// An agent with a key that is in a file.
    pub fn with_key(directory: &Path, key: &Path) -> Result<Self> {
        let socket = directory.join("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .context("ssh-agent")?;
        let agent = Self { child, socket };
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", &agent.socket);
        add.stderr(Stdio::null());
        // The socket is there a moment before somebody listens on it.
        crate::wait::until("the agent takes the key", || {
            add.status().is_ok_and(|status| status.success())
        });
        Ok(agent)
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
