//! What a replica promises while nothing goes wrong: real programs, every promise of the specification (`imageserver.md §7`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use gob::Time;
use integration::images::{
    add, delete, described, get, image, make_directory, names, object_sizes, put, store,
};
use integration::replica::{
    Node, Wire, converges, delete_directory, directories, holding, master_of, write_owner,
};
use integration::server::{Home, INSECURE, ImageServer};
use integration::told::{add_whole, change_expiration, in_minutes};
use integration::whole::{self, Contents};
use std::time::{Duration, Instant};

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn expiring(server: &ImageServer, name: &str, expires_at: Time) {
    let contents = Contents::from([("file".to_owned(), name.as_bytes().to_vec())]);
    add_whole(server, name, &contents, expires_at).unwrap();
}

/// A counter or gauge of `/metrics`.
fn figure(server: &ImageServer, name: &str) -> Option<f64> {
    let (_, text) = server.page("/metrics").unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_replica_holds_what_its_master_holds_and_follows_its_changes() {
    let home = Home::new().unwrap();
    write_owner(&home, "team", "users").unwrap();
    let master = home.start_insecure(&[]).unwrap();
    make_directory(&master, "team/sub").unwrap();
    put(
        &master,
        "team/sub/first",
        &[("a", b"1"), ("b", b"shared"), ("empty", b"")],
    )
    .unwrap();
    put(
        &master,
        "second",
        &[("b", b"shared"), ("large", &vec![7; 3 << 20])],
    )
    .unwrap();
    expiring(&master, "passing", in_minutes(60));
    store(&master, &[b"what is new"]).unwrap();
    add(
        &master,
        "described",
        described(image(&[("b", b"shared")]), b"what is new"),
    )
    .unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    converges(replica, &master).unwrap();

    put(&master, "team/sub/third", &[("b", b"shared"), ("c", b"3")]).unwrap();
    change_expiration(&master, "passing", in_minutes(120)).unwrap();
    delete(&master, "second").unwrap();
    make_directory(&master, "short").unwrap();
    delete_directory(&master, "short").unwrap();
    make_directory(&master, "long").unwrap();
    let expected = holding(&master).unwrap();
    assert_eq!(expected.directories["team/sub"], "users");
    converges(replica, &master).unwrap();
    // Objects that were there were not fetched again.
    assert_eq!(
        figure(replica, "imageserver_replication_objects_fetched_total"),
        Some(6.0)
    );
    // Those of annotations too.
    let note = hash::of(b"what is new");
    assert_eq!(object_sizes(replica, &[note]).unwrap(), [11]);
    whole::check_objects_on_disk(&replica.objects).unwrap();
}

#[test]
fn a_replica_that_was_away_deletes_what_its_master_has_no_more_and_fetches_only_what_is_new() {
    let master = Node::start(None, &[]).unwrap();
    let mut replica = Node::start(Some(master.port), &[]).unwrap();
    let server = master.server().unwrap();
    make_directory(server, "old").unwrap();
    put(server, "kept", &[("a", b"kept")]).unwrap();
    put(server, "old/gone", &[("a", b"gone")]).unwrap();
    converges(replica.server().unwrap(), server).unwrap();
    replica.kill().unwrap();

    delete(server, "old/gone").unwrap();
    put(server, "new", &[("a", b"kept"), ("b", b"new")]).unwrap();
    replica.up().unwrap();
    converges(replica.server().unwrap(), server).unwrap();
    let fetched = figure(
        replica.server().unwrap(),
        "imageserver_replication_objects_fetched_total",
    );
    assert_eq!(fetched, Some(1.0));
}

#[test]
fn nothing_is_deleted_while_the_master_is_away_or_hangs_up_in_the_middle() {
    let mut master = Node::start(None, &[]).unwrap();
    let wire = Wire::to(master.port).unwrap();
    let replica = Node::start(Some(wire.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    for number in 0..20 {
        put(
            master.server().unwrap(),
            &format!("image{number}"),
            &[("a", &[number])],
        )
        .unwrap();
    }
    let expected = holding(master.server().unwrap()).unwrap();
    converges(replica, master.server().unwrap()).unwrap();
    for _ in 0..5 {
        let reconnects = figure(replica, "imageserver_replication_reconnects_total");
        wire.cut();
        until("connected again", || {
            figure(replica, "imageserver_replication_reconnects_total") > reconnects
        });
        assert_eq!(holding(replica).unwrap(), expected);
    }
    master.kill().unwrap();
    wire.cut();
    assert!(replica.logs("connecting again in", 6));
    assert_eq!(holding(replica).unwrap(), expected);
    assert!(!replica.log_text().contains("delete missing"));
    let (_, status) = replica.page("/").unwrap();
    assert!(
        status.contains("waiting to connect again") || status.contains("connecting"),
        "{status}"
    );
}

#[test]
fn replicas_are_chained_and_what_is_added_anywhere_is_everywhere() {
    let master = Node::start(None, &[]).unwrap();
    let middle = Node::start(Some(master.port), &[]).unwrap();
    let last = Node::start(Some(middle.port), &[]).unwrap();
    let [master, middle, last] = [&master, &middle, &last].map(|node| node.server().unwrap());
    assert_eq!(master_of(master).unwrap(), "");
    assert_eq!(master_of(middle).unwrap(), format!("127.0.0.1:{}", master.port));
    assert_eq!(master_of(last).unwrap(), format!("127.0.0.1:{}", middle.port));
    put(master, "at-master", &[("a", b"1"), ("common", b"common")]).unwrap();
    put(middle, "at-middle", &[("a", b"2"), ("common", b"common")]).unwrap();
    put(last, "at-last", &[("a", b"3"), ("large", &vec![9; 2 << 20])]).unwrap();
    assert_eq!(names(master).unwrap().len(), 3);
    converges(middle, master).unwrap();
    converges(last, master).unwrap();
}

#[test]
fn changes_that_a_replica_does_not_take_name_the_master() {
    let master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let (master, replica) = (master.server().unwrap(), replica.server().unwrap());
    expiring(master, "image", in_minutes(60));
    converges(replica, master).unwrap();
    let text = format!(
        "cannot make changes while under replication control, go to master: 127.0.0.1:{}",
        master.port
    );
    let refusals = [
        delete(replica, "image"),
        make_directory(replica, "directory"),
        delete_directory(replica, "directory"),
        change_expiration(replica, "image", in_minutes(120)),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().to_string(), text);
    }
    // What the master refuses the replica refuses in the same words, and keeps nothing of it.
    delete(master, "image").unwrap();
    until("deleted", || names(replica).unwrap().is_empty());
    let refused = put(replica, "image", &[("a", b"again")]).unwrap_err().to_string();
    assert_eq!(refused, "cannot add previously deleted image: image");
    assert!(names(replica).unwrap().is_empty());
}

#[test]
fn an_image_is_added_to_a_replica_only_with_its_master() {
    let mut master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    put(replica, "through", &[("a", b"1")]).unwrap();
    assert_eq!(
        get(master.server().unwrap(), "through").unwrap(),
        get(replica, "through").unwrap()
    );
    master.kill().unwrap();
    let refused = store(replica, &[b"2"]).unwrap_err().to_string();
    assert!(refused.contains("error calling master: "), "{refused}");
    assert!(add(replica, "alone", image(&[])).is_err());
    assert_eq!(names(replica).unwrap(), ["through"]);
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
    std::fs::set_permissions(files.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let include = format!("-replicationIncludeFilter={}", file("include", "in/.*\n"));
    let exclude = format!(
        "-replicationExcludeFilter={}",
        file("exclude", "# not these\n.*/bad\n")
    );
    let replica = Node::start(Some(master.port), &[&include, &exclude]).unwrap();
    let replica = replica.server().unwrap();
    until("in/good", || !names(replica).unwrap().is_empty());
    put(server, "in/later", &[("a", b"4")]).unwrap();
    put(server, "out/later", &[("a", b"5")]).unwrap();
    put(server, "in/last", &[("a", b"6")]).unwrap();
    until("in/last", || {
        names(replica).unwrap().contains(&"in/last".to_owned())
    });
    assert_eq!(names(replica).unwrap(), ["in/good", "in/last", "in/later"]);
    assert_eq!(directories(replica).unwrap().len(), 3);
}

#[test]
fn an_archive_keeps_what_its_master_deletes_and_takes_expiring_images_only_if_told_to() {
    let master = Node::start(None, &[]).unwrap();
    let server = master.server().unwrap();
    put(server, "lasting", &[("a", b"1")]).unwrap();
    expiring(server, "passing", in_minutes(60));
    let mut lasting = Node::start(Some(master.port), &["-archiveMode"]).unwrap();
    let all = Node::start(Some(master.port), &["-archiveMode", "-archiveExpiringImages"]).unwrap();
    until("all of it", || {
        names(all.server().unwrap()).unwrap() == ["lasting", "passing"]
    });
    until("the lasting one", || {
        names(lasting.server().unwrap()).unwrap() == ["lasting"]
    });
    delete(server, "lasting").unwrap();
    put(server, "later", &[("a", b"2")]).unwrap();
    until("the later one", || {
        names(all.server().unwrap())
            .unwrap()
            .contains(&"later".to_owned())
    });
    until("the later one", || {
        names(lasting.server().unwrap())
            .unwrap()
            .contains(&"later".to_owned())
    });
    // Not after a restart either, when the master's list lacks it.
    lasting.kill().unwrap();
    lasting.up().unwrap();
    let archive = lasting.server().unwrap();
    assert!(archive.logs("Replicated all current images in", 2));
    assert_eq!(names(archive).unwrap(), ["lasting", "later"]);
    assert_eq!(
        names(all.server().unwrap()).unwrap(),
        ["lasting", "later", "passing"]
    );
    // One that is made to stay is taken after all.
    change_expiration(server, "passing", Time::ZERO).unwrap();
    until("the one that stays", || {
        names(archive).unwrap().contains(&"passing".to_owned())
    });
}

#[test]
fn an_archive_without_a_master_takes_images_and_refuses_to_delete_them() {
    let home = Home::new().unwrap();
    let server = home.start(&[INSECURE, &["-archiveMode"]].concat()).unwrap();
    make_directory(&server, "directory").unwrap();
    put(&server, "directory/image", &[("a", b"1")]).unwrap();
    // Times set for images are kept: they end, and what they alone needed may be collected.
    expiring(
        &server,
        "passing",
        (std::time::SystemTime::now() + Duration::from_secs(2)).into(),
    );
    for refusal in [
        delete(&server, "directory/image"),
        delete_directory(&server, "directory"),
    ] {
        let text = refusal.unwrap_err().to_string();
        assert_eq!(text, "cannot delete: this server is in archive mode");
    }
    until("its end", || names(&server).unwrap() == ["directory/image"]);
    let (_, status) = server.page("/").unwrap();
    assert!(status.contains("Running in archive mode"), "{status}");
}

#[test]
fn a_damaged_image_of_a_replica_is_fetched_anew() {
    let master = Node::start(None, &[]).unwrap();
    let mut replica = Node::start(Some(master.port), &[]).unwrap();
    let server = master.server().unwrap();
    put(server, "torn", &[("a", b"first")]).unwrap();
    put(server, "robbed", &[("a", b"second")]).unwrap();
    converges(replica.server().unwrap(), server).unwrap();
    replica.kill().unwrap();
    let torn = replica.home.images().join("torn");
    let mut bytes = std::fs::read(&torn).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&torn, bytes).unwrap();
    let hex = hash::of(b"second").to_string();
    let object = replica
        .home
        .objects()
        .join(&hex[..2])
        .join(&hex[2..4])
        .join(&hex[4..]);
    std::fs::remove_file(object).unwrap();
    replica.up().unwrap();
    let replica = replica.server().unwrap();
    converges(replica, server).unwrap();
    until("healthy", || {
        !replica.page("/healthz").unwrap().1.contains("cannot be served")
    });
}

#[test]
fn a_replicator_that_panics_comes_back_and_goes_on() {
    let master = Node::start(None, &[]).unwrap();
    let home = Home::new().unwrap();
    let port = format!("-imageServerPortNum={}", master.port);
    let flags = [INSECURE, &["-imageServerHostname=127.0.0.1", &port]].concat();
    let replica = home.start_in(&[("IMAGEWRIGHT_TEST_PANIC", "1")], &flags).unwrap();
    let server = master.server().unwrap();
    for round in 0..3 {
        put(server, &format!("image{round}"), &[("a", &[round])]).unwrap();
        let answer = replica
            .request("POST", "/debug/panicActor?name=Replicator", "*/*")
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        converges(&replica, server).unwrap();
    }
    assert!(replica.logs("Replicator failed; starting it again", 3));
    assert_eq!(replica.page("/healthz").unwrap().0, 200);
}

#[test]
fn the_status_page_and_the_figures_tell_how_far_behind_a_replica_is() {
    let mut master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    put(master.server().unwrap(), "image", &[("a", b"1")]).unwrap();
    converges(replica, master.server().unwrap()).unwrap();
    let address = format!("127.0.0.1:{}", master.port);
    until("following", || replica.page("/").unwrap().1.contains("following"));
    let (_, status) = replica.page("/").unwrap();
    for text in ["Replication master: ", &address] {
        assert!(status.contains(text), "no {text} in {status}");
    }
    until("nothing behind", || {
        figure(replica, "imageserver_replication_images_behind") == Some(0.0)
    });
    assert_eq!(figure(replica, "imageserver_replication_connected"), Some(1.0));
    assert_eq!(figure(replica, "imageserver_replication_bytes_behind"), Some(0.0));
    assert!(figure(replica, "imageserver_replication_last_event_timestamp_seconds") > Some(1e9));
    let (_, status) = master.server().unwrap().page("/").unwrap();
    assert!(status.contains("Replication clients: 1"), "{status}");
    master.kill().unwrap();
    until("not connected", || {
        figure(replica, "imageserver_replication_connected") == Some(0.0)
    });
}
