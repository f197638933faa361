//! What the image index promises: names, rights, order, texts.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::{AddRequest, Requester};
use actors::{Config, IndexEvent};
use common::{Directories, add, add_as, image, names, privileged, put, store, user};
use gob::Time;
use image::{Annotation, DirectoryEntry, FileSystem, Image};

fn text<T: std::fmt::Debug>(result: Result<T, actors::IndexError>) -> String {
    result.unwrap_err().to_string()
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
    let own = |name: &str| name.starts_with(".imagewright.");
    let mut files = std::fs::read_dir(directories.images()).unwrap();
    assert!(files.all(|file| own(file.unwrap().file_name().to_str().unwrap())));
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

#[tokio::test]
async fn texts_that_are_not_utf8_are_kept_byte_for_byte() {
    let directories = Directories::new();
    // As another server may have stored it: file names of Latin-1 in a filter, a tag, an owner.
    let text = |bytes: &[u8]| gob::text::from_bytes(bytes).into_owned();
    let odd = Image {
        created_by: text(b"Jos\xe9"),
        tags: [(text(b"\xff"), text(b"\xf4\x8f\xba\x80 \xc3\xa9"))].into(),
        filter: Some(image::Filter {
            filter_lines: vec![text(b"/caf\xe9/.*")],
        }),
        expires_at: (std::time::SystemTime::now() + std::time::Duration::from_secs(3600)).into(),
        ..image(&[])
    };
    let file = protocol::image_file::encode(&odd);
    for bytes in [&b"Jos\xe9"[..], b"\xf4\x8f\xba\x80 \xc3\xa9", b"/caf\xe9/.*"] {
        assert!(file.windows(bytes.len()).any(|window| window == bytes));
    }
    std::fs::write(directories.images().join("odd"), &file).unwrap();
    for _ in 0..2 {
        let system = directories.start();
        let read = system.images.image("odd").await.unwrap().unwrap();
        assert_eq!((&read.tags, &read.filter), (&odd.tags, &odd.filter));
        // Rewritten it is the same but for what was changed; the second time it comes from the index.
        let later = Time::new(read.expires_at.unix_seconds() + 60, 0, read.expires_at.zone());
        system
            .images
            .change_expiration("odd", later, privileged("joe"))
            .await
            .unwrap();
        system.stop();
        let stored = std::fs::read(directories.images().join("odd")).unwrap();
        assert_eq!(stored.len(), file.len());
        let (stored, _) = protocol::image_file::decode(&stored).unwrap();
        assert_eq!(
            (stored.tags, stored.filter),
            (odd.tags.clone(), odd.filter.clone())
        );
        assert_eq!(stored.created_by.as_bytes(), odd.created_by.as_bytes());
    }
    // A name is text for whoever lists it, so it must be that.
    let system = directories.start();
    let refused = add(&system, &text(b"caf\xe9"), image(&[])).await.unwrap_err();
    assert!(refused.to_string().ends_with("name is not UTF-8"), "{refused}");
}
