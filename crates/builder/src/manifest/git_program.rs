//! The git program: how it is called so that nothing but our arguments decides what it does.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use recipe::Secrets;

use super::bounds::{self, DiskBound};
use super::git_url::GitUrl;
use super::host_command::{self, Ends, exit_text};
use crate::Watcher;
use crate::bootstrap::find;
use crate::step_error::{At, StepError};

/// Bytes of a line that git prints; a longer one is given to the log in parts.
const LINE_MOST_BYTES: usize = 16 << 10;
/// Bytes that git and the servers it talks to may say for one repository, all its calls together.
const SAID_MOST_BYTES: usize = 1 << 20;
/// Bytes of output that is data: names of a few refs, a commit id.
const OUTPUT_MOST_BYTES: usize = 1 << 20;
/// What git and the programs it starts may have from the daemon's environment: where programs, keys and proxies are.
const PASSED_ON: [&str; 15] = [
    "ALL_PROXY",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// ssh asks nobody, and gives up on a host that does not answer.
const SSH: &str =
    "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=4";
/// Stronger than any file. No hooks, nothing in the background, and no waiting for a server that sends less than 1000 bytes a
/// second for a minute.
const SETTINGS: [(&str, &str); 14] = [
    ("advice.detachedHead", "false"),
    ("core.autocrlf", "false"),
    // Larger contents go through without being held in memory, of which there is a bound.
    ("core.bigFileThreshold", "64m"),
    ("core.deltaBaseCacheLimit", "64m"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.symlinks", "true"),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("maintenance.auto", "false"),
    // Each has bases of deltas and contents in memory, and git would start as many as there are processors.
    ("pack.threads", "4"),
    ("submodule.recurse", "false"),
];
/// Only what is named is checked out.
const SPARSE: &[u8] = b"[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = false\n";
/// What was fetched, and is nowhere else. git's own `FETCH_HEAD` would have the URL beside it.
pub(super) const FETCHED: &str = "refs/imagewright/fetched";
/// Ways to a repository. Others of git's run programs that a URL names.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// Calls of git for one repository.
pub(super) struct Git<'a> {
    directory: PathBuf,
    files: &'a Path,
    url: GitUrl,
    secrets: &'a Secrets,
    bounds: GitBounds<'a>,
    /// Bytes that may still be said.
    said_left: Cell<usize>,
}

/// How long git may run and what it may take, and who else ends it.
pub(super) struct GitBounds<'a> {
    pub(super) watcher: &'a dyn Watcher,
    pub(super) until: Instant,
    /// On the disk.
    pub(super) most_bytes: u64,
}

impl<'a> Git<'a> {
    /// Its own files go to a directory of `temporary`, those of the repository to `files`, which is in `temporary` too.
    pub(super) fn new(
        temporary: &Path,
        files: &'a Path,
        url: &str,
        secrets: &'a Secrets,
        bounds: GitBounds<'a>,
    ) -> Result<Self, StepError> {
        Ok(Self {
            directory: temporary.join("git"),
            files,
            url: GitUrl::parse(url)?,
            secrets,
            bounds,
            said_left: Cell::new(SAID_MOST_BYTES),
        })
    }

    /// Where git's own files are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the repository is a directory of this host.
    pub(super) fn is_local(&self) -> bool {
        self.url.is_local()
    }

    /// A text without secrets.
    pub(super) fn redacted(&self, text: &str) -> String {
        let text = self.secrets.redact_text(text);
        String::from_utf8_lossy(&self.url.redact(text.as_bytes())).into_owned()
    }

    /// Makes the local repository; only these directories and files will be checked out of it, or everything if there are none.
    pub(super) fn init(&self, paths: &[PathBuf]) -> Result<(), StepError> {
        std::fs::create_dir(self.files).at(self.files)?;
        self.write("git-config", self.settings_of_user().as_bytes())?;
        self.run(&["init", "--quiet", "--template="])?;
        if !paths.is_empty() {
            let info = self.directory.join("info");
            std::fs::create_dir_all(&info).at(&info)?;
            let patterns = info.join("sparse-checkout");
            let lines: Vec<u8> = paths.iter().flat_map(|path| pattern(path)).collect();
            std::fs::write(&patterns, lines).at(&patterns)?;
            let settings = self.directory.join("config");
            let config = std::fs::OpenOptions::new().append(true).open(&settings);
            config
                .and_then(|mut config| config.write_all(SPARSE))
                .at(&settings)?;
        }
        Ok(())
    }

    /// In the place of the user's own settings, which might do anything.
    fn settings_of_user(&self) -> &'static str {
        if self.is_local() {
            // git refuses the repositories of other users of the host, which here were named by who writes the streams file.
            "[safe]\n\tdirectory = *\n"
        } else {
            ""
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), StepError> {
        let path = self.directory.with_file_name(name);
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(content)).at(&path)
    }

    /// Runs it; what it prints goes to the log.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(), StepError> {
        let mut output = Lines::default();
        let mut said = Lines::default();
        let status = host_command::run(
            "git",
            self.command(arguments),
            self.ends(),
            |bytes| output.take(bytes, |line| self.log(line)),
            |bytes| said.take(bytes, |line| self.log(line)),
        );
        output.end(|line| self.log(line));
        said.end(|line| self.log(line));
        self.judge(arguments, status?, &said)
    }

    /// Runs it for what it prints; what it says on standard error goes to the log.
    pub(super) fn output(&self, arguments: &[&str]) -> Result<String, StepError> {
        let data = self.bytes(arguments, OUTPUT_MOST_BYTES)?;
        Ok(String::from_utf8_lossy(&data).into_owned())
    }

    /// The same as bytes, of which those after the first `most` are dropped.
    pub(super) fn bytes(&self, arguments: &[&str], most: usize) -> Result<Vec<u8>, StepError> {
        let mut data = Vec::new();
        let mut said = Lines::default();
        let status = host_command::run(
            "git",
            self.command(arguments),
            self.ends(),
            |bytes| {
                let room_left = most.saturating_sub(data.len());
                data.extend_from_slice(&bytes[..bytes.len().min(room_left)]);
            },
            |bytes| said.take(bytes, |line| self.log(line)),
        );
        said.end(|line| self.log(line));
        self.judge(arguments, status?, &said)?;
        Ok(data)
    }

    fn judge(
        &self,
        arguments: &[&str],
        status: std::process::ExitStatus,
        said: &Lines,
    ) -> Result<(), StepError> {
        if status.success() {
            return Ok(());
        }
        let verb = arguments.first().copied().unwrap_or_default();
        let mut text = format!("error running: git {verb}: {}", exit_text(status));
        if let Some(why) = &said.fatal {
            text = format!("{text}: {}", self.redacted(why));
        }
        Err(StepError::wrong(text))
    }

    fn ends(&self) -> Ends<'_> {
        let temporary = self.directory.parent().unwrap_or(&self.directory);
        Ends {
            until: self.bounds.until,
            watcher: self.bounds.watcher,
            disk: DiskBound::new(temporary, self.bounds.most_bytes),
        }
    }

    /// A line that git says, which may be the server's.
    fn log(&self, line: &[u8]) {
        let left = self.said_left.get();
        if left == 0 {
            return;
        }
        self.said_left.set(left.saturating_sub(line.len()));
        let line = self.secrets.redact(line);
        self.bounds.watcher.log(&self.url.redact(&line));
        if self.said_left.get() == 0 {
            let most = human::bytes(SAID_MOST_BYTES as u64);
            self.bounds
                .watcher
                .log(format!("git says more than {most}: the rest is left out\n").as_bytes());
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).env_clear().current_dir("/");
        bounds::limit(&mut command, self.bounds.most_bytes);
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let ssh = std::env::var_os("GIT_SSH_COMMAND").unwrap_or_else(|| SSH.into());
        command
            .env("LC_ALL", "C")
            .env("GIT_SSH_COMMAND", ssh)
            .env("GIT_DIR", &self.directory)
            .env("GIT_WORK_TREE", self.files)
            .env("GIT_CONFIG_GLOBAL", self.directory.with_file_name("git-config"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
        // The URL is in no file: what it names besides the host may be a secret, too.
        let of_all = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = of_all.into_iter().chain(self.url.settings());
        let mut count = 0;
        for (name, value) in settings {
            command.env(format!("GIT_CONFIG_KEY_{count}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        self.url.give_login(&mut command);
        command
    }
}

/// git as process 1 of a process namespace, where there are the means. What it starts, such as the program that talks to a server, does
/// not notice when git is gone, nor when this process is; there it ends with it.
fn program() -> Command {
    let means = rustix::process::geteuid()
        .is_root()
        .then(|| find("unshare", std::env::var_os("PATH").as_deref()));
    match means {
        Some(Ok(unshare)) => {
            let mut command = Command::new(unshare);
            command.args(["--pid", "--fork", "--kill-child", "--", "git"]);
            command
        }
        _ => Command::new("git"),
    }
}

/// The line that means a name, and all that is in it if it is a directory, among the patterns of what is checked out.
fn pattern(directory: &Path) -> Vec<u8> {
    let mut line = vec![b'/'];
    for &byte in directory.as_os_str().as_bytes() {
        if b"*?[]\\ !#".contains(&byte) {
            line.push(b'\\');
        }
        line.push(byte);
    }
    line.push(b'\n');
    line
}

/// Cuts what comes into lines: secrets can only be found in what is whole.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    /// The first line that says why git gave up; later ones say it again in general.
    fatal: Option<String>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], mut to: impl FnMut(&[u8])) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() > LINE_MOST_BYTES {
                self.give(&mut to);
            }
        }
    }

    fn end(&mut self, mut to: impl FnMut(&[u8])) {
        if !self.line.is_empty() {
            self.line.push(b'\n');
            self.give(&mut to);
        }
    }

    fn give(&mut self, to: &mut impl FnMut(&[u8])) {
        let text: Cow<'_, str> = String::from_utf8_lossy(&self.line);
        if self.fatal.is_none() && (text.starts_with("fatal: ") || text.starts_with("error: ")) {
            self.fatal = Some(text.trim_end().to_owned());
        }
        to(&self.line);
        self.line.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_given_whole_however_they_come() {
        let mut lines = Lines::default();
        let mut given = Vec::new();
        for bytes in ["one\ntw", "o\nfatal: no", " such thing"] {
            lines.take(bytes.as_bytes(), |line| {
                given.push(String::from_utf8_lossy(line).into_owned())
            });
        }
        lines.end(|line| given.push(String::from_utf8_lossy(line).into_owned()));
        assert_eq!(given, ["one\n", "two\n", "fatal: no such thing\n"]);
        assert_eq!(lines.fatal.as_deref(), Some("fatal: no such thing"));
    }

    /// Counts what is logged.
    #[derive(Default)]
    struct Counting(std::sync::Mutex<Vec<u8>>);

    impl Watcher for Counting {
        fn log(&self, bytes: &[u8]) {
            self.0.lock().unwrap().extend_from_slice(bytes);
        }
        fn phase(&self, _: crate::Phase) {}
        fn log_so_far(&self) -> Vec<u8> {
            Vec::new()
        }
        fn is_cancelled(&self) -> bool {
            false
        }
        fn on_cancel(&self, _: Box<dyn Fn() + Send + Sync>) -> Box<dyn std::any::Any + Send> {
            Box::new(())
        }
    }

    /// What was logged while this was done with a new repository.
    fn logged(work: impl FnOnce(&Git<'_>)) -> String {
        let place = tempfile::tempdir().unwrap();
        let files = place.path().join("files");
        let (watcher, secrets) = (Counting::default(), Secrets::default());
        let bounds = GitBounds {
            watcher: &watcher,
            until: Instant::now() + std::time::Duration::from_secs(120),
            most_bytes: 1 << 30,
        };
        let git = Git::new(place.path(), &files, "/x", &secrets, bounds).unwrap();
        git.init(&[]).unwrap();
        work(&git);
        String::from_utf8(watcher.0.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn what_servers_say_has_a_bound() {
        let line = "remote: ".repeat(100);
        // One call after the other: the bound is for all of them.
        let said = logged(|git| {
            for _ in 0..2 {
                let many = format!("alias.says=!yes '{line}' | head -n 10000 >&2");
                git.run(&["-c", &many, "says"]).unwrap();
            }
        });
        assert!(said.starts_with("remote: "), "{said}");
        assert!(
            said.len() < SAID_MOST_BYTES + LINE_MOST_BYTES,
            "{} bytes",
            said.len()
        );
        assert!(
            said.ends_with("\ngit says more than 1 MiB: the rest is left out\n"),
            "{}",
            &said[said.len() - 200..]
        );
    }

    #[test]
    fn what_git_has_in_memory_does_not_grow_with_the_processors() {
        logged(|git| {
            let threads = git.output(&["config", "--get", "pack.threads"]).unwrap();
            assert_eq!(threads.trim(), "4");
        });
    }

    #[test]
    fn names_of_directories_are_no_patterns() {
        assert_eq!(pattern(Path::new("a b/[c]*")), b"/a\\ b/\\[c\\]\\*\n");
    }
}
