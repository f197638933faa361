//! A small system tree: some programs of this host with their libraries, a packager, two users; a manifest beside it; a room.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use builder::{Environment, Room, RoomConfig, Watcher};

use crate::recorder::Recorder;

const PROGRAMS: [&str; 24] = [
    "cat", "chmod", "chown", "cp", "env", "false", "grep", "head", "id", "ln", "ls", "mkdir", "mknod", "mv",
    "rm", "seq", "setsid", "sh", "sleep", "sort", "touch", "true", "wc", "tr",
];
/// Writes what it is asked to `/packager.log`; knows one package.
const PACKAGER: &str = r#"#! /bin/sh
export FROM_VERBATIM=verbatim
cmd="$1"; shift
case "$cmd" in
run) exec "$@";;
copy-in) exec cat > "$1";;
esac
echo "$cmd $*" >> /packager.log
[ -e /etc/resolv.conf ] && [ -s /etc/resolv.conf ] && echo resolvable >> /packager.log
case "$cmd" in
show-clean-patterns) echo '/var/cache/.*'; echo '# no pattern'; echo 'a warning' >&2; exit 0;;
show-size-multiplier) echo 1024; exit 0;;
list) echo 'zlib 1.3 7'; echo 'adduser 3.134 686'; echo 'a warning' >&2; exit 0;;
fail) exit 100;;
esac
echo "packager: $cmd"
exit 0
"#;

pub(crate) struct Place {
    directory: tempfile::TempDir,
    pub(crate) watcher: Arc<Recorder>,
}

impl Place {
    /// `None`, said loudly, if this is not root.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip();
            return None;
        }
        let place = Self::without_tree();
        make_tree(&place.root());
        Some(place)
    }

    /// With an empty image and an empty manifest.
    pub(crate) fn without_tree() -> Self {
        let directory = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let place = Self {
            directory,
            watcher: Arc::default(),
        };
        fs::create_dir_all(place.root()).unwrap();
        fs::create_dir_all(place.manifest()).unwrap();
        place
    }

    pub(crate) fn watched_by(mut self, watcher: Recorder) -> Self {
        self.watcher = Arc::new(watcher);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("root")
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.path().join("manifest")
    }

    pub(crate) fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::clone(&self.watcher) as Arc<dyn Watcher>
    }

    pub(crate) fn log(&self) -> String {
        self.watcher.text()
    }

    pub(crate) fn room(&self) -> Room {
        self.room_of(Duration::from_secs(120))
    }

    pub(crate) fn room_of(&self, deadline: Duration) -> Room {
        let name = self.path().file_name().unwrap().to_string_lossy();
        let config = RoomConfig {
            command: sandbox::Command::by(env!("CARGO_BIN_EXE_builder-sandbox-child")),
            limits: sandbox::Limits::default(),
            network: sandbox::Network::None,
            slot: 200,
            // Tests run at the same time.
            group: format!("steps{}", name.replace('.', "-")),
            deadline,
        };
        Room::new(config, self.root(), self.watcher())
    }

    /// Writes a file of the manifest.
    pub(crate) fn write(&self, path: &str, content: &str) {
        write(&self.manifest().join(path), content);
    }

    /// Writes a script of the manifest.
    pub(crate) fn script(&self, path: &str, commands: &str) {
        self.write(path, &format!("#! /bin/sh\n{commands}\n"));
    }

    /// What is in a file of the image.
    pub(crate) fn image(&self, path: &str) -> String {
        let path = self.root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Changes the packager.
    pub(crate) fn replace_in_packager(&self, from: &str, to: &str) {
        let path = self.root().join("usr/bin/generic-packager");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }
}

pub(crate) fn environment() -> Environment {
    [("INJECTED", "a value"), ("ARCH", "amd64")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

pub(crate) fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Where each text begins in another, in the order given: each after the one before.
pub(crate) fn assert_in_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        match text[from..].find(part) {
            Some(at) => from += at + part.len(),
            None => panic!("{part:?} is not where it should be in:\n{text}"),
        }
    }
}

/// Says loudly that something was not tried, also to the file by which a run counts such lines.
pub(crate) fn skip() {
    use std::io::Write;
    let line = "SKIPPED: builder: root is needed\n";
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(log) = std::env::var_os("IMAGEWRIGHT_SKIP_LOG") {
        let mut log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(log)
            .unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
}

fn make_tree(root: &Path) {
    for name in [
        "dev",
        "etc",
        "proc",
        "root",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "var/cache",
    ] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["bin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
    write(&root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    write(&root.join("var/cache/left"), "behind");
    let mut files = BTreeSet::new();
    for name in PROGRAMS {
        let program = ["/usr/bin", "/bin"]
            .map(|place| Path::new(place).join(name))
            .into_iter()
            .find(|path| path.exists())
            .unwrap();
        let listed = Command::new("ldd").arg(&program).output().unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        files.extend(
            listed
                .split_whitespace()
                .filter(|word| word.starts_with('/'))
                .map(PathBuf::from),
        );
        files.insert(program);
    }
    for file in files {
        let inside = file.strip_prefix("/").unwrap();
        let inside = if inside.starts_with("usr") {
            inside.to_owned()
        } else {
            Path::new("usr").join(inside)
        };
        let target = root.join(inside);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
    let packager = root.join("usr/bin/generic-packager");
    write(&packager, PACKAGER);
    fs::set_permissions(packager, fs::Permissions::from_mode(0o755)).unwrap();
}
