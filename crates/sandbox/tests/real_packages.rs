//! Real trees with real packages: debootstrap, dpkg and apt, from the mirror that this machine's apt uses.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, owner, run};
use sandbox::{Network, Outcome, Spec, View};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A tree made by debootstrap.
const DEBIAN_TREE: &str = "IMAGEWRIGHT_DEBIAN_TREE";

/// Mirror and suite of the first source of this machine.
fn mirror() -> Option<(String, String)> {
    let mut texts = Vec::new();
    let listed = std::fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    for path in listed
        .map(|entry| entry.path())
        .chain([PathBuf::from("/etc/apt/sources.list")])
    {
        texts.push(std::fs::read_to_string(path).unwrap_or_default());
    }
    let main = |line: &&str| !line.starts_with('#') && !line.contains("security");
    let found = texts.iter().filter_map(|text| {
        let field = |name: &str| {
            let line = text
                .lines()
                .filter(main)
                .find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next().map(str::to_owned)
        };
        if let (Some(mirror), Some(suite)) = (field("URIs:"), field("Suites:")) {
            return Some((mirror, suite));
        }
        let line = text.lines().filter(main).find(|line| line.starts_with("deb "))?;
        let mut words = line
            .split_whitespace()
            .skip(1)
            .filter(|word| !word.starts_with('['));
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    });
    // Of others' packages only, or of the system.
    let is_known = |suite: &str| Path::new("/usr/share/debootstrap/scripts").join(suite).exists();
    found.into_iter().find(|(_, suite)| is_known(suite))
}

/// The network that a build has here by default.
fn network() -> Network {
    if Path::new("/usr/bin/pasta").exists() {
        Network::Outside
    } else {
        Network::Host
    }
}

fn with_path(mut spec: Spec, tree: &Tree) -> Spec {
    let like = tree.spec("");
    spec.environment = like.environment;
    spec.environment.push(("HOME".to_owned(), "/".to_owned()));
    spec.group = like.group;
    spec.network = network();
    spec.limits.time = Some(Duration::from_secs(1200));
    spec
}

#[test]
#[ignore = "takes minutes; `scripts/test-long.sh sandbox` runs it, and the demonstration does the same through the daemon"]
fn debootstrap_makes_a_tree_and_packages_are_installed_in_it() {
    let Some(tree) = Tree::new() else { return };
    let Some((mirror, suite)) = mirror().filter(|_| Path::new("/usr/sbin/debootstrap").exists()) else {
        return common::skip_without("debootstrap and a Debian mirror in apt's sources");
    };
    let new = tree.directory.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let path = new.to_str().unwrap();
    let argv = [
        "/usr/sbin/debootstrap",
        "--variant=minbase",
        &suite,
        path,
        &mirror,
    ];
    let view = View::Host {
        writable: new.clone(),
    };
    let (outcome, output) = run(&with_path(Spec::new(view, argv), &tree));
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    for (name, minor) in [("null", 3), ("zero", 5), ("urandom", 9)] {
        let node = new.join("dev").join(name).symlink_metadata().unwrap();
        assert!(node.file_type().is_char_device());
        assert_eq!(node.rdev(), rustix::fs::makedev(1, minor), "{name}");
    }
    assert_eq!(
        new.join("dev/console").symlink_metadata().unwrap().rdev(),
        rustix::fs::makedev(5, 1)
    );
    assert_eq!(std::fs::read_dir(new.join("proc")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(new.join("sys")).unwrap().count(), 0);
    packages_are_installed(&tree, &new);
}

#[test]
fn packages_are_installed_from_a_mirror_with_apt() {
    let Some(tree) = Tree::new() else { return };
    let (Some(prepared), Some(_)) = (std::env::var_os(DEBIAN_TREE), mirror()) else {
        return common::skip_without(&format!("{DEBIAN_TREE} and a Debian mirror in apt's sources"));
    };
    let new = tree.directory.path().join("new");
    let copied = std::process::Command::new("cp")
        .arg("-aT")
        .arg(prepared)
        .arg(&new)
        .status();
    assert!(copied.unwrap().success());
    packages_are_installed(&tree, &new);
}

fn packages_are_installed(tree: &Tree, root: &Path) {
    let devices = |directory: &Path| {
        let entries = std::fs::read_dir(directory.join("dev"))
            .unwrap()
            .map(Result::unwrap);
        let mut all: Vec<_> = entries
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().rdev()))
            .collect();
        all.sort();
        all
    };
    let before = devices(root);
    let resolver = sandbox::resolver_configuration(network()).unwrap_or_default();
    std::fs::write(root.join("etc/resolv.conf"), resolver).unwrap();
    let script = "set -e
        mount -n none -t proc /proc 2>&1; mount -n none -t sysfs /sys 2>&1
        export DEBIAN_FRONTEND=noninteractive
        apt-get update; apt-get -y --no-install-recommends install less cron
        echo installed; su nobody -s /bin/sh -c 'id -u'; dpkg -V less cron; echo verified";
    let view = View::Tree {
        root: root.to_owned(),
    };
    let (outcome, output) = run(&with_path(Spec::new(view, ["/bin/sh", "-c", script]), tree));
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert!(output.ends_with("installed\n65534\nverified\n"), "{output}");
    assert!(!output.contains("mount:"), "{output}");
    // Set-group-id, and of a group that the package made.
    let crontab = root.join("usr/bin/crontab");
    assert_eq!(crontab.metadata().unwrap().mode() & 0o7777, 0o2755);
    assert_ne!(owner(&crontab).1, 0);
    assert_eq!(
        devices(root),
        before,
        "what is mounted on /dev changes nothing of the image's"
    );
}
