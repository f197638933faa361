//! What the tests of commands in sandboxes share. They run as root; without root nothing of this can.
#![allow(clippy::unwrap_used, dead_code)] // Tests; none of them uses all of this.

use sandbox::{Bind, Command, Outcome, Spec, View};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A small tree whose programs are the host's, read-only.
pub(crate) struct Tree {
    pub(crate) directory: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip_without("root");
            return None;
        }
        let directory = tempfile::tempdir_in("/var/tmp").unwrap();
        // What a command makes set-user-id is that on the host too: nobody there may come near it.
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(directory.path(), closed).unwrap();
        let tree = Self { directory };
        let root = tree.root();
        for name in ["etc", "root", "tmp", "usr"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["bin", "lib", "lib64", "sbin"] {
            symlink(format!("usr/{name}"), root.join(name)).unwrap();
        }
        std::fs::write(
            root.join("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
        )
        .unwrap();
        Some(tree)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub(crate) fn spec(&self, script: &str) -> Spec {
        let mut spec = Spec::new(View::Tree { root: self.root() }, ["/bin/sh", "-c", script]);
        spec.binds.push(Bind {
            source: "/usr".into(),
            target: "/usr".into(),
            writable: false,
        });
        let path = "/usr/sbin:/usr/bin:/sbin:/bin";
        spec.environment = vec![("PATH".to_owned(), path.to_owned())];
        // Tests run at the same time.
        spec.group = format!("test-{}", self.directory.path().file_name().unwrap().display());
        spec.limits.time = Some(Duration::from_secs(60));
        spec
    }

    pub(crate) fn run(&self, script: &str) -> (Outcome, String) {
        run(&self.spec(script))
    }
}

/// Says loudly that something was not tried, also to the file by which a run counts such lines.
pub(crate) fn skip_without(what: &str) {
    use std::io::Write;
    let line = format!("SKIPPED: sandbox: {what} is needed\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(log) = std::env::var_os("IMAGEWRIGHT_SKIP_LOG") {
        let mut log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(log)
            .unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
}

pub(crate) fn run(spec: &Spec) -> (Outcome, String) {
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut output = String::new();
    let outcome = command
        .run(spec, |line| {
            output.push_str(&line.text());
            output.push('\n');
        })
        .unwrap();
    (outcome, output)
}

pub(crate) fn owner(path: &Path) -> (u32, u32) {
    let metadata = path.symlink_metadata().unwrap();
    (metadata.uid(), metadata.gid())
}

pub(crate) fn runs(marker: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&format!("sleep\0{marker}")))
    })
}

pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts sandboxes with something mounted before, in mounts that are theirs: they go with them.
pub(crate) fn wrapper(directory: &Path, before: &str) -> Command {
    let program = directory.join("start");
    let child = env!("CARGO_BIN_EXE_sandbox-child");
    let script = format!(
        "#!/bin/bash
         set -e
         if [ -z \"$inside\" ]; then inside=1 exec /usr/bin/unshare --mount --propagation private \"$0\"; fi
         PATH=/usr/sbin:/usr/bin
         {{
         {before}
         }} </dev/null
         exec -a imagewright-sandbox {child}
        "
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    Command::by(program)
}

pub(crate) fn is_mounted(below: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.contains(below.to_str().unwrap())
}
