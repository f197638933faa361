//! What the image index promises: names, rights, order, texts.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::{AddRequest, Requester};
use actors::{Config, IndexEvent};
use common::{Directories, add, add_as, expiring, image, names, privileged, put, store, user};
use gob::Time;
use image::{Annotation, Directory, DirectoryEntry, DirectoryMetadata, FileSystem, Image};
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

fn text<T: std::fmt::Debug>(result: Result<T, actors::IndexError>) -> String {
    result.unwrap_err().to_string()
}

fn ahead(by: Duration) -> Time {
    (SystemTime::now() + by).into()
}

fn anonymous() -> Requester {
    Requester::default()
}

#[tokio::test]
async fn an_added_image_is_durable_published_announced_and_readable() {
    let directories = Directories::new();
    let system = directories.start();
    let mut events = system.images.subscribe();
    store(&system, &[b"one", b"log"]).await;
    let build_log = Some(Annotation {
        object: Some(hash::of(b"log")),
        url: String::new(),
    });
    let new = Image {
        build_log,
        ..image(&[("a", b"one"), ("b", b"one"), ("empty", b"")])
    };
    let before = Time::now();
    add_as(&system, "first", new.clone(), privileged("joe"))
        .await
        .unwrap();
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("first".into()));
    let file = std::fs::read(directories.images().join("first")).unwrap();
    let (written, checksum) = protocol::image_file::decode(&file).unwrap();
    let read = system.images.image("first").await.unwrap().unwrap();
    assert_eq!(*read, written);
    assert_eq!(read.file_system, new.file_system);
    assert_eq!(read.created_by, "joe");
    assert!(read.created_on >= before && read.created_on <= Time::now());
    let snapshot = system.images.snapshot();
    let entry = &snapshot.images["first"];
    assert_eq!(entry.checksum, checksum);
    assert!(entry.metadata.file_system.is_none());
    assert_eq!(entry.metadata.created_by, "joe");
    assert_eq!((entry.num_regular_inodes, entry.total_data_bytes), (3, 6));
    assert_eq!(entry.usage_estimate, 2 * 4096);
    assert_eq!((entry.inodes.regular, entry.inodes.regular_bytes), (3, 6));
    let of_tree: Vec<_> = entry
        .objects
        .of_tree()
        .map(|object| (object.hash, object.size))
        .collect();
    assert_eq!(of_tree, [(hash::of(b"one"), 3), (hash::of(b"one"), 3)]);
    assert_eq!(entry.objects.len(), 3);
    assert_eq!(system.objects.statistics().references, 3);
    assert_eq!(system.images.image("second").await.unwrap(), None);
}

#[tokio::test]
async fn a_trusted_add_keeps_creator_and_time() {
    let directories = Directories::new();
    let system = directories.start();
    let created_on = Time::new(1_000_000_000, 5, gob::Zone::Utc);
    let new = Image {
        created_by: "ann".into(),
        created_on,
        ..image(&[])
    };
    let requester = privileged("replica");
    system
        .images
        .add(AddRequest {
            name: "x".into(),
            image: new,
            requester,
            trusted: true,
        })
        .await
        .unwrap();
    let read = system.images.image("x").await.unwrap().unwrap();
    assert_eq!((read.created_by.as_str(), read.created_on), ("ann", created_on));
}

#[tokio::test]
async fn refusals_of_adding_have_the_originals_words_and_leave_nothing_behind() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "taken", &[]).await;
    assert_eq!(
        text(add(&system, "taken", image(&[])).await),
        "image already exists"
    );
    let none = Image::default();
    assert_eq!(text(add(&system, "new", none.clone()).await), "nil file-system");
    assert_eq!(text(add(&system, "taken", none).await), "image already exists");
    let hash = hash::of(b"missing");
    let missing = image(&[("a", b"missing"), ("b", b"missing")]);
    assert_eq!(
        text(add(&system, "new", missing).await),
        format!("object: {hash} is not available")
    );
    let missing = image(&[("a", b"missing"), ("b", b"too")]);
    let check = AddRequest {
        name: "new".into(),
        image: missing.clone(),
        requester: Requester::internal(),
        trusted: true,
    };
    assert_eq!(
        text(system.images.check_add(&check)),
        "2 objects are not available"
    );
    assert_eq!(
        text(add(&system, "new", missing).await),
        "2 objects are not available"
    );
    assert_eq!(
        text(add(&system, "nodir/new", image(&[])).await),
        "no metadata for: \"nodir\""
    );
    for bad in ["", "/x", "../x", "a/../x", ".x", "a/.metadata", "x~", "a//b"] {
        let refused = text(add(&system, bad, image(&[])).await);
        assert!(refused.starts_with("bad name"), "{bad}: {refused}");
    }
    assert_eq!(names(&system), ["taken"]);
    assert_eq!(system.objects.statistics().references, 0);
}

#[tokio::test]
async fn a_hostile_tree_is_refused_before_anything_is_written() {
    let directories = Directories::new();
    let system = directories.start();
    let mut tree = common::tree(&[("a", b"")]);
    tree.directory_inode.entry_list.push(DirectoryEntry {
        name: "../etc".into(),
        inode_number: 1,
    });
    let hostile = Image {
        file_system: Some(tree),
        ..Image::default()
    };
    assert!(text(add(&system, "new", hostile).await).starts_with("bad name"));
    let computed = image::Inode::ComputedRegular(image::ComputedRegularInode::default());
    let entry = |name: &str| DirectoryEntry {
        name: name.into(),
        inode_number: 7,
    };
    let mut tree = FileSystem {
        inode_table: vec![(7, computed)].into(),
        ..FileSystem::default()
    };
    tree.directory_inode.entry_list = vec![entry("a"), entry("b")];
    let twice = Image {
        file_system: Some(tree),
        ..Image::default()
    };
    assert_eq!(
        text(add(&system, "new", twice).await),
        "duplicate computed inode: /b"
    );
    assert_eq!(
        std::fs::read_dir(directories.images()).unwrap().count(),
        1,
        "the lock file alone"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_adds_of_one_name_exactly_one_wins() {
    let directories = Directories::new();
    let system = std::sync::Arc::new(directories.start());
    store(&system, &[b"content"]).await;
    let adds: Vec<_> = (0..20)
        .map(|_| {
            let system = system.clone();
            tokio::spawn(async move { add(&system, "one", image(&[("file", b"content")])).await })
        })
        .collect();
    let mut won = 0;
    for attempt in adds {
        match attempt.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => {
                let text = error.to_string();
                let expected = [
                    "image already exists",
                    "image: one already being written",
                    "image: one already exists",
                ];
                assert!(expected.contains(&text.as_str()), "{text}");
            }
        }
    }
    assert_eq!(won, 1);
    assert_eq!(system.objects.statistics().references, 1);
}

#[tokio::test]
async fn a_deleted_name_stays_deleted_and_its_objects_become_unreferenced() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "gone", &[("file", b"content")]).await;
    let mut events = system.images.subscribe();
    assert_eq!(
        text(system.images.delete("other", privileged("joe")).await),
        "image does not exist"
    );
    system.images.delete("gone", privileged("joe")).await.unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        IndexEvent::DeleteImage("gone".into())
    );
    assert_eq!(directories.images().join("gone").metadata().unwrap().len(), 0);
    assert_eq!(system.objects.statistics().referenced_objects, 0);
    assert_eq!(system.images.image("gone").await.unwrap(), None);
    let again = text(add(&system, "gone", image(&[])).await);
    assert_eq!(again, "cannot add previously deleted image: gone");
    system.stop();
    let system = directories.start();
    assert_eq!(
        text(add(&system, "gone", image(&[])).await),
        "cannot add previously deleted image: gone"
    );
    system.stop();
    let replica = actors::start(Config {
        replica: true,
        ..directories.config()
    })
    .unwrap();
    add(&replica, "gone", image(&[])).await.unwrap();
    assert_eq!(names(&replica), ["gone"]);
}

#[tokio::test]
async fn access_follows_creator_owners_and_the_directorys_group() {
    let directories = Directories::new();
    let system = directories.start();
    system
        .images
        .make_directory("d", false, privileged("root"))
        .await
        .unwrap();
    system
        .images
        .chown_directory("d", "users", privileged("root"))
        .await
        .unwrap();
    store(&system, &[b"content"]).await;
    let owned = Image {
        created_for: "bob".into(),
        owner_users: vec!["carl".into()],
        owner_groups: vec!["dev".into()],
        ..image(&[("file", b"content")])
    };
    assert_eq!(
        text(add_as(&system, "x", owned.clone(), user("ann", &["users"])).await),
        "no access to image"
    );
    assert_eq!(
        text(add_as(&system, "x", owned.clone(), anonymous()).await),
        "no authentication information"
    );
    let unknown = text(add_as(&system, "n/x", owned.clone(), user("ann", &[])).await);
    assert_eq!(unknown, "no metadata for: \"n\"");
    add_as(&system, "d/x", owned.clone(), user("ann", &["users"]))
        .await
        .unwrap();
    system.stop();
    // Rights survive a restart: the original forgets them.
    let system = directories.start();
    let delete = |name: &'static str, requester| system.images.delete(name, requester);
    assert_eq!(
        text(delete("d/x", user("eve", &["other"])).await),
        "no access to image"
    );
    assert_eq!(
        text(delete("d/x", anonymous()).await),
        "no authentication information"
    );
    for (number, requester) in [
        user("ann", &[]),
        user("bob", &[]),
        user("carl", &[]),
        user("eve", &["dev"]),
        user("eve", &["users"]),
    ]
    .into_iter()
    .enumerate()
    {
        let name: &'static str = ["d/0", "d/1", "d/2", "d/3", "d/4"][number];
        let created_by = Image {
            created_by: "ann".into(),
            ..owned.clone()
        };
        let request = AddRequest {
            name: name.into(),
            image: created_by,
            requester: Requester::internal(),
            trusted: true,
        };
        system.images.add(request).await.unwrap();
        delete(name, requester).await.unwrap();
    }
}

#[tokio::test]
async fn expirations_are_changed_by_the_rules_and_their_words() {
    let directories = Directories::new();
    let system = directories.start();
    store(&system, &[b"content"]).await;
    put(&system, "stays", &[]).await;
    let first = expiring(&[("file", b"content")], HOUR);
    add(&system, "goes", first.clone()).await.unwrap();
    let change = |name: &'static str, at: Time, requester: Requester| {
        let images = system.images.clone();
        async move { images.change_expiration(name, at, requester).await }
    };
    let joe = || privileged("joe");
    assert_eq!(
        text(change("none", ahead(2 * HOUR), joe()).await),
        "image not found"
    );
    assert_eq!(
        text(change("stays", ahead(2 * HOUR), joe()).await),
        "image does not expire"
    );
    assert_eq!(
        text(change("goes", ahead(HOUR / 2), joe()).await),
        "cannot shorten expiration time"
    );
    let limit = text(change("none", ahead(800 * HOUR), joe()).await);
    assert_eq!(
        limit, "maximum expiration time is 4w2d10h0m0s for you",
        "the limit check comes first"
    );
    let user_limit = text(change("goes", ahead(48 * HOUR), user("ann", &[])).await);
    assert_eq!(user_limit, "maximum expiration time is 1d0s");
    assert_eq!(
        text(change("goes", ahead(2 * HOUR), user("ann", &[])).await),
        "no access to image"
    );
    let mut events = system.images.subscribe();
    change("goes", first.expires_at, joe()).await.unwrap();
    assert!(events.try_recv().is_err(), "nothing changed");
    let second = ahead(2 * HOUR);
    change("goes", second, joe()).await.unwrap();
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("goes".into()));
    let check = |system: &actors::System, expected: Time| {
        assert_eq!(
            system.images.snapshot().images["goes"].metadata.expires_at,
            expected
        );
    };
    check(&system, second);
    assert_eq!(
        system.images.image("goes").await.unwrap().unwrap().expires_at,
        second
    );
    assert_eq!(
        system.images.image("goes").await.unwrap().unwrap().file_system,
        first.file_system
    );
    assert_eq!(system.objects.statistics().references, 1);
    system.stop();
    let system = directories.start();
    check(&system, second);
    system
        .images
        .change_expiration("goes", Time::ZERO, joe())
        .await
        .unwrap();
    let images = &system.images;
    assert_eq!(
        text(images.change_expiration("goes", second, joe()).await),
        "image does not expire"
    );
}

#[tokio::test]
async fn an_image_ends_when_it_expires_without_tombstone_or_event() {
    let directories = Directories::new();
    let system = directories.start();
    store(&system, &[b"content"]).await;
    let files: &[(&str, &[u8])] = &[("file", b"content")];
    add(&system, "extended", expiring(files, Duration::from_millis(300)))
        .await
        .unwrap();
    system
        .images
        .change_expiration("extended", ahead(HOUR), privileged("joe"))
        .await
        .unwrap();
    let mut events = system.images.subscribe();
    add(&system, "short", expiring(files, Duration::from_millis(200)))
        .await
        .unwrap();
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("short".into()));
    common::eventually("expired", || names(&system) == ["extended"]).await;
    assert!(!directories.images().join("short").exists());
    assert!(events.try_recv().is_err());
    assert_eq!(system.objects.statistics().references, 1);
    // The name may be used again.
    add(&system, "short", image(files)).await.unwrap();
}

#[tokio::test]
async fn the_tombstone_of_an_expiring_image_goes_when_it_would_have_expired() {
    let directories = Directories::new();
    let system = directories.start();
    add(&system, "short", expiring(&[], Duration::from_millis(500)))
        .await
        .unwrap();
    system.images.delete("short", privileged("joe")).await.unwrap();
    let path = directories.images().join("short");
    assert!(path.exists());
    common::eventually("the tombstone is gone", || !path.exists()).await;
}

#[tokio::test]
async fn an_image_that_has_expired_already_is_ignored_as_success() {
    let directories = Directories::new();
    let system = directories.start();
    let past = Image {
        expires_at: Time::new(1, 0, gob::Zone::Utc),
        ..image(&[])
    };
    add(&system, "past", past).await.unwrap();
    assert!(names(&system).is_empty());
    assert!(!directories.images().join("past").exists());
}

#[tokio::test]
async fn directories_are_made_inherit_and_are_removed_only_when_empty() {
    let directories = Directories::new();
    let system = directories.start();
    let images = &system.images;
    let root = || privileged("root");
    let mut events = images.subscribe();
    images.make_directory("a/", false, root()).await.unwrap();
    images.chown_directory("a", "adm", root()).await.unwrap();
    assert_eq!(
        text(images.make_directory("a", false, root()).await),
        "directory: a already exists"
    );
    assert_eq!(
        text(images.make_directory("x/y", false, root()).await),
        "no metadata for: x"
    );
    assert_eq!(
        text(images.make_directory(".", true, root()).await),
        "cannot create root directory"
    );
    images.make_directory("a/b/c", true, root()).await.unwrap();
    images.make_directory("a/b", true, root()).await.unwrap();
    let made = |name: &str, owner_group: &str| {
        let metadata = DirectoryMetadata {
            owner_group: owner_group.into(),
        };
        IndexEvent::MakeDirectory(Directory {
            name: name.into(),
            metadata,
        })
    };
    for expected in [
        made("a", ""),
        made("a", "adm"),
        made("a/b", "adm"),
        made("a/b/c", "adm"),
    ] {
        assert_eq!(events.recv().await.unwrap(), expected);
    }
    put(&system, "a/b/image", &[]).await;
    assert_eq!(
        text(images.delete_directory("n", root()).await),
        "directory: n does not exist"
    );
    assert_eq!(
        text(images.delete_directory("a/b", root()).await),
        "remove a/b: directory not empty"
    );
    // It holds its own metadata.
    assert_eq!(
        text(images.delete_directory("a/b/c", root()).await),
        "remove a/b/c: directory not empty"
    );
    images.chown_directory("a/b/c", "", root()).await.unwrap();
    images.delete_directory("a/b/c", root()).await.unwrap();
    assert!(!images.snapshot().directories.contains_key("a/b/c"));
    system.stop();
    let system = directories.start();
    let snapshot = system.images.snapshot();
    let found: Vec<_> = snapshot
        .directories
        .values()
        .map(|entry| (entry.name.to_string(), entry.owner_group.to_string()))
        .collect();
    let expected = [(".", ""), ("a", "adm"), ("a/b", "adm")];
    assert_eq!(
        found,
        expected.map(|(name, group)| (name.to_owned(), group.to_owned()))
    );
}

#[tokio::test]
async fn only_members_may_give_a_directory_away() {
    let directories = Directories::new();
    let system = directories.start();
    let images = &system.images;
    let root = || privileged("root");
    images.make_directory("a/b", true, root()).await.unwrap();
    let chown = |name: &'static str, group: &'static str, requester: Requester| {
        let images = images.clone();
        async move { images.chown_directory(name, group, requester).await }
    };
    assert_eq!(
        text(chown("a", "adm", Requester::internal()).await),
        "no username: unauthenticated connection"
    );
    assert_eq!(
        text(chown("a", "no-such-group", root()).await),
        "group: unknown group no-such-group"
    );
    assert_eq!(text(chown("n", "adm", root()).await), "no metadata for: \"n\"");
    assert_eq!(
        text(chown("a/b", "adm", user("ann", &["users"])).await),
        "no membership of adm group"
    );
    assert_eq!(
        text(chown("a/b", "adm", user("ann", &["adm"])).await),
        "no access to image"
    );
    assert_eq!(
        text(chown("a/b", "", user("ann", &["adm"])).await),
        "no membership of  group"
    );
    chown("a/b", "users", root()).await.unwrap();
    chown("a/b", "adm", user("ann", &["adm", "users"])).await.unwrap();
    chown("a", "users", root()).await.unwrap();
    chown("a/b", "daemon", user("eve", &["users"])).await.unwrap();
    assert_eq!(&*images.snapshot().directories["a/b"].owner_group, "daemon");
}

#[tokio::test]
async fn a_replica_takes_directories_as_the_master_says() {
    let directories = Directories::new();
    let system = directories.start();
    let put = |name: &str, owner_group: &str| {
        let metadata = DirectoryMetadata {
            owner_group: owner_group.into(),
        };
        system.images.put_directory(Directory {
            name: name.into(),
            metadata,
        })
    };
    put("a", "").await.unwrap();
    put(".", "adm").await.unwrap();
    // A group this host does not know is the master's business.
    put("a", "strangers").await.unwrap();
    assert_eq!(text(put("x/y", "").await), "no metadata for: x");
    assert!(text(put("../x", "").await).starts_with("bad name"));
    system.stop();
    let system = directories.start();
    let snapshot = system.images.snapshot();
    assert_eq!(&*snapshot.directories["."].owner_group, "adm");
    assert_eq!(&*snapshot.directories["a"].owner_group, "strangers");
}

#[tokio::test]
async fn an_archive_restores_a_deleted_image_as_it_was() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "kept", &[("file", b"content")]).await;
    let images = &system.images;
    assert_eq!(images.archive("none").await.unwrap(), None);
    let archive = images.archive("kept").await.unwrap().unwrap();
    let before = images.image("kept").await.unwrap().unwrap();
    let restore = |data: &[u8]| images.restore(data.to_vec(), Time::ZERO, privileged("joe"));
    assert_eq!(text(restore(&archive).await), "image: kept already exists");
    images.delete("kept", privileged("joe")).await.unwrap();
    let mut forged = archive.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(text(restore(&forged).await).starts_with("HMAC mismatch: expected: "));
    assert!(text(restore(b"no archive").await).starts_with("cannot read image archive: "));
    assert_eq!(restore(&archive).await.unwrap(), "kept");
    assert_eq!(*images.image("kept").await.unwrap().unwrap(), *before);
    assert_eq!(system.objects.statistics().references, 1);
    // Elsewhere it is a new image of whoever brings it.
    let elsewhere = Directories::new();
    let other = elsewhere.start();
    assert!(
        text(
            other
                .images
                .restore(archive.clone(), Time::ZERO, privileged("eve"))
                .await
        )
        .ends_with("is not available")
    );
    store(&other, &[b"content"]).await;
    other
        .images
        .restore(archive, Time::ZERO, privileged("eve"))
        .await
        .unwrap();
    let restored = other.images.image("kept").await.unwrap().unwrap();
    assert_eq!(restored.created_by, "eve");
    assert_eq!(restored.file_system, before.file_system);
}

#[tokio::test]
async fn an_archive_of_an_expiring_image_needs_a_new_expiration() {
    let directories = Directories::new();
    let system = directories.start();
    let images = &system.images;
    add(&system, "short", expiring(&[], Duration::from_secs(2)))
        .await
        .unwrap();
    let archive = images.archive("short").await.unwrap().unwrap();
    images.delete("short", privileged("joe")).await.unwrap();
    let restore = |at: Time| images.restore(archive.clone(), at, privileged("joe"));
    assert!(text(restore(ahead(HOUR)).await).starts_with("cannot restore for: "));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(text(restore(ahead(1000 * HOUR)).await).starts_with("maximum expiration time is "));
    let at = ahead(HOUR);
    restore(at).await.unwrap();
    assert_eq!(images.snapshot().images["short"].metadata.expires_at, at);
}

#[tokio::test]
async fn a_tree_is_decoded_once_for_all_who_ask() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "one", &[("file", b"content")]).await;
    let (first, second) = tokio::join!(system.images.image("one"), system.images.image("one"));
    assert!(std::sync::Arc::ptr_eq(
        &first.unwrap().unwrap(),
        &second.unwrap().unwrap()
    ));
    // Without a cache as well.
    system.stop();
    let system = actors::start(Config {
        tree_cache_bytes: 0,
        ..directories.config()
    })
    .unwrap();
    assert!(system.images.image("one").await.unwrap().is_some());
}
