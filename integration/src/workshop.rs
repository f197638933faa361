//! What builds images, without a daemon around it: a workshop, an image server, a source image, manifests.

#![allow(clippy::unwrap_used, reason = "a poisoned lock is the end of a test")]

use crate::programs::program;
use crate::server::{Home, ImageServer};
use crate::system_tree;
use crate::tool::Tool;
use anyhow::{Context, Result};
use builder::{
    BuildError, BuildLimits, Built, Delivery, Engine, ObjectCacheConfig, Order, Phase, Recipe, Watcher,
    Workshop, WorkshopConfig, WorkshopError,
};
use image::Image;
use recipe::UserStream;
use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The image that builds start from is this stream's.
pub const SOURCE: &str = "base";
/// Bytes of the object cache.
const CACHE_BYTES: u64 = 1 << 30;
/// The longest a build of a test may take.
const DEADLINE: Duration = Duration::from_secs(300);
/// How long a restart may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A packager that lists what `/etc/packages` says.
const PACKAGER: &str = "#! /bin/sh\n\
    cmd=$1; shift\n\
    case $cmd in\n\
    list) exec cat /etc/packages;;\n\
    copy-in) exec cat > \"$1\";;\n\
    run) exec \"$@\";;\n\
    show-clean-patterns) echo /var/scratch/.*;;\n\
    show-size-multiplier) echo 1024;;\n\
    esac\n";

/// Everything around builds.
pub struct Place {
    directory: tempfile::TempDir,
    pub home: Home,
    pub server: ImageServer,
    pub tool: Tool,
    pub workshop: Workshop,
    next: AtomicU64,
}

/// What a test wants to do when a build comes so far.
type Hook = Box<dyn Fn(Phase, &Recorder) + Send + Sync>;

/// What ends something of a build.
type End = Arc<dyn Fn() + Send + Sync>;

/// Watches a build: keeps its log and phases, and ends it when told.
#[derive(Default)]
pub struct Recorder {
    log: Mutex<Vec<u8>>,
    phases: Mutex<Vec<Phase>>,
    cancelled: Mutex<(bool, Vec<End>)>,
    hook: Option<Hook>,
}

impl Recorder {
    /// One that calls `hook` at the beginning of each phase.
    pub fn with_hook(hook: impl Fn(Phase, &Recorder) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            hook: Some(Box::new(hook)),
            ..Self::default()
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log_so_far()).into_owned()
    }

    pub fn phases(&self) -> Vec<Phase> {
        self.phases.lock().unwrap().clone()
    }

    pub fn cancel(&self) {
        let ends = {
            let mut cancelled = self.cancelled.lock().unwrap();
            cancelled.0 = true;
            cancelled.1.clone()
        };
        ends.iter().for_each(|end| end());
    }
}

impl Watcher for Recorder {
    fn log(&self, bytes: &[u8]) {
        self.log.lock().unwrap().extend_from_slice(bytes);
    }

    fn phase(&self, phase: Phase) {
        self.phases.lock().unwrap().push(phase);
        if let Some(hook) = &self.hook {
            hook(phase, self);
        }
    }

    fn log_so_far(&self) -> Vec<u8> {
        self.log.lock().unwrap().clone()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.lock().unwrap().0
    }

    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        let end: End = Arc::from(end);
        let is_cancelled = {
            let mut cancelled = self.cancelled.lock().unwrap();
            cancelled.1.push(Arc::clone(&end));
            cancelled.0
        };
        if is_cancelled {
            end();
        }
        // It is called once more than needed at worst.
        Box::new(())
    }
}

impl Place {
    /// An image server with a source image: a small system with `change` applied to it.
    pub fn new(change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let home = Home::new()?;
        let server = home.start_insecure(&[])?;
        Self::at(home, server, change)
    }

    /// The same with a server of another kind.
    pub fn at(home: Home, server: ImageServer, change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-workshop.")
            .tempdir_in("/var/tmp")?;
        let tool = Tool::new(&server, &directory.path().join("none"), directory.path());
        let workshop = Workshop::new(config(&server, directory.path())?)?;
        let place = Self {
            directory,
            home,
            server,
            tool,
            workshop,
            next: AtomicU64::new(1),
        };
        let system = place.path().join("system");
        system_tree::make(&system)?;
        let packager = system.join("usr/bin/generic-packager");
        fs::write(&packager, PACKAGER)?;
        fs::set_permissions(&packager, fs::Permissions::from_mode(0o755))?;
        fs::write(system.join("etc/packages"), "zsh 5.9 3\nbash 5.2 2\n")?;
        change(&system)?;
        fs::write(place.path().join("filter"), "/var/log/.*\n")?;
        place.tool.must(&["mkdir", SOURCE])?;
        place.add_source("2026-01-01:00:00:00")?;
        Ok(place)
    }

    /// Adds the system as it is now as another source image.
    pub fn add_source(&self, leaf: &str) -> Result<()> {
        let name = format!("{SOURCE}/{leaf}");
        let [system, filter] = ["system", "filter"].map(|name| self.path().join(name).display().to_string());
        self.tool.must(&["add", &name, &system, &filter, ""])?;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// How the workshop is set up.
    pub fn config(&self) -> Result<WorkshopConfig> {
        config(&self.server, self.path())
    }

    /// Ends the workshop and starts another one, as a restart of the daemon does.
    pub fn restart_with(&mut self, change: impl FnOnce(&mut WorkshopConfig)) -> Result<()> {
        let mut config = self.config()?;
        change(&mut config);
        let elsewhere = WorkshopConfig {
            temporary: self.path().join("meanwhile"),
            state_directory: self.path().join("meanwhile"),
            object_cache: None,
            ..self.config()?
        };
        self.workshop = Workshop::new(elsewhere)?;
        // A child that another test has just started holds the locks until it becomes another program.
        let deadline = Instant::now() + PATIENCE;
        self.workshop = loop {
            match Workshop::new(config.clone()) {
                Err(WorkshopError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
                other => break other?,
            }
        };
        Ok(())
    }

    /// Where the trees of builds are.
    pub fn trees(&self) -> PathBuf {
        self.workshop.figures().temporary
    }

    /// Writes a manifest: paths and texts. What begins with `#!` can be run. Gives the order to build it.
    pub fn order(&self, stream: &str, files: &[(&str, &str)]) -> Result<Order> {
        let directory = self.path().join("manifests").join(stream);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        for (name, text) in files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().context("no directory")?)?;
            fs::write(&path, text)?;
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(Order {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            slot: 0,
            stream: stream.to_owned(),
            recipe: Recipe::User {
                stream: Arc::new(UserStream {
                    manifest_url: format!("dir://{}", directory.display()),
                    ..UserStream::default()
                }),
                bind_mounts: Vec::new(),
                mtimes_copy_filter_lines: Vec::new(),
                cache: None,
            },
            variables: BTreeMap::new(),
            branch: String::new(),
            max_source_age: None,
            expires_in: Some(Duration::from_secs(3600)),
            deadline: DEADLINE,
            created_for: "somebody".to_owned(),
            delivery: Delivery::Publish,
            secrets: Arc::default(),
        })
    }

    /// Builds, and gives the log too.
    pub fn build(&self, order: &Order) -> (Result<Built, BuildError>, String) {
        let recorder = Arc::new(Recorder::default());
        let built = self.build_watched(order, &recorder);
        (built, recorder.text())
    }

    pub fn build_watched(&self, order: &Order, recorder: &Arc<Recorder>) -> Result<Built, BuildError> {
        let watcher: Arc<dyn Watcher> = Arc::clone(recorder) as _;
        self.workshop.build(order, &watcher)
    }

    /// Builds what must succeed; the image as it is on the server, its name, and the log.
    pub fn image(&self, order: &Order) -> Result<(Image, String, String)> {
        let (built, log) = self.build(order);
        let built = built.with_context(|| log.clone())?;
        Ok((self.fetch(&built.name)?, built.name, log))
    }

    /// An image from the server.
    pub fn fetch(&self, name: &str) -> Result<Image> {
        self.call(async |server| {
            let image = server.get_image(name, Duration::ZERO).await?;
            Ok(image.map(Arc::unwrap_or_clone))
        })?
        .with_context(|| format!("no image {name}"))
    }

    /// Calls of the server.
    pub fn call<T>(
        &self,
        work: impl AsyncFnOnce(&mut image_client::ImageServer) -> Result<T, image_client::Error>,
    ) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let options = srpc::ConnectOptions::new(self.server.address().to_string());
        Ok(runtime.block_on(async {
            let mut server = image_client::ImageServer::connect(&options).await?;
            work(&mut server).await
        })?)
    }

    /// What is in the directory of the trees beside the lock and the trees that are kept.
    pub fn leftovers(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.trees())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // Trees are kept for the next build of a stream that was built well.
            if ![".lock", ".kept"].contains(&name.as_str()) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn config(server: &ImageServer, directory: &Path) -> Result<WorkshopConfig> {
    let address = server.address().to_string();
    Ok(WorkshopConfig {
        temporary: directory.join("tmp"),
        state_directory: directory.join("state"),
        object_cache: Some(ObjectCacheConfig {
            directory: directory.join("cache"),
            most_bytes: CACHE_BYTES,
        }),
        sandbox: sandbox::Command::by(program("sandbox-child")?),
        limits: BuildLimits {
            processes: Some(512),
            ..BuildLimits::default()
        },
        network: sandbox::Network::None,
        connect: Arc::new(move || srpc::ConnectOptions::new(address.clone())),
    })
}
