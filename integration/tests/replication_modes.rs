//! What a replica takes and what it keeps (`imageserver.md §7.2, §7.3`): filters, archives with and without a master; and how it
//! presents itself to the master.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use gob::Time;
use integration::images::{delete, make_directory, names, put};
use integration::replica::{Node, delete_directory, directories, put_expiring, until, until_images};
use integration::secured::Secured;
use integration::server::{Home, INSECURE};
use integration::told::{change_expiration, in_minutes};
use integration::tool::{Outcome, Tool};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

fn in_seconds(seconds: u64) -> Time {
    (SystemTime::now() + Duration::from_secs(seconds)).into()
}

/// A file of expressions that the server may read.
fn filter(directory: &Path, name: &str, text: &str) -> String {
    std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn filters_decide_what_a_replica_takes() {
    let master = Node::start(None, &[]).unwrap();
    let server = master.server().unwrap();
    for directory in ["in", "out"] {
        make_directory(server, directory).unwrap();
    }
    put(server, "in/good", &[("a", b"1")]).unwrap();
    put(server, "in/bad", &[("a", b"2")]).unwrap();
    put(server, "out/good", &[("a", b"3")]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let include = filter(files.path(), "include", "in/.*\n");
    let include = format!("-replicationIncludeFilter={include}");
    let exclude = filter(files.path(), "exclude", "# not these\n.*/bad\n");
    let exclude = format!("-replicationExcludeFilter={exclude}");
    let mut replica = Node::start(Some(master.port), &[&include, &exclude]).unwrap();
    until_images(replica.server().unwrap(), &["in/good"]).unwrap();
    put(server, "in/later", &[("a", b"4")]).unwrap();
    put(server, "out/later", &[("a", b"5")]).unwrap();
    put(server, "in/last", &[("a", b"6")]).unwrap();
    until_images(replica.server().unwrap(), &["in/good", "in/last", "in/later"]).unwrap();
    // Directories are not filtered.
    assert_eq!(directories(replica.server().unwrap()).unwrap().len(), 3);

    // What a filter leaves out from now on is treated as if the master had it no more.
    replica.kill().unwrap();
    filter(files.path(), "exclude", ".*/l.*\n");
    replica.up().unwrap();
    until_images(replica.server().unwrap(), &["in/bad", "in/good"]).unwrap();
}

#[test]
fn an_archive_keeps_what_its_master_deletes_and_takes_expiring_images_only_if_told_to() {
    let master = Node::start(None, &[]).unwrap();
    let server = master.server().unwrap();
    make_directory(server, "d").unwrap();
    put(server, "d/lasting", &[("a", b"1")]).unwrap();
    put_expiring(server, "passing", in_minutes(60)).unwrap();
    let mut lasting = Node::start(Some(master.port), &["-archiveMode"]).unwrap();
    let all = Node::start(Some(master.port), &["-archiveMode", "-archiveExpiringImages"]).unwrap();
    let all = all.server().unwrap();
    until_images(all, &["d/lasting", "passing"]).unwrap();
    until_images(lasting.server().unwrap(), &["d/lasting"]).unwrap();
    delete(server, "d/lasting").unwrap();
    put(server, "later", &[("a", b"2")]).unwrap();
    until_images(all, &["d/lasting", "later", "passing"]).unwrap();
    until_images(lasting.server().unwrap(), &["d/lasting", "later"]).unwrap();
    // Not after a restart either, when the master's list lacks it.
    lasting.kill().unwrap();
    lasting.up().unwrap();
    let archive = lasting.server().unwrap();
    assert!(archive.logs("Replicated all current images in", 2));
    assert_eq!(names(archive).unwrap(), ["d/lasting", "later"]);
    assert_eq!(directories(archive).unwrap().len(), 2);
    assert_eq!(names(all).unwrap(), ["d/lasting", "later", "passing"]);
    // Nor does anybody else delete from it.
    let refusal = delete(archive, "later").unwrap_err().to_string();
    assert!(refusal.contains("go to master"), "{refusal}");
    // One that is made to stay is taken after all.
    change_expiration(server, "passing", Time::ZERO).unwrap();
    until_images(archive, &["d/lasting", "later", "passing"]).unwrap();
}

#[test]
fn images_that_an_archive_takes_with_their_expirations_end_there_by_its_own_timer() {
    let mut master = Node::start(None, &[]).unwrap();
    let server = master.server().unwrap();
    put(server, "lasting", &[("a", b"1")]).unwrap();
    let archive = Node::start(Some(master.port), &["-archiveMode", "-archiveExpiringImages"]).unwrap();
    let archive = archive.server().unwrap();
    until_images(archive, &["lasting"]).unwrap();
    put_expiring(server, "passing", in_seconds(6)).unwrap();
    until_images(archive, &["lasting", "passing"]).unwrap();
    // Nobody is there to say that it has ended.
    master.kill().unwrap();
    until_images(archive, &["lasting"]).unwrap();
}

#[test]
fn an_archive_without_a_master_takes_images_and_refuses_to_delete_them() {
    let home = Home::new().unwrap();
    let server = home.start(&[INSECURE, &["-archiveMode"]].concat()).unwrap();
    make_directory(&server, "directory").unwrap();
    put(&server, "directory/image", &[("a", b"1")]).unwrap();
    for refusal in [
        delete(&server, "directory/image"),
        delete_directory(&server, "directory"),
    ] {
        let text = refusal.unwrap_err().to_string();
        assert_eq!(text, "cannot delete: this server is in archive mode");
    }
    assert_eq!(names(&server).unwrap(), ["directory/image"]);
    let (_, status) = server.page("/").unwrap();
    assert!(status.contains("Running in archive mode"), "{status}");
}

/// Times set for images are kept; what they alone needed is collected as anywhere.
#[test]
fn in_an_archive_without_a_master_images_expire_and_only_their_objects_are_collected() {
    let home = Home::new().unwrap();
    let collect = [
        "-objectServerCleanupStartSize=1B",
        "-objectServerCleanupStopSize=0B",
    ];
    let flags = [INSECURE, &["-archiveMode"], &collect].concat();
    let server = home.start(&flags).unwrap();
    put(&server, "lasting", &[("a", b"needed")]).unwrap();
    put_expiring(&server, "passing", in_seconds(3)).unwrap();
    until_images(&server, &["lasting"]).unwrap();
    // Looked at on disk: an object that a caller was told of is kept for a while.
    let [needed, passing] = [b"needed".as_slice(), b"passing"].map(|content| home.object(&hash::of(content)));
    until("the collection", || !passing.exists()).unwrap();
    assert!(needed.exists());
}

/// A replica with a certificate of the master's authority, and an administrator's tool to talk to it.
fn secured_replica(master: &Secured, flags: &[&str]) -> (Node, Tool) {
    let home = Home::new().unwrap();
    let ssl = home.path().join("ssl");
    let server = ["--preset", "replica", "--server", "localhost,127.0.0.1"];
    master.authority.issue("replica", &server, &ssl).unwrap();
    let credentials = [
        format!("-CAfile={}", master.home.path().join("trust/CA.pem").display()),
        format!("-certFile={}", ssl.join("cert.pem").display()),
        format!("-keyFile={}", ssl.join("key.pem").display()),
    ];
    let flags: Vec<&str> = credentials
        .iter()
        .map(String::as_str)
        .chain(flags.iter().copied())
        .collect();
    let mut node = Node::prepare(home, Some(master.server.port), &flags).unwrap();
    node.up().unwrap();
    let tool = master.tool("admin").at_port(node.port);
    (node, tool)
}

/// `imagetool add` of a small tree.
fn add(tool: &Tool, directory: &Path, name: &str) -> Outcome {
    let (tree, none) = (directory.join("tree"), directory.join("none"));
    std::fs::create_dir_all(&tree).unwrap();
    std::fs::write(tree.join("file"), name).unwrap();
    std::fs::write(&none, "").unwrap();
    let arguments = [
        "-requiredPaths=",
        "add",
        name,
        &tree.display().to_string(),
        &none.display().to_string(),
        "",
    ];
    tool.run(&arguments).unwrap()
}

#[test]
fn a_replica_uses_its_powers_on_the_master_unless_told_not_to() {
    let master = Secured::new(&[]).unwrap();
    let admin = master.issue("admin", &["--preset", "admin"]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (_replica, tool) = secured_replica(&master, &[]);
    let outcome = add(&tool, files.path(), "through");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(admin.must(&["list"]).unwrap(), "through\n");
    let (_waiving, tool) = secured_replica(&master, &["-srpcClientDoNotUseMethodPowers"]);
    let outcome = add(&tool, files.path(), "refused");
    assert!(outcome.err.contains("access to method denied"), "{outcome:?}");
    assert_eq!(admin.must(&["list"]).unwrap(), "through\n");
}

#[test]
fn a_directory_that_is_given_away_on_a_replica_is_given_away_there_alone() {
    let master = Secured::new(&[]).unwrap();
    let admin = master.issue("admin", &["--preset", "admin"]).unwrap();
    admin.must(&["mkdir", "d"]).unwrap();
    let (replica, tool) = secured_replica(&master, &[]);
    until("the directory", || {
        tool.run(&["listdirs"]).unwrap().out == ".\nd\n"
    })
    .unwrap();
    tool.must(&["chown", "d", "users"]).unwrap();
    let owner = |home: &Home| {
        let file = std::fs::read(home.images().join("d/.metadata")).ok()?;
        Some(protocol::metadata_file::decode(&file).unwrap().owner_group)
    };
    assert_eq!(owner(&replica.home).as_deref(), Some("users"));
    assert_eq!(owner(&master.home).unwrap_or_default(), "");
}

#[test]
fn a_master_that_says_nothing_is_waited_for_as_long_as_the_flag_says() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let impatient = Node::start(Some(port), &["-srpcDefaultConnectTimeout=1s"]).unwrap();
    let patient = Node::start(Some(port), &["-srpcDefaultConnectTimeout=24h"]).unwrap();
    assert!(
        impatient
            .server()
            .unwrap()
            .logs("i/o timeout; connecting again in", 2)
    );
    assert!(
        !patient
            .server()
            .unwrap()
            .log_text()
            .contains("connecting again in")
    );
}
