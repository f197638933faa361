//! What scripts and packages do to files in an image, and how that stands on the disk.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, owner};
use sandbox::Outcome;
use std::os::unix::fs::MetadataExt;

#[test]
fn users_are_changed_and_their_files_have_their_owners() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "set -e; chmod 1777 /tmp
         setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'id -u; touch /tmp/own; chown 0 /tmp/own 2>/dev/null || echo kept'
         chown 42:65534 /tmp/own; chmod 2755 /tmp/own; install -d -o 100 -g 101 -m 3770 /tmp/directory",
    );
    assert_eq!((outcome, output.as_str()), (Outcome::Exited(0), "65534\nkept\n"));
    let own = tree.root().join("tmp/own");
    assert_eq!(owner(&own), (42, 65534));
    assert_eq!(own.metadata().unwrap().mode() & 0o7777, 0o2755);
    let directory = tree.root().join("tmp/directory");
    assert_eq!(owner(&directory), (100, 101));
    assert_eq!(directory.metadata().unwrap().mode() & 0o7777, 0o3770);
}

#[test]
fn a_set_user_id_program_works_inside() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "set -e; cp /usr/bin/id /root/id; chown 77:88 /root/id; chmod 6755 /root/id; chmod 755 /root; \
         setpriv --reuid=65534 --regid=65534 --clear-groups /root/id -u",
    );
    assert_eq!((outcome, output.as_str()), (Outcome::Exited(0), "77\n"));
}

#[test]
fn links_of_both_kinds_times_and_extended_attributes_stand_on_the_disk_as_they_were_made() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "set -e; echo content >/root/file; ln /root/file /root/second; ln -s /etc/passwd /root/link; touch -d 2001-02-03 /root/file
         chown -h 5:6 /root/link; mkfifo /root/pipe",
    );
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    let status = |name: &str| tree.root().join("root").join(name).symlink_metadata().unwrap();
    assert_eq!(
        (status("file").ino(), status("file").nlink()),
        (status("second").ino(), 2)
    );
    assert_eq!(status("second").mtime() / 86400, 11356);
    assert_eq!((status("link").uid(), status("link").gid()), (5, 6));
}

#[test]
fn file_capabilities_stand_on_the_disk_as_on_any_system() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "command -v setcap >/dev/null || { echo no setcap; exit 0; }
         set -e; cp /usr/bin/true /root/program; setcap cap_net_bind_service+ep /root/program; getcap /root/program",
    );
    if output.contains("no setcap") {
        return common::skip_without("setcap (package libcap2-bin)");
    }
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert_eq!(output, "/root/program cap_net_bind_service=ep\n");
    let program = tree.root().join("root/program");
    let mut value = [0; 64];
    let length = rustix::fs::getxattr(&program, "security.capability", &mut value[..]).unwrap();
    // The second revision: for user 0 of every system, and not for this sandbox's only.
    assert_eq!((length, value[3], value[5]), (20, 2, 1 << 2));
}
