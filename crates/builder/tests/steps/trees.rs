//! Files of a manifest in an image (`image-manifest.md §4, §4.1`). No sandbox is needed for these.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use builder::trees;

use crate::tree::{Place, write};

fn copy(place: &Place) -> Result<(), builder::StepError> {
    trees::copy(
        &place.manifest(),
        "files",
        &place.root(),
        Path::new(""),
        &*place.watcher,
    )
}

fn append(place: &Place) -> Result<(), builder::StepError> {
    trees::append(&place.manifest(), "files.append", &place.root(), &*place.watcher)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

#[test]
fn new_files_and_directories_have_the_modes_they_may_have() {
    let place = Place::without_tree();
    place.write("files/a/program", "x");
    place.write("files/a/secret", "x");
    set_mode(&place.manifest().join("files/a"), 0o700);
    set_mode(&place.manifest().join("files/a/program"), 0o4777);
    set_mode(&place.manifest().join("files/a/secret"), 0o600);
    fs::create_dir(place.manifest().join("files/empty")).unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let program = fs::File::options()
        .write(true)
        .open(place.manifest().join("files/a/program"));
    program.unwrap().set_modified(old).unwrap();
    copy(&place).unwrap();
    let root = place.root();
    let made = root.join("a/program").metadata().unwrap();
    assert!(made.modified().unwrap() > old + std::time::Duration::from_secs(1));
    let own = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    assert_eq!((made.uid(), made.gid()), own);
    assert_eq!(mode(&root.join("a")), 0o755);
    assert_eq!(mode(&root.join("a/program")), 0o755);
    assert_eq!(mode(&root.join("a/secret")), 0o600);
    assert!(root.join("empty").is_dir());
    let log = place.log();
    assert!(log.starts_with("\nCopied files tree in "), "{log}");
}

#[test]
fn a_tree_that_is_not_there_is_an_empty_one() {
    let place = Place::without_tree();
    copy(&place).unwrap();
    assert!(place.log().starts_with("\nCopied files tree in "));
    append(&place).unwrap();
    assert!(place.log().ends_with("No files.append directory\n"));
}

#[test]
fn a_file_of_the_same_content_is_left_alone() {
    let place = Place::without_tree();
    place.write("files/etc/same", "content");
    place.write("files/etc/linked", "content");
    let there = place.root().join("etc/same");
    write(&there, "content");
    set_mode(&there, 0o640);
    symlink("same", place.root().join("etc/linked")).unwrap();
    let before = there.metadata().unwrap();
    copy(&place).unwrap();
    let after = there.metadata().unwrap();
    assert_eq!(
        (before.ino(), before.ctime_nsec()),
        (after.ino(), after.ctime_nsec())
    );
    assert_eq!(mode(&there), 0o640);
    assert!(place.root().join("etc/linked").is_symlink());
    assert!(
        place
            .log()
            .starts_with("Same contents for: files/etc/linked\nSame contents for: files/etc/same\n"),
        "{}",
        place.log()
    );
}

#[test]
fn other_content_replaces_the_file_but_not_its_other_names() {
    let place = Place::without_tree();
    place.write("files/etc/file", "new");
    let there = place.root().join("etc/file");
    write(&there, "old");
    set_mode(&there, 0o4755);
    fs::hard_link(&there, place.root().join("etc/partner")).unwrap();
    // Left by somebody; a link there must not be written through.
    write(&place.root().join("etc/other"), "other");
    symlink("other", place.root().join("etc/file~")).unwrap();
    copy(&place).unwrap();
    assert_eq!(place.image("etc/file"), "new");
    assert_eq!(place.image("etc/partner"), "old");
    assert_eq!(place.image("etc/other"), "other");
    assert_eq!(mode(&there), 0o644);
    assert!(place.root().join("etc/file~").symlink_metadata().is_err());
}

#[test]
fn a_link_gives_way_to_a_file_and_links_come_as_they_are() {
    let place = Place::without_tree();
    place.write("files/was-link", "file now");
    place.write("files/dangling", "file now");
    symlink("/nowhere/at/all", place.manifest().join("files/link")).unwrap();
    symlink("same", place.manifest().join("files/same")).unwrap();
    write(&place.root().join("target"), "of the image");
    symlink("target", place.root().join("was-link")).unwrap();
    symlink("nowhere", place.root().join("dangling")).unwrap();
    write(&place.root().join("link"), "a file before");
    symlink("same", place.root().join("same")).unwrap();
    let same = place.root().join("same").symlink_metadata().unwrap().ino();
    copy(&place).unwrap();
    assert!(!place.root().join("was-link").is_symlink());
    assert_eq!(place.image("target"), "of the image");
    assert_eq!(place.image("dangling"), "file now");
    assert_eq!(
        fs::read_link(place.root().join("link")).unwrap(),
        Path::new("/nowhere/at/all")
    );
    assert_eq!(place.root().join("same").symlink_metadata().unwrap().ino(), same);
}

#[test]
fn parents_that_are_links_are_entered() {
    let place = Place::without_tree();
    place.write("files/bin/x", "program");
    fs::create_dir_all(place.root().join("usr/bin")).unwrap();
    set_mode(&place.root().join("usr/bin"), 0o711);
    symlink("usr/bin", place.root().join("bin")).unwrap();
    copy(&place).unwrap();
    assert_eq!(place.image("usr/bin/x"), "program");
    assert!(place.root().join("bin").is_symlink());
    assert_eq!(mode(&place.root().join("usr/bin")), 0o711);
}

#[test]
fn absolute_links_and_links_upwards_never_lead_to_the_host() {
    let place = Place::without_tree();
    let victim = place.path().join("victim");
    write(&victim.join("file"), "host");
    for name in ["absolute", "upwards"] {
        place.write(&format!("files/{name}/file"), "of the manifest");
        place.write(&format!("files.append/{name}-append/file"), "of the manifest");
    }
    // The same path is there in the image: an absolute link has to lead to it.
    let inside = place.root().join(victim.strip_prefix("/").unwrap());
    fs::create_dir_all(&inside).unwrap();
    symlink(&victim, place.root().join("absolute")).unwrap();
    symlink(&victim, place.root().join("absolute-append")).unwrap();
    let upwards = format!("../../../../../../../..{}", victim.display());
    symlink(&upwards, place.root().join("upwards")).unwrap();
    symlink(&upwards, place.root().join("upwards-append")).unwrap();
    copy(&place).unwrap();
    append(&place).unwrap();
    assert_eq!(fs::read_to_string(victim.join("file")).unwrap(), "host");
    assert_eq!(victim.read_dir().unwrap().count(), 1);
    assert_eq!(
        fs::read_to_string(inside.join("file")).unwrap(),
        "of the manifestof the manifestof the manifest"
    );
}

#[test]
fn an_absolute_link_over_a_file_of_the_host_is_replaced_and_not_followed() {
    let place = Place::without_tree();
    let victim = place.path().join("victim");
    write(&victim, "host");
    place.write("files/etc/shadow", "of the manifest");
    fs::create_dir(place.root().join("etc")).unwrap();
    symlink(&victim, place.root().join("etc/shadow")).unwrap();
    copy(&place).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "host");
    assert_eq!(place.image("etc/shadow"), "of the manifest");
}

#[test]
fn links_of_the_manifest_that_lead_out_of_it_are_not_read() {
    let place = Place::without_tree();
    let secret = place.path().join("secret");
    write(&secret.join("key"), "secret");
    symlink(&secret, place.manifest().join("files")).unwrap();
    symlink("../secret", place.manifest().join("files.append")).unwrap();
    assert!(
        copy(&place)
            .unwrap_err()
            .to_string()
            .starts_with("error copying files: ")
    );
    assert!(
        append(&place)
            .unwrap_err()
            .to_string()
            .starts_with("error appending files.append: ")
    );
    assert!(!place.root().join("key").exists());
}

#[test]
fn what_is_neither_file_nor_directory_nor_link_is_an_error() {
    let place = Place::without_tree();
    for tree in ["files", "files.append"] {
        fs::create_dir(place.manifest().join(tree)).unwrap();
        let pipe = place.manifest().join(tree).join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }
    assert_eq!(
        copy(&place).unwrap_err().to_string(),
        "error copying files: unsupported file type: files/pipe"
    );
    assert_eq!(
        append(&place).unwrap_err().to_string(),
        "error appending files.append: unsupported file type: files.append/pipe"
    );
}

#[test]
fn a_pipe_or_device_in_the_way_is_replaced_and_never_opened() {
    let place = Place::without_tree();
    place.write("files/pipe", "file now");
    let pipe = place.root().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    copy(&place).unwrap();
    assert_eq!(place.image("pipe"), "file now");
}

#[test]
fn appending_keeps_what_is_there_and_makes_what_is_not() {
    let place = Place::without_tree();
    place.write("files.append/etc/hosts", "added\n");
    place.write("files.append/new/file", "new\n");
    set_mode(&place.manifest().join("files.append/new/file"), 0o4775);
    let hosts = place.root().join("etc/real-hosts");
    write(&hosts, "there\n");
    set_mode(&hosts, 0o640);
    symlink("/etc/real-hosts", place.root().join("etc/hosts")).unwrap();
    append(&place).unwrap();
    assert_eq!(place.image("etc/real-hosts"), "there\nadded\n");
    assert_eq!(mode(&hosts), 0o640);
    assert!(place.root().join("etc/hosts").is_symlink());
    assert_eq!(place.image("new/file"), "new\n");
    assert_eq!(mode(&place.root().join("new/file")), 0o755);
    assert!(place.log().starts_with("\nAppended files.append tree in "));
}

#[test]
fn links_cannot_be_appended() {
    let place = Place::without_tree();
    place.write("files.append/a", "appended first, in order");
    fs::create_dir_all(place.manifest().join("files.append")).unwrap();
    symlink("a", place.manifest().join("files.append/b")).unwrap();
    let error = append(&place).unwrap_err().to_string();
    assert_eq!(error, "error appending files.append: symlinks are not supported");
    assert!(place.root().join("a").exists());
}

#[test]
fn tests_come_to_a_directory_of_the_stream() {
    let place = Place::without_tree();
    place.write("tests/sub/check", "#! /bin/sh\n");
    set_mode(&place.manifest().join("tests/sub/check"), 0o755);
    trees::copy_tests(
        &place.manifest(),
        "users/me/stream",
        &place.root(),
        &*place.watcher,
    )
    .unwrap();
    assert_eq!(mode(&place.root().join("tests/users/me/stream/sub/check")), 0o755);
    assert!(place.log().starts_with("\nCopied tests tree in "));
}
