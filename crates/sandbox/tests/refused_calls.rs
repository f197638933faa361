//! System calls that lead past limits or out of the sandbox.
#![allow(clippy::unwrap_used)]

mod common;

use common::Tree;
use sandbox::Outcome;
use std::os::unix::fs::MetadataExt;

const MIB: u64 = 1 << 20;

#[test]
fn no_control_call_takes_space_without_writing() {
    let Some(tree) = Tree::new() else { return };
    // FS_IOC_RESVSP, FS_IOC_RESVSP64, FS_IOC_ZERO_RANGE with the structure that they take.
    let (outcome, output) = tree.run(
        "perl -e 'for my $request (0x40305828, 0x4030582a, 0x40305839) { open my $file, \">/root/$request\" or die; \
         my $space = pack \"s s x4 q q l L l4\", 0, 0, 0, 200 << 20, 0, 0, 0, 0, 0, 0; \
         print ioctl($file, $request, $space) ? \"taken\" : $!, \"\\n\" }'",
    );
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert_eq!(output, "Inappropriate ioctl for device\n".repeat(3));
    for file in std::fs::read_dir(tree.root().join("root")).unwrap() {
        assert!(file.unwrap().metadata().unwrap().blocks() * 512 < MIB);
    }
}

#[test]
fn files_are_copied_by_reference_where_that_is_possible() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) =
        tree.run("echo content >/root/one; cp --reflink=auto /root/one /root/two && cat /root/two; cp --reflink=always /root/one /root/three 2>&1; true");
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    // The file system answers, not the filter.
    assert!(
        output.starts_with("content\n") && !output.contains("Inappropriate"),
        "{output}"
    );
}

#[test]
fn sockets_are_of_the_network_namespace_s_families_only() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "perl -e 'for my $family (0 .. 50) { for my $kind (1 .. 5) { if (socket(my $socket, $family, $kind, 0)) { print \"$family \"; last } } }'",
    );
    assert_eq!((outcome, output.trim()), (Outcome::Exited(0), "1 2 10 16"));
}

#[test]
fn no_core_file_is_handed_to_a_program_of_the_host() {
    let Some(tree) = Tree::new() else { return };
    // With the limit 1, and only with that, the kernel starts none (core(5)).
    let (outcome, output) = tree.run(
        "ulimit -c 0 && prlimit --core=0:0 --pid $$ && (ulimit -c unlimited; ulimit -n 99; ulimit -n; sed -n 's/ \\+/ /g;/core file/p' /proc/self/limits)",
    );
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert_eq!(output.trim(), "99\nMax core file size 1 1 bytes");
}
