//! A small RPM repository, made with Debian's rpm tools: a base system that can install packages, and packages to install.
//!
//! There is no RPM distribution on a Debian, and no mirror of one may be asked for. What makes a system an RPM system is its
//! database, its package manager and its packages: all three are real here, and only the files in the base package are those of
//! Debian's own `dnf`, `rpm` and their libraries.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs it takes, with the Debian packages they are in.
pub const NEEDED: &[(&str, &str)] = &[
    ("rpmbuild", "rpm"),
    ("createrepo_c", "createrepo-c"),
    ("dnf", "dnf"),
];

/// What the base package must be able to do: run scripts, and install more.
const BASE: &[&str] = &["dnf", "rpm", "dash", "coreutils", "bash", "sed", "grep"];
/// Left out of the base package: what nobody reads in a test, and half of the bytes.
const UNWANTED: &[&str] = &[
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/locale",
    "/usr/share/info",
    "/usr/share/perl",
    "/usr/share/lintian",
    "/usr/share/bug",
    "/usr/share/bash-completion",
    "/usr/share/zsh",
    "/usr/lib/python3.11/pydoc_data",
    "/boot",
    "/etc",
];
/// Directories of every system.
const DIRECTORIES: &[&str] = &[
    "dev",
    "etc/dnf",
    "etc/yum.repos.d",
    "proc",
    "sys",
    "root",
    "run",
    "tmp",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/sbin",
    "var/cache",
    "var/lib/rpm",
    "var/log",
    "var/tmp",
];

/// A directory with packages and what describes them.
#[derive(Debug)]
pub struct RpmRepository {
    directory: PathBuf,
}

impl RpmRepository {
    /// Makes `base-system`, and a package each of `names`, whose only file `/usr/share/NAME/text` holds its version, 1.
    pub fn make(work: &Path, names: &[&str]) -> Result<Self> {
        let directory = work.join("repository");
        fs::create_dir_all(&directory)?;
        let repository = Self { directory };
        repository.add_base(work)?;
        for name in names {
            repository.add(work, name, 1)?;
        }
        repository.describe()?;
        Ok(repository)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Adds another version of a package.
    pub fn publish(&self, work: &Path, name: &str, version: u32) -> Result<()> {
        self.add(work, name, version)?;
        self.describe()
    }

    /// The packages that are missing on this machine, for the message of a skipped test.
    pub fn lacking() -> Vec<&'static str> {
        let is_there = |program: &str| {
            let found = Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            found.is_ok_and(|status| status.success())
        };
        NEEDED
            .iter()
            .filter(|(program, _)| !is_there(program))
            .map(|(_, package)| *package)
            .collect()
    }

    fn describe(&self) -> Result<()> {
        told(Command::new("createrepo_c").arg("--quiet").arg(&self.directory)).map(drop)
    }

    fn add(&self, work: &Path, name: &str, version: u32) -> Result<()> {
        let text = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: for a test\nLicense: none\nBuildArch: noarch\n%description\nFor a \
             test.\n%install\nmkdir -p %{{buildroot}}/usr/share/{name}\necho {version} > \
             %{{buildroot}}/usr/share/{name}/text\n%files\n/usr/share/{name}/text\n"
        );
        self.build(work, name, &text, &[])
    }

    fn add_base(&self, work: &Path) -> Result<()> {
        let tree = work.join("base-system");
        copy_of_programs(&tree)?;
        let list = work.join("base-system.files");
        fs::write(&list, listing(&tree)?)?;
        let text = "Name: base-system\nVersion: 1\nRelease: 1\nSummary: for a test\nLicense: none\nAutoReqProv: no\n%description\nWhat \
                    installs packages.\n%install\nmkdir -p %{buildroot}\ncp -a %{_source_tree}/. %{buildroot}/\n%files -f %{_filelist}\n";
        let definitions = [
            format!("_source_tree {}", tree.display()),
            format!("_filelist {}", list.display()),
            "__os_install_post %{nil}".to_owned(),
            "_build_id_links none".to_owned(),
        ];
        self.build(work, "base-system", text, &definitions)?;
        fs::remove_dir_all(tree)?;
        Ok(())
    }

    fn build(&self, work: &Path, name: &str, text: &str, definitions: &[String]) -> Result<()> {
        let specification = work.join(format!("{name}.spec"));
        fs::write(&specification, text)?;
        let top = work.join("rpmbuild");
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet"]);
        let always = [
            format!("_topdir {}", top.display()),
            format!("_rpmdir {}", self.directory.display()),
            "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm".to_owned(),
            // Not compressed: it is read once.
            "_binary_payload w0.gzdio".to_owned(),
        ];
        for definition in always.iter().chain(definitions) {
            command.args(["--define", definition]);
        }
        told(command.arg(&specification))?;
        fs::remove_dir_all(top)?;
        Ok(())
    }
}

/// A tree with the files of Debian's `dnf` and `rpm`, their libraries and a shell.
fn copy_of_programs(tree: &Path) -> Result<()> {
    for directory in DIRECTORIES {
        fs::create_dir_all(tree.join(directory))?;
    }
    for directory in ["tmp", "var/tmp"] {
        fs::set_permissions(tree.join(directory), fs::Permissions::from_mode(0o1777))?;
    }
    for name in ["bin", "lib", "lib64", "sbin"] {
        symlink(format!("usr/{name}"), tree.join(name))?;
    }
    crate::system_tree::make_devices(tree)?;
    // rpm opens what it unpacks, device nodes as well, and these cannot be opened where it does.
    for terminal in ["console", "ptmx", "tty"] {
        fs::remove_file(tree.join("dev").join(terminal))?;
    }
    fs::write(tree.join("etc/os-release"), "ID=test\nVERSION_ID=1\n")?;
    fs::write(tree.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(tree.join("etc/group"), "root:x:0:\n")?;
    fs::write(tree.join("etc/dnf/dnf.conf"), "[main]\ngpgcheck=0\n")?;
    let list = tree.with_extension("copied");
    fs::write(&list, files_of_packages()?)?;
    let copied = "tar -C / -cf - --no-recursion -T \"$1\" | tar -C \"$2\" --keep-directory-symlink -xf -";
    told(
        Command::new("bash")
            .args(["-o", "pipefail", "-c", copied, "copy"])
            .arg(&list)
            .arg(tree),
    )?;
    Ok(())
}

/// The files of the packages and of all they depend on, a line each, without the leading slash.
fn files_of_packages() -> Result<String> {
    let mut depends = Command::new("apt-cache");
    depends.args([
        "depends",
        "--recurse",
        "--installed",
        "--no-recommends",
        "--no-suggests",
        "--no-conflicts",
    ]);
    depends
        .args(["--no-breaks", "--no-replaces", "--no-enhances"])
        .args(BASE);
    let named = told(&mut depends)?;
    let packages: BTreeSet<&str> = named
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .collect();
    // Names of packages that exist only as what others provide are no reason to fail.
    let mut query = Command::new("dpkg-query");
    query
        .args([
            "--show",
            "--showformat",
            "${db:Status-Status} ${binary:Package}\n",
        ])
        .args(&packages);
    let known = query.stderr(Stdio::null()).output().context("dpkg-query")?;
    let known = String::from_utf8(known.stdout)?;
    let installed = known.lines().filter_map(|line| line.strip_prefix("installed "));
    let files = told(Command::new("dpkg").arg("--listfiles").args(installed))?;
    let mut text = String::new();
    for file in files.lines().collect::<BTreeSet<_>>() {
        let path = Path::new(file);
        let is_wanted = !UNWANTED.iter().any(|start| file.starts_with(start)) && !file.contains("perl");
        let is_file = path.symlink_metadata().is_ok_and(|found| !found.is_dir());
        if is_wanted && is_file && !DIRECTORIES.contains(&&file[1..]) {
            writeln!(text, "{}", &file[1..])?;
        }
    }
    Ok(text)
}

/// Everything in the tree, as rpmbuild wants to be told.
fn listing(tree: &Path) -> Result<String> {
    let mut find = Command::new("find");
    find.current_dir(tree).args([".", "-mindepth", "1", "("]);
    find.args([
        "-type",
        "d",
        "-printf",
        "%%dir \"/%P\"\n",
        "-o",
        "-printf",
        "\"/%P\"\n",
        ")",
    ]);
    told(&mut find)
}

/// Runs it; what it wrote to its standard output.
fn told(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_installed_from_it_and_installs_more() {
        let lacking = RpmRepository::lacking();
        if !lacking.is_empty() || !is_root() {
            return crate::skip(
                "rpm_repository",
                &format!("needs root and {}", lacking.join(", ")),
            );
        }
        let work = tempfile::tempdir().unwrap();
        let repository = RpmRepository::make(work.path(), &["hello"]).unwrap();
        let root = work.path().join("root");
        let from = format!("--repofrompath=test,file://{}", repository.path().display());
        let mut install = Command::new("dnf");
        install.args([
            "--quiet",
            "--assumeyes",
            "--disablerepo=*",
            "--enablerepo=test",
            "--nogpgcheck",
            "--releasever=1",
        ]);
        install
            .arg(from)
            .arg(format!("--installroot={}", root.display()))
            .args(["install", "base-system", "hello"]);
        told(&mut install).unwrap();
        assert_eq!(
            fs::read_to_string(root.join("usr/share/hello/text")).unwrap(),
            "1\n"
        );
        let list = told(
            Command::new("chroot")
                .arg(&root)
                .args(["rpm", "-qa", "--queryformat", "%{NAME}\n"]),
        )
        .unwrap();
        assert_eq!(
            list.lines().collect::<BTreeSet<_>>(),
            BTreeSet::from(["base-system", "hello"])
        );
    }

    fn is_root() -> bool {
        told(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
    }
}
