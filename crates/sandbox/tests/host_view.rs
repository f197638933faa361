//! Commands that make a tree with the programs of the host: what works there, and what of the host they see.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, owner, run};
use sandbox::{Command, Network, Outcome, Spec, View};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

fn host_spec(tree: &Tree, writable: &Path, argv: &[&str]) -> Spec {
    let view = View::Host {
        writable: writable.to_owned(),
    };
    let spec = tree.spec("");
    Spec {
        environment: spec.environment,
        limits: spec.limits,
        group: spec.group,
        ..Spec::new(view, argv.iter().copied())
    }
}

#[test]
fn with_the_host_s_programs_a_directory_is_filled_and_nothing_else_is_written_or_read() {
    let Some(tree) = Tree::new() else { return };
    let writable = tree.directory.path().join("new");
    std::fs::create_dir(&writable).unwrap();
    // Beside it, readable for everybody, in one of the places that are empty inside.
    let secret = tree.directory.path().join("secret");
    std::fs::write(&secret, "content-of-the-secret\n").unwrap();
    let script = format!(
        "mkdir -p $0/etc $0/dev $0/proc; echo x >$0/etc/file; chown 1:2 $0/etc/file; mknod $0/dev/null c 1 3; \
         echo y >$0/dev/null && echo usable; mount -t proc proc $0/proc && umount $0/proc && echo proc; \
         cat {secret} 2>&1; cat /etc/shadow 2>&1; ls /root /home /run; umount -l /sys; umount -l /proc; ls /sys | wc -l; ls /proc | wc -l; touch /etc/x /usr/x 2>&1",
        secret = secret.display(),
    );
    let path = writable.to_str().unwrap();
    let spec = host_spec(&tree, &writable, &["/bin/sh", "-c", &script, path]);
    let (outcome, output) = run(&spec);
    assert!(output.contains("usable\nproc\n"), "{outcome:?} {output}");
    assert!(output.contains("/etc/shadow: Permission denied"), "{output}");
    assert!(output.contains("secret: No such file"), "{output}");
    assert_eq!(output.matches("Read-only file system").count(), 2, "{output}");
    // Nothing of the host is below what is mounted for the command.
    assert!(output.contains("\n0\n0\n"), "{output}");
    assert_eq!(owner(&writable.join("etc/file")), (1, 2));
    assert_eq!(std::fs::read_dir(&writable).unwrap().count(), 3);
}

/// A directory that is not hidden in the view of the host, closed as the place of builds is.
fn closed_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir_in("/var/cache").unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o700)).unwrap();
    directory
}

#[test]
fn a_prepared_tree_that_an_argument_names_is_copied_with_its_owners() {
    let Some(tree) = Tree::new() else { return };
    for place in [closed_directory(), tempfile::tempdir_in("/var/tmp").unwrap()] {
        let (prepared, new) = (place.path().join("prepared"), place.path().join("new"));
        std::fs::create_dir_all(prepared.join("root")).unwrap();
        std::fs::create_dir(&new).unwrap();
        let closed = prepared.join("root/closed");
        std::fs::write(&closed, "content\n").unwrap();
        std::os::unix::fs::chown(&closed, Some(33), Some(44)).unwrap();
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o4600)).unwrap();
        let device = rustix::fs::makedev(1, 3);
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        let kind = rustix::fs::FileType::CharacterDevice;
        rustix::fs::mknodat(rustix::fs::CWD, prepared.join("null"), kind, mode, device).unwrap();

        let (from, to) = (prepared.to_str().unwrap(), new.to_str().unwrap());
        let mut spec = host_spec(&tree, &new, &["/bin/cp", "-aT", from, to]);
        spec.show_named_directories(spec.argv.clone());
        let (outcome, output) = run(&spec);
        assert_eq!(outcome, Outcome::Exited(0), "{output}");
        let copy = new.join("root/closed");
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "content\n");
        assert_eq!(owner(&copy), (33, 44));
        assert_eq!(copy.metadata().unwrap().mode() & 0o7777, 0o4600);
        assert_eq!(new.join("null").symlink_metadata().unwrap().rdev(), device);

        spec.argv = ["/bin/sh", "-c", "echo x >$0/file", from]
            .map(str::to_owned)
            .to_vec();
        assert!(!run(&spec).0.is_success());
        assert!(!prepared.join("file").exists());
    }
}

/// Starts sandboxes on a host that differs from this one: what makes the difference, in a copy of the root.
fn on_another_host(directory: &Path, differences: &str) -> Command {
    let here = directory.to_str().unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_sandbox-child")).parent().unwrap();
    common::wrapper(
        directory,
        &format!(
            "cd {here}
             mkdir -p layers other; mount -t tmpfs layers layers; mkdir layers/upper layers/work
             mount -t overlay overlay -o lowerdir=/,upperdir=layers/upper,workdir=layers/work other
             for place in {here} {binaries} /dev /proc /sys; do mkdir -p other$place; mount --rbind $place other$place; done
             cd other
             {differences}
             mkdir -p old; pivot_root . old; umount -l /old",
            binaries = binaries.display(),
        ),
    )
}

#[test]
fn name_servers_are_known_where_their_file_is_a_link_into_run_and_a_linked_home_is_hidden() {
    let Some(tree) = Tree::new() else { return };
    let new = tree.directory.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let script = "echo resolver; cat /etc/resolv.conf; ls -l /etc/resolv.conf | tail -c 30; echo home; ls -A /home /srv/people; echo end";
    let mut spec = host_spec(&tree, &new, &["/bin/sh", "-c", script]);
    spec.network = Network::Host;
    let command = on_another_host(
        tree.directory.path(),
        "rm -rf home etc/resolv.conf
         mkdir -p srv/people/somebody run/resolve; ln -s /srv/people home
         ln -s ../run/resolve/stub.conf etc/resolv.conf
         echo nameserver 192.0.2.53 >run/resolve/stub.conf; echo secret >run/resolve/secret",
    );
    let mut output = String::new();
    let outcome = command.run(&spec, |line| output = format!("{output}{}\n", line.text()));
    assert!(outcome.unwrap().is_success(), "{output}");
    assert!(output.contains("resolver\nnameserver 192.0.2.53\n"), "{output}");
    assert!(output.contains("run/resolve/stub.conf"), "{output}");
    assert!(output.contains("home\n/home:\n\n/srv/people:\nend\n"), "{output}");
}

#[test]
fn packages_are_installed_into_a_new_root_by_the_host_s_rpm() {
    let Some(tree) = Tree::new() else { return };
    if !Path::new("/usr/bin/rpm").exists() {
        return common::skip_without("rpm");
    }
    let new = tree.directory.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let root = new.to_str().unwrap();
    let script = r#"
        set -e
        cd /tmp
        printf '%s\n' 'Name: small' 'Version: 1' 'Release: 1' 'Summary: small' 'License: none' 'BuildArch: noarch' \
            '%description' 'small' '%install' 'mkdir -p %{buildroot}/etc' 'echo content >%{buildroot}/etc/small' \
            '%files' '%attr(640, root, daemon) /etc/small' >small.spec
        rpmbuild --quiet --define '_topdir /tmp/top' -bb small.spec 2>&1
        mkdir $0/etc
        for file in passwd group; do cp /etc/$file $0/etc; done
        rpm --root $0 --dbpath /var/lib/rpm -i top/RPMS/noarch/small-1-1.noarch.rpm
        rpm --root $0 --dbpath /var/lib/rpm -qa"#;
    let mut spec = host_spec(&tree, &new, &["/bin/sh", "-c", script, root]);
    spec.environment.push(("HOME".to_owned(), "/".to_owned()));
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert!(output.ends_with("small-1-1.noarch\n"), "{output}");
    assert_eq!(owner(&new.join("etc/small")), (0, 1));
    assert_eq!(
        std::fs::read_to_string(new.join("etc/small")).unwrap(),
        "content\n"
    );
}

#[test]
fn the_console_s_node_is_made_and_never_opened() {
    let Some(tree) = Tree::new() else { return };
    let new = tree.directory.path().join("new");
    std::fs::create_dir_all(new.join("dev")).unwrap();
    let path = new.to_str().unwrap();
    let script = "set -e
        cd $0/dev; mknod -m 600 console c 5 1; chown 0:5 console; mkdir ../kept; cp -a console ../kept/other; mv console moved
        mknod null c 1 3; echo x >null && echo null is open
        for node in moved ../kept/other; do
            if (echo x >$node) 2>/dev/null || (read line <$node) 2>/dev/null; then echo $node is open; fi
        done
        touch -d 2001-02-03 moved .";
    let (outcome, output) = run(&host_spec(&tree, &new, &["/bin/sh", "-c", script, path]));
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert_eq!(output, "null is open\n");
    for node in ["dev/moved", "kept/other"] {
        let node = new.join(node).symlink_metadata().unwrap();
        assert_eq!(node.rdev(), rustix::fs::makedev(5, 1));
        assert_eq!((node.mode() & 0o7777, node.uid(), node.gid()), (0o600, 0, 5));
    }
    for dated in ["dev/moved", "dev"] {
        assert_eq!(
            new.join(dated).symlink_metadata().unwrap().mtime() / 86400,
            11356,
            "{dated}"
        );
    }
    assert_eq!(std::fs::read_dir(new.join("dev")).unwrap().count(), 2);
}
