//! An image builder of its own for a test: the real daemon as root, an image server that asks for certificates, configuration,
//! manifests, users.

mod daemon;
mod requests;

pub use daemon::Imaginator;
pub use requests::Building;

use crate::certificates::Authority;
use crate::secured::Secured;
use crate::system_tree;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
            .permissions(fs::Permissions::from_mode(0o700))
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
