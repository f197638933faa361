//! A small system tree that can run scripts: some programs of this host with their libraries, a shell, two users.
//!
//! What a build needs of a source image, without the minutes and megabytes of a bootstrapped Debian.

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What scripts of tests call.
const PROGRAMS: &[&str] = &[
    "sh", "bash", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "echo", "env", "expr", "false", "grep",
    "head", "hostname", "id", "kill", "ln", "ls", "mkdir", "mknod", "mount", "mv", "nohup", "nproc", "ps",
    "readlink", "rm", "sed", "seq", "setsid", "sleep", "sort", "stat", "sync", "tail", "tar", "test",
    "timeout", "touch", "tr", "true", "uname", "wc",
];

/// Device nodes that a bootstrap leaves: name, major and minor number.
const DEVICES: &[(&str, u32, u32)] = &[
    ("console", 5, 1),
    ("full", 1, 7),
    ("null", 1, 3),
    ("ptmx", 5, 2),
    ("random", 1, 8),
    ("tty", 5, 0),
    ("urandom", 1, 9),
    ("zero", 1, 5),
];

/// Makes the tree in `root`, which is made if it is not there. As root: it has device nodes.
pub fn make(root: &Path) -> Result<()> {
    for directory in [
        "dev",
        "etc",
        "proc",
        "root",
        "run",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
        "var/log",
        "var/tmp",
    ] {
        fs::create_dir_all(root.join(directory))?;
    }
    for directory in ["tmp", "var/tmp"] {
        fs::set_permissions(root.join(directory), fs::Permissions::from_mode(0o1777))?;
    }
    for name in ["bin", "lib", "lib64", "sbin"] {
        symlink(format!("usr/{name}"), root.join(name))?;
    }
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/sh\n",
    )?;
    fs::write(root.join("etc/group"), "root:x:0:\nwww-data:x:33:\n")?;
    fs::write(root.join("etc/hostname"), "made-elsewhere\n")?;
    fs::write(root.join("etc/resolv.conf"), "")?;
    make_devices(root)?;
    let mut files = BTreeSet::new();
    for name in PROGRAMS {
        let path = which(name).with_context(|| format!("this host has no {name}"))?;
        files.extend(libraries(&path)?);
        files.insert(path);
    }
    for file in files {
        copy(&file, root)?;
    }
    Ok(())
}

/// Makes the device nodes in a tree that has `/dev`.
pub(crate) fn make_devices(root: &Path) -> Result<()> {
    for (name, major, minor) in DEVICES {
        let place = root.join("dev").join(name);
        let (kind, device) = (FileType::CharacterDevice, makedev(*major, *minor));
        mknodat(CWD, &place, kind, Mode::from_raw_mode(0o666), device)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o666))?;
    }
    Ok(())
}

fn which(name: &str) -> Option<PathBuf> {
    let places = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    places
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| path.is_file())
}

/// Libraries and the loader, as `ldd` names them. A program that needs none has none.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("ldd")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(words.map(PathBuf::from).collect())
}

/// To the same place, through the links of a merged `/usr`; the content of a link, not the link.
fn copy(file: &Path, root: &Path) -> Result<()> {
    let text = file.to_str().context("a name that is no text")?;
    let place = ["/bin/", "/lib/", "/lib64/", "/sbin/"]
        .iter()
        .find(|start| text.starts_with(**start));
    let inside = match place {
        Some(_) => format!("usr{text}"),
        None => text[1..].to_owned(),
    };
    let target = root.join(inside);
    fs::create_dir_all(target.parent().context("no directory")?)?;
    if !target.exists() {
        fs::copy(file, &target).with_context(|| file.display().to_string())?;
    }
    ensure!(target.is_file(), "{} was not copied", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_programs_run_in_it() {
        let id = Command::new("id").arg("-u").output().unwrap();
        if id.stdout != b"0\n" {
            return crate::skip("its_programs_run_in_it", "chroot needs root");
        }
        let directory = tempfile::tempdir().unwrap();
        make(directory.path()).unwrap();
        for name in PROGRAMS {
            assert!(
                directory.path().join("usr/bin").join(name).exists()
                    || directory.path().join("usr/sbin").join(name).exists(),
                "{name}"
            );
        }
        let script = "id -u www-data; echo a b | tr a c | cut -c1; ls /usr/bin | wc -l";
        let output = Command::new("chroot")
            .arg(directory.path())
            .args(["/bin/sh", "-c", script])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.starts_with("33\nc\n"),
            "{text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
