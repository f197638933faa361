//! An image builder of its own for a test: the real daemon as root, an image server that asks for certificates, configuration,
//! manifests, users.

use crate::certificates::Authority;
use crate::programs::program;
use crate::secured::Secured;
use crate::server::{Answer, free_port};
use crate::system_tree;
use crate::tool::Outcome;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the daemon may take until it answers, and how long to end.
const PATIENCE: Duration = Duration::from_secs(90);
/// The stream made by copying [`Workplace::system_tree`].
pub const BOOTSTRAP: &str = "bootstrap/small";
/// Whoever may do everything.
pub const ADMINISTRATOR: &str = "administrator";

/// Everything around a builder: it may be started more than once.
pub struct Workplace {
    /// On a roomy disk; closed to others, as trees of builds have to be.
    directory: tempfile::TempDir,
    pub images: Secured,
    configuration: Value,
    streams: Value,
    /// The daemon's program, if not ours.
    foreign: Option<PathBuf>,
    /// The tool's program, if not ours.
    foreign_tool: Option<PathBuf>,
}

/// A running daemon; dropping it kills it.
pub struct Imaginator {
    child: Option<Child>,
    pub port: u16,
    log: PathBuf,
}

/// A request that is going on.
pub struct Building {
    child: Child,
    pub log: BufReader<ChildStderr>,
    pub output: BufReader<ChildStdout>,
}

/// Whether this test can have a builder: it has to be root. Says loudly if not.
pub fn lacks_root(test: &str) -> bool {
    let lacks = !rustix::process::geteuid().is_root();
    if lacks {
        crate::skip(test, "the image builder runs as root");
    }
    lacks
}

impl Workplace {
    /// An image server, a user who may do everything, a bootstrap stream that copies a small system, and no other streams.
    pub fn new() -> Result<Self> {
        Self::publishing_to(Secured::new(&[])?)
    }

    /// The same beside an image server that is there.
    pub fn publishing_to(images: Secured) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-builder.")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in("/var/tmp")?;
        let mut workplace = Self {
            directory,
            images,
            configuration: Value::Null,
            streams: json!({ "Streams": {} }),
            foreign: None,
            foreign_tool: None,
        };
        for name in ["tmp", "state", "builds", "manifests"] {
            fs::create_dir(workplace.path().join(name))?;
        }
        system_tree::make(&workplace.system_tree())?;
        workplace.write_packager()?;
        let ssl = workplace.path().join("ssl");
        let authority = workplace.authority();
        authority.issue(
            "imaginator",
            &["--server", "localhost,127.0.0.1", "--preset", "builder"],
            &ssl,
        )?;
        fs::copy(authority.directory().join("CA.pem"), ssl.join("CA.pem"))?;
        workplace.images.issue(ADMINISTRATOR, &["--preset", "admin"])?;
        workplace.configuration = workplace.first_configuration();
        workplace.save()?;
        Ok(workplace)
    }

    /// With another implementation's daemon.
    #[must_use]
    pub fn with_program(mut self, program: &Path) -> Self {
        self.foreign = Some(program.to_owned());
        self
    }

    /// With another implementation's tool.
    #[must_use]
    pub fn with_tool(mut self, program: &Path) -> Self {
        self.foreign_tool = Some(program.to_owned());
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn authority(&self) -> &Authority {
        &self.images.authority
    }

    /// What the bootstrap stream copies. Tests may change it.
    pub fn system_tree(&self) -> PathBuf {
        self.path().join("system")
    }

    /// Where builds have their trees.
    pub fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// Directories that builds have left, or are using; not those that are kept for the next build of a stream.
    pub fn trees(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for of_daemon in fs::read_dir(self.temporary())? {
            for entry in fs::read_dir(of_daemon?.path())? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && entry.file_name() != ".kept" {
                    found.push(entry.path());
                }
            }
        }
        Ok(found)
    }

    pub fn build_logs(&self) -> PathBuf {
        self.path().join("builds")
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Where the manifest of a stream lies.
    pub fn manifest(&self, stream: &str) -> PathBuf {
        self.path().join("manifests").join(stream)
    }

    /// Changes the main configuration.
    pub fn configure(&mut self, change: impl FnOnce(&mut Value)) -> Result<()> {
        change(&mut self.configuration);
        self.save()
    }

    /// Adds a user stream whose manifest is a directory, built from `source`. `files` are paths in the manifest with their contents;
    /// scripts and tests are executable.
    pub fn add_stream(&mut self, name: &str, source: &str, files: &[(&str, &str)]) -> Result<()> {
        self.write_manifest(name, &json!({ "SourceImage": source }), files)?;
        let url = format!("dir://{}", self.manifest(name).display());
        self.set_stream(name, json!({ "ManifestUrl": url }))
    }

    /// Adds or changes a stream.
    pub fn set_stream(&mut self, name: &str, stream: Value) -> Result<()> {
        self.streams["Streams"][name] = stream;
        self.save()
    }

    /// Adds streams whose names match a pattern.
    pub fn set_pattern(&mut self, pattern: &str, stream: Value) -> Result<()> {
        self.streams["StreamPatterns"][pattern] = stream;
        self.save()
    }

    /// Writes a manifest anew.
    pub fn write_manifest(&self, name: &str, manifest: &Value, files: &[(&str, &str)]) -> Result<()> {
        let directory = self.manifest(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("manifest"), manifest.to_string())?;
        for (path, content) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().context("no directory")?)?;
            fs::write(&path, content)?;
            let is_program = content.starts_with("#!");
            fs::set_permissions(
                &path,
                fs::Permissions::from_mode(if is_program { 0o755 } else { 0o644 }),
            )?;
        }
        Ok(())
    }

    /// Starts the daemon with `flags` beside those of its places, and waits until it answers. Nothing is rebuilt by itself, unless the
    /// flags say so.
    pub fn start(&self, flags: &[&str]) -> Result<Imaginator> {
        self.start_on(free_port()?, flags)
    }

    /// The same on a port that others were told of.
    pub fn start_on(&self, port: u16, flags: &[&str]) -> Result<Imaginator> {
        let log = self.path().join("imaginator.log");
        let output = fs::File::options().create(true).append(true).open(&log)?;
        let mut command = self.command(port)?;
        command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command.spawn().context("cannot start the image builder")?;
        let mut daemon = Imaginator {
            child: Some(child),
            port,
            log,
        };
        daemon.wait_until_healthy()?;
        Ok(daemon)
    }

    /// Runs the daemon with `flags` where it is expected to end by itself.
    pub fn run_to_its_end(&self, flags: &[&str]) -> Result<Outcome> {
        outcome(self.command(free_port()?)?.args(flags))
    }

    fn command(&self, port: u16) -> Result<Command> {
        let binary = match &self.foreign {
            Some(binary) => binary.clone(),
            None => program("imaginator")?,
        };
        let at = |name: &str| self.path().join(name).display().to_string();
        let mut command = Command::new("sh");
        // The daemon refuses to start with any other.
        command
            .args(["-c", "umask 022; exec \"$@\"", "imaginator"])
            .arg(binary);
        command
            .arg(format!("-portNum={port}"))
            .arg(format!("-configurationUrl=file://{}", at("imaginator.json")))
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.images.server.port))
            .arg(format!("-stateDir={}", at("state")))
            .arg(format!("-buildLogDir={}", at("builds")))
            .arg(format!("-CAfile={}", at("ssl/CA.pem")))
            .arg("-identityCAfile=")
            .arg(format!("-certFile={}", at("ssl/cert.pem")))
            .arg(format!("-keyFile={}", at("ssl/key.pem")))
            .args([
                "-logDir=",
                "-alsoLogToStderr",
                "-srpcTrustVmOwners=false",
                "-imageRebuildInterval=0s",
            ])
            .env("TMPDIR", self.temporary())
            // A group of its own: what is killed is the daemon, not the test.
            .process_group(0);
        Ok(command)
    }

    /// `builder-tool` as a user, with arguments.
    pub fn tool(&self, user: &str, port: u16, arguments: &[&str]) -> Result<Command> {
        let binary = match &self.foreign_tool {
            Some(binary) => binary.clone(),
            None => program("builder-tool")?,
        };
        let mut command = Command::new(binary);
        command
            .arg("-imaginatorHostname=127.0.0.1")
            .arg(format!("-imaginatorPortNum={port}"))
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.images.server.port))
            .arg(format!(
                "-certDirectory={}",
                self.images.certificates(user).display()
            ))
            .args(arguments)
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Has an image built, to its end: `out` is its name, `err` the log.
    pub fn build(&self, daemon: &Imaginator, stream: &str) -> Result<Outcome> {
        self.build_as(ADMINISTRATOR, daemon, &["build-image", stream])
    }

    /// The same as a user, with whatever arguments.
    pub fn build_as(&self, user: &str, daemon: &Imaginator, arguments: &[&str]) -> Result<Outcome> {
        let arguments = [&["-alwaysShowBuildLog"], arguments].concat();
        outcome(&mut self.tool(user, daemon.port, &arguments)?)
    }

    /// Has an image built; its name. A build that fails is an error with its log.
    pub fn built(&self, daemon: &Imaginator, stream: &str) -> Result<String> {
        let outcome = self.build(daemon, stream)?;
        ensure!(
            outcome.code == 0,
            "{stream} was not built:\n{}\nthe daemon's log:\n{}",
            outcome.err,
            daemon.log_text()
        );
        Ok(outcome.out.trim_end().to_owned())
    }

    /// Begins a build, whose log can be followed.
    pub fn begin(&self, user: &str, daemon: &Imaginator, stream: &str) -> Result<Building> {
        let mut child = self
            .tool(user, daemon.port, &["-alwaysShowBuildLog", "build-image", stream])?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = BufReader::new(child.stderr.take().context("no log")?);
        let output = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Building { child, log, output })
    }

    /// A token with which the pages do what methods do, as a user.
    pub fn page_token(&self, user: &str, daemon: &Imaginator) -> Result<String> {
        let outcome = outcome(&mut self.tool(user, daemon.port, &["get-page-token"])?)?;
        ensure!(outcome.code == 0, "{}", outcome.err);
        Ok(outcome.out.trim().to_owned())
    }

    /// Adds a stream whose script says `before`, waits until [`Self::go_on`] is called, and says `after`.
    pub fn add_waiting_stream(&mut self, name: &str, source: &str, before: &str, after: &str) -> Result<()> {
        let signals = self.path().join("signals");
        fs::create_dir_all(&signals)?;
        let mounts = json!([signals]);
        self.configure(|configuration| configuration["BindMounts"] = mounts)?;
        let script = format!(
            "#! /bin/sh\necho '{before}'\nwhile [ ! -e {}/go ]; do sleep 0.1; done\necho '{after}'\n",
            signals.display()
        );
        self.add_stream(name, source, &[("scripts/wait", &script)])
    }

    /// Lets the scripts go on that wait.
    pub fn go_on(&self) -> Result<()> {
        Ok(fs::write(self.path().join("signals/go"), "")?)
    }

    /// The image's files as they would be on a machine.
    pub fn unpack(&self, image: &str, into: &Path) -> Result<()> {
        let tool = self.images.tool(ADMINISTRATOR);
        let got = tool.run(&["get", image, &into.display().to_string()])?;
        ensure!(got.code == 0, "{}", got.err);
        Ok(())
    }

    fn save(&self) -> Result<()> {
        let write = |name: &str, value: &Value| -> Result<()> {
            // Replaced whole, as editors do: the daemon may be watching.
            let (path, temporary) = (self.path().join(name), self.path().join(format!("{name}~")));
            fs::write(&temporary, serde_json::to_vec_pretty(value)?)?;
            Ok(fs::rename(temporary, path)?)
        };
        write("streams.json", &self.streams)?;
        write("imaginator.json", &self.configuration)
    }

    fn first_configuration(&self) -> Value {
        json!({
            "BootstrapStreams": { BOOTSTRAP: {
                "BindMounts": [self.system_tree()],
                "BootstrapCommand": ["cp", "-aT", self.system_tree(), "$dir"],
                "FilterLines": ["/etc/hostname"],
                "PackagerType": "test",
            } },
            "ImageStreamsUrl": format!("file://{}", self.path().join("streams.json").display()),
            "PackagerTypes": { "test": {
                "CleanCommand": ["/usr/sbin/packages", "clean"],
                "InstallCommand": ["/usr/sbin/packages", "install"],
                "ListCommand": { "ArgList": ["cat", "/var/lib/packages"], "SizeMultiplier": 1024 },
                "RemoveCommand": ["/usr/sbin/packages", "remove"],
                "UpdateCommand": ["/usr/sbin/packages", "update"],
                "UpgradeCommand": ["/usr/sbin/packages", "upgrade"],
                "Verbatim": ["export TEST_PACKAGES=1"],
            } },
        })
    }

    /// A package manager of few words: what is installed is a line in a file.
    fn write_packager(&self) -> Result<()> {
        let path = self.system_tree().join("usr/sbin/packages");
        let script = "#! /bin/sh\nset -e\nverb=$1; shift; echo \"packages: $verb $*\"\nif [ \"$verb\" = install ]; then for name; do echo \
                      \"$name 1.0 3\" >>/var/lib/packages; done; fi\n";
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        fs::create_dir_all(self.system_tree().join("var/lib"))?;
        Ok(fs::write(
            self.system_tree().join("var/lib/packages"),
            "base 1 7\n",
        )?)
    }
}

impl Imaginator {
    pub fn process_id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Status and body of a page.
    pub fn page(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.request("GET", path, &[], "")?;
        Ok((answer.status, answer.body))
    }

    /// One web request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").context("no end of headers")?;
        Ok(Answer {
            status: head.split(' ').nth(1).context("no status")?.parse()?,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// The same for what forms send: names and values.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Result<Answer> {
        let encoded = |text: &str| {
            text.bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>()
        };
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        self.request("POST", path, &[&form, headers].concat(), &fields.join("&"))
    }

    /// Asks it to end, and says with which code it did.
    pub fn stop(mut self) -> Result<Option<i32>> {
        let mut child = self.child.take().context("it is not running")?;
        let process = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(process.context("no process")?, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!(
            "the image builder did not stop within {} s of SIGTERM",
            PATIENCE.as_secs()
        );
    }

    /// Ends it without warning.
    pub fn kill(mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The original has no page for this, but a status page.
            let answers = |path| self.page(path).is_ok_and(|(status, _)| status == 200);
            if answers("/healthz") || answers("/") {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the image builder ended with {status}:\n{}", self.log_text());
            }
            ensure!(
                Instant::now() < deadline,
                "the image builder does not answer:\n{}",
                self.log_text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Imaginator {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Building {
    /// Waits for its end; what is left of output and log.
    pub fn end(mut self) -> Result<Outcome> {
        let mut out = String::new();
        let mut err = Vec::new();
        self.log.read_to_end(&mut err)?;
        self.output.read_to_string(&mut out)?;
        let status = self.child.wait()?;
        Ok(Outcome {
            out,
            err: String::from_utf8_lossy(&err).into_owned(),
            code: status.code().unwrap_or(-1),
        })
    }

    /// Ends the tool without warning.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

fn outcome(command: &mut Command) -> Result<Outcome> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    Ok(Outcome {
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or(-1),
    })
}
