//! An image builder of either side, at work for one stream made by copying a tree and one built on that.

use super::credentials::Credentials;
use super::scratch::Scratch;
use super::server::{Server, free_port};
use super::side::BuilderPrograms;
use anyhow::{Context, ensure};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The stream made by copying the tree.
pub(crate) const BOOTSTRAP: &str = "bench/bootstrap";
/// The stream built on it: a file, a script and a test that do next to nothing.
pub(crate) const TRIVIAL: &str = "bench/trivial";

/// A running image builder.
pub(crate) struct Builder<'a> {
    programs: &'a BuilderPrograms,
    credentials: &'a Credentials,
    server: Server,
}

impl<'a> Builder<'a> {
    /// Starts one that publishes to `images`.
    pub(crate) fn start(
        programs: &'a BuilderPrograms,
        credentials: &'a Credentials,
        scratch: &Scratch,
        tree: &Path,
        images: &Server,
    ) -> anyhow::Result<Self> {
        let home = scratch.fresh("builder");
        std::fs::create_dir_all(home.join("tmp"))?;
        let configuration = configure(&home, tree)?;
        let port = free_port()?;
        let certificate = |name: &str| credentials.builder.join(name).display().to_string();
        let mut command = Command::new(&programs.imaginator);
        command
            .arg(format!("-portNum={port}"))
            .arg(format!("-configurationUrl=file://{}", configuration.display()))
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", images.port))
            .arg(format!("-stateDir={}", home.join("state").display()))
            .arg(format!("-buildLogDir={}", home.join("logs").display()))
            .arg(format!("-CAfile={}", certificate("CA.pem")))
            .arg("-identityCAfile=")
            .arg(format!("-certFile={}", certificate("cert.pem")))
            .arg(format!("-keyFile={}", certificate("key.pem")))
            .args([
                "-imageRebuildInterval=0s",
                "-logDir=",
                "-alsoLogToStderr",
                "-srpcTrustVmOwners=false",
            ])
            .env("TMPDIR", home.join("tmp"));
        Ok(Self {
            programs,
            credentials,
            server: Server::start_command(command, port, &home.join("log"), scratch)?,
        })
    }

    /// Has an image built; the time from the start of the tool to its end.
    pub(crate) fn build(&self, stream: &str) -> anyhow::Result<Duration> {
        let mut command = Command::new(&self.programs.builder_tool);
        command
            .arg("-imaginatorHostname=127.0.0.1")
            .arg(format!("-imaginatorPortNum={}", self.server.port))
            .arg(format!("-certDirectory={}", self.credentials.client.display()))
            .args(["build-image", stream])
            .stdin(Stdio::null());
        let start = Instant::now();
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.programs.builder_tool.display()))?;
        let time = start.elapsed();
        ensure!(
            output.status.success(),
            "builder-tool build-image {stream} ended with {}:\n{}\nthe builder's log:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            self.server.log_tail()
        );
        Ok(time)
    }

    /// Ends it as a service manager would.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.server.stop()
    }
}

/// Configuration, streams and manifest; the path of the first.
fn configure(home: &Path, tree: &Path) -> anyhow::Result<PathBuf> {
    let manifest = home.join("manifest");
    for directory in ["files/etc", "scripts", "tests"] {
        std::fs::create_dir_all(manifest.join(directory))?;
    }
    std::fs::write(
        manifest.join("manifest"),
        json!({ "SourceImage": BOOTSTRAP }).to_string(),
    )?;
    std::fs::write(manifest.join("files/etc/bench"), "built\n")?;
    for script in ["scripts/one", "tests/one"] {
        let script = manifest.join(script);
        std::fs::write(&script, "#! /bin/sh\ntest -f /etc/bench\n")?;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    }
    let streams = home.join("streams.json");
    let manifest_url = format!("dir://{}", manifest.display());
    let content = json!({ "Streams": { TRIVIAL: { "ManifestUrl": manifest_url } } });
    std::fs::write(&streams, content.to_string())?;
    let configuration = home.join("configuration.json");
    let content = json!({
        "BootstrapStreams": { BOOTSTRAP: {
            "BindMounts": [tree],
            "BootstrapCommand": ["cp", "-aT", tree, "$dir"],
            "PackagerType": "none",
        } },
        "ImageStreamsUrl": format!("file://{}", streams.display()),
        "PackagerTypes": { "none": {} },
    });
    std::fs::write(&configuration, content.to_string())?;
    Ok(configuration)
}
