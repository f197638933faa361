//! A machine of its own for a test: a Debian tree of which nothing stays, processes and a network that nobody else sees.
//!
//! The tree of `IMAGEWRIGHT_DEBIAN_TREE` lies below an overlay (or is copied where the kernel has none), so that packages can be
//! installed, daemons started and users made as on a bare Debian without a service manager. Everything in it ends with the value.

use crate::programs::{all_programs, program};
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long whatever is waited for in it may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Inside the new namespaces: mounts the tree, becomes its first process and says so. It reads its standard input till that is
/// closed, and the kernel ends every process of the machine with it. bash, because that reaps whatever is orphaned.
const SET_UP: &str = r#"
set -e
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root 2>/dev/null || cp -a "$2/." root/
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/run
ip link set lo up
exec chroot root /bin/bash -c 'echo ready; while read -r _; do :; done'
"#;

/// Debian packages of the libraries that a program needs and the tree lacks, made from what is installed here: no network is asked.
const LIBRARY_PACKAGES: &str = r#"
set -eu
for file in $(ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'); do dpkg -S "*/${file##*/}"; done |
  sed -n 's/^\([a-z0-9.+-]*\)\(:[a-z0-9]*\)\{0,1\}: .*/\1/p' | sort -u |
while read -r package; do
  ! chroot "$2" dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || continue
  tree=$3/$package.tree
  mkdir -p "$tree/DEBIAN"
  dpkg-query -L "$package" | while read -r file; do [ -d "$file" ] || printf '%s\n' "${file#/}"; done |
    tar -C / -cf - -T - | tar -C "$tree" -xf -
  dpkg-query -W -f='Package: ${Package}\nVersion: ${Version}\nArchitecture: ${Architecture}\nMaintainer: ${Maintainer}\nDepends: ${Depends}\nDescription: as installed here\n' \
    "$package" >"$tree/DEBIAN/control"
  dpkg-deb -Znone --build "$tree" "$3/$package.deb" >/dev/null
  rm -rf "$tree"
done
"#;

/// See the module's text.
pub struct Machine {
    init: Child,
    directory: tempfile::TempDir,
}

/// What a command in the machine printed, and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The tree that machines are made of, or a skip of the test.
pub fn debian_tree(test: &str) -> Option<PathBuf> {
    let tree = std::env::var_os("IMAGEWRIGHT_DEBIAN_TREE")
        .map(PathBuf::from)
        .filter(|path| path.is_dir());
    if tree.is_none() {
        crate::skip(
            test,
            "IMAGEWRIGHT_DEBIAN_TREE names no tree: run it through `make test`",
        );
    } else if !rustix::process::geteuid().is_root() {
        crate::skip(test, "needs root: mounts, users and packages");
        return None;
    }
    tree
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

impl Machine {
    /// A machine with the libraries our programs need.
    pub fn start(tree: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-machine.")
            .tempdir()?;
        let mut init = Command::new("unshare")
            .args([
                "--mount",
                "--pid",
                "--net",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                SET_UP,
                "sh",
            ])
            .arg(directory.path())
            .arg(tree.canonicalize()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start unshare")?;
        let mut said = String::new();
        BufReader::new(init.stdout.take().context("no output")?).read_line(&mut said)?;
        let machine = Self { init, directory };
        ensure!(said == "ready\n", "the machine did not come up");
        // debootstrap leaves this to the installer.
        machine.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")?;
        machine.install_libraries()?;
        Ok(machine)
    }

    fn install_libraries(&self) -> Result<()> {
        let packages = self.path("/var/tmp/libraries");
        std::fs::create_dir_all(&packages)?;
        let output = Command::new("sh")
            .args(["-c", LIBRARY_PACKAGES, "sh"])
            .arg(program("imageserver")?)
            .arg(self.path("/"))
            .arg(&packages)
            .output()?;
        ensure!(output.status.success(), "{output:?}");
        if std::fs::read_dir(&packages)?.next().is_some() {
            self.must("dpkg --install /var/tmp/libraries/*.deb")?;
        }
        Ok(())
    }

    /// Installs everything below `/usr/local` as `make install` does, and makes the user and directories that docs/operating.md tells to make.
    pub fn install_by_hand(&self) -> Result<()> {
        let output = Command::new(repository("scripts/install.sh"))
            .arg("--programs")
            .arg(all_programs()?)
            // Those for debugging are large, and there is one copy a machine.
            .args(["--strip", "yes"])
            .env("DESTDIR", self.path(""))
            .output()?;
        ensure!(output.status.success(), "{output:?}");
        self.must(
            "useradd --system --user-group --home-dir /var/lib/imageserver --shell /usr/sbin/nologin imageserver
             install -d -o imageserver -g imageserver /var/lib/imageserver /var/lib/objectserver
             install -d /etc/ssl",
        )
        .map(drop)
    }

    /// A path of the machine as it is seen from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        let namespace = format!("/proc/{}/root", self.init.id());
        let root = self.directory.path().join("root");
        PathBuf::from(format!("{namespace}{}{inside}", root.display()))
    }

    pub fn read(&self, inside: &str) -> Result<String> {
        std::fs::read_to_string(self.path(inside)).with_context(|| inside.to_owned())
    }

    /// Writes a file, and the directories it lies in.
    pub fn write(&self, inside: &str, text: &str) -> Result<()> {
        let path = self.path(inside);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text).with_context(|| inside.to_owned())
    }

    /// Runs a shell script as root in the machine.
    pub fn run(&self, script: &str) -> Result<Ended> {
        let namespace = |name: &str| format!("/proc/{}/ns/{name}", self.init.id());
        let mut child = Command::new("nsenter")
            .arg(format!("--mount={}", namespace("mnt")))
            .arg(format!("--net={}", namespace("net")))
            .arg(format!("--pid={}", namespace("pid_for_children")))
            .arg("chroot")
            .arg(self.directory.path().join("root"))
            .args([
                "/usr/bin/env",
                "-i",
                "HOME=/root",
                "LC_ALL=C",
                "TZ=UTC",
                "DEBIAN_FRONTEND=noninteractive",
            ])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["/bin/bash", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start nsenter")?;
        child
            .stdin
            .take()
            .context("no input")?
            .write_all(script.as_bytes())?;
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output()?;
        Ok(Ended {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        })
    }

    /// The same for what must succeed, each of its commands; gives what it printed.
    pub fn must(&self, script: &str) -> Result<String> {
        let ended = self.run(&format!("set -e\n{script}"))?;
        ensure!(ended.code == 0, "{script}: {ended:?}");
        Ok(ended.out)
    }

    /// Status and body of a page on a port of the machine.
    pub fn page(&self, port: u16, path: &str) -> Result<(u16, String)> {
        let answer = self.must(&format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
        ))?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no end of headers")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok((status, body.to_owned()))
    }

    /// Waits till a server on the port says that it is healthy.
    pub fn wait_until_healthy(&self, port: u16) -> Result<()> {
        self.wait_until("health", || {
            Ok(self.page(port, "/healthz").is_ok_and(|(status, _)| status == 200))
        })
    }

    /// Waits till it is so.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so()? {
            ensure!(
                Instant::now() < deadline,
                "waited in vain: {what}\n{}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// What daemon and baby-sitter wrote, to tell why something failed.
    pub fn logs(&self) -> String {
        self.run("tail -n 30 /var/log/imageserver-babysitter.log /var/log/imageserver/latest 2>&1")
            .map(|ended| ended.out)
            .unwrap_or_default()
    }

    /// Processes, by number, that have `word` among their arguments. Those that have ended and wait for their parent have none.
    pub fn processes(&self, word: &str) -> Result<Vec<u32>> {
        let script = format!(
            r#"for directory in /proc/[0-9]*; do
                 if tr '\0' '\n' <"$directory/cmdline" 2>/dev/null | grep -qxF -e '{word}'; then echo "${{directory#/proc/}}"; fi
               done; true"#
        );
        self.must(&script)?
            .lines()
            .map(|line| line.parse().context("a process number"))
            .collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process ends when nobody can tell it anything any more, and all others with it.
        drop(self.init.stdin.take());
        let _ = self.init.wait();
    }
}
