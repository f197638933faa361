//! What a replica promises while nothing goes wrong: real programs, every promise of the specification (`imageserver.md §7`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::images::{
    add, delete, described, get, image, make_directory, names, object_sizes, put, store,
};
use integration::plain_call::call;
use integration::replica::{
    Node, Wire, converges, delete_directory, figure, holding, master_of, put_expiring, until, until_images,
    write_owner,
};
use integration::server::Home;
use integration::told::{change_expiration, in_minutes};
use integration::whole;
use protocol::image_server::*;

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
    put_expiring(&master, "passing", in_minutes(60)).unwrap();
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
        })
        .unwrap();
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
    put_expiring(master, "image", in_minutes(60)).unwrap();
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
    until_images(replica, &[]).unwrap();
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
    std::fs::remove_file(replica.home.object(&hash::of(b"second"))).unwrap();
    replica.up().unwrap();
    let replica = replica.server().unwrap();
    converges(replica, server).unwrap();
    until("healthy", || {
        !replica.page("/healthz").unwrap().1.contains("cannot be served")
    })
    .unwrap();
}

#[test]
fn the_status_page_and_the_figures_tell_how_far_behind_a_replica_is() {
    let mut master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    put(master.server().unwrap(), "image", &[("a", b"1")]).unwrap();
    converges(replica, master.server().unwrap()).unwrap();
    let address = format!("127.0.0.1:{}", master.port);
    until("following", || replica.page("/").unwrap().1.contains("following")).unwrap();
    let (_, status) = replica.page("/").unwrap();
    for text in ["Replication master: ", &address] {
        assert!(status.contains(text), "no {text} in {status}");
    }
    until("nothing behind", || {
        figure(replica, "imageserver_replication_images_behind") == Some(0.0)
    })
    .unwrap();
    assert_eq!(figure(replica, "imageserver_replication_connected"), Some(1.0));
    assert_eq!(figure(replica, "imageserver_replication_bytes_behind"), Some(0.0));
    assert!(figure(replica, "imageserver_replication_last_event_timestamp_seconds") > Some(1e9));
    let (_, status) = master.server().unwrap().page("/").unwrap();
    assert!(status.contains("Replication clients: 1"), "{status}");
    master.kill().unwrap();
    until("not connected", || {
        figure(replica, "imageserver_replication_connected") == Some(0.0)
    })
    .unwrap();
}

#[test]
fn what_cannot_be_fetched_counts_as_behind_with_its_cause_and_is_fetched_when_it_can_be() {
    let mut master = Node::start(None, &[]).unwrap();
    put(master.server().unwrap(), "good", &[("a", b"1")]).unwrap();
    put(master.server().unwrap(), "robbed", &[("a", b"lost")]).unwrap();
    let lost = hash::of(b"lost");
    // In the master's table and not on its disk.
    std::fs::remove_file(master.home.object(&lost)).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    until_images(replica, &["good"]).unwrap();
    until("behind", || {
        figure(replica, "imageserver_replication_images_behind") == Some(1.0)
            && figure(replica, "imageserver_replication_errors_total") >= Some(1.0)
    })
    .unwrap();
    let (_, status) = replica.page("/").unwrap();
    assert!(status.contains("error adding image: robbed: "), "{status}");
    let cause = get(replica, "robbed").unwrap_err().to_string();
    assert!(cause.starts_with("image: robbed is not here yet: "), "{cause}");
    // It never was here; that is no reason to tell anybody that it is gone.
    assert!(!replica.log_text().contains("delete"));
    master.kill().unwrap();
    master.up().unwrap();
    store(master.server().unwrap(), &[b"lost"]).unwrap();
    converges(replica, master.server().unwrap()).unwrap();
}

#[test]
fn a_follower_of_a_replica_that_has_no_list_yet_waits_and_deletes_nothing() {
    let mut master = Node::start(None, &[]).unwrap();
    let mut middle = Node::start(Some(master.port), &[]).unwrap();
    let last = Node::start(Some(middle.port), &[]).unwrap();
    let last = last.server().unwrap();
    put(master.server().unwrap(), "image", &[("a", b"1")]).unwrap();
    converges(last, master.server().unwrap()).unwrap();
    master.kill().unwrap();
    middle.kill().unwrap();
    // The middle one comes back with nothing, and no master to tell it what there is.
    std::fs::remove_file(middle.home.images().join("image")).unwrap();
    middle.up().unwrap();
    assert!(last.logs("Image replicator: connected to: ", 2));
    assert_eq!(names(last).unwrap(), ["image"]);
    master.up().unwrap();
    converges(middle.server().unwrap(), master.server().unwrap()).unwrap();
    put(master.server().unwrap(), "later", &[("a", b"2")]).unwrap();
    converges(last, master.server().unwrap()).unwrap();
    assert!(!last.log_text().contains("delete"));
}

#[test]
fn objects_that_only_the_replica_has_go_to_the_master_with_the_image() {
    let mut master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let replica = replica.server().unwrap();
    let large = vec![5; 3 << 20];
    let contents: [&[u8]; 2] = [b"small", &large];
    let files = [("a", contents[0]), ("b", contents[1])];
    put(replica, "image", &files).unwrap();
    delete(master.server().unwrap(), "image").unwrap();
    until_images(replica, &[]).unwrap();
    // As if they had been collected there.
    master.kill().unwrap();
    for content in contents {
        std::fs::remove_file(master.home.object(&hash::of(content))).unwrap();
    }
    master.up().unwrap();
    // A client asks which objects to send, and hears: none.
    let hashes = contents.map(hash::of);
    assert_eq!(object_sizes(replica, &hashes).unwrap(), [5, 3 << 20]);
    add(replica, "again", image(&files)).unwrap();
    assert_eq!(
        object_sizes(master.server().unwrap(), &hashes).unwrap(),
        [5, 3 << 20]
    );
    converges(replica, master.server().unwrap()).unwrap();
}

#[test]
fn archives_are_made_and_restored_by_the_master() {
    let master = Node::start(None, &[]).unwrap();
    let replica = Node::start(Some(master.port), &[]).unwrap();
    let (master, replica) = (master.server().unwrap(), replica.server().unwrap());
    put(master, "image", &[("a", b"1")]).unwrap();
    converges(replica, master).unwrap();
    let address = format!("127.0.0.1:{}", master.port);
    let request = GetImageArchiveRequest {
        image_name: "image".to_owned(),
    };
    let reply: GetImageArchiveResponse =
        call(replica.address(), "ImageServer.GetImageArchive", &request).unwrap();
    assert_eq!(reply.replication_master, address);
    assert!(reply.archive_data.is_empty());
    let request = RestoreImageFromArchiveRequest::default();
    let reply: RestoreImageFromArchiveResponse =
        call(replica.address(), "ImageServer.RestoreImageFromArchive", &request).unwrap();
    assert_eq!(reply.replication_master, address);
}

#[test]
fn unreferenced_objects_are_deleted_on_the_replica_that_is_asked() {
    let master = Node::start(None, &[]).unwrap();
    let mut replica = Node::start(Some(master.port), &[]).unwrap();
    store(replica.server().unwrap(), &[b"needed by nobody"]).unwrap();
    // Without the connection that added it, and so without its lease.
    replica.kill().unwrap();
    replica.up().unwrap();
    let replica = replica.server().unwrap();
    let request = DeleteUnreferencedObjectsRequest {
        percentage: 100,
        bytes: 0,
    };
    let _: DeleteUnreferencedObjectsResponse = call(
        replica.address(),
        "ImageServer.DeleteUnreferencedObjects",
        &request,
    )
    .unwrap();
    let hashes = [hash::of(b"needed by nobody")];
    assert_eq!(object_sizes(replica, &hashes).unwrap(), [0]);
    assert_eq!(object_sizes(master.server().unwrap(), &hashes).unwrap(), [16]);
}
