//! What the image index promises about directories.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::IndexEvent;
use actors::image_index::Requester;
use common::{Directories, privileged, put, user};
use image::{Directory, DirectoryMetadata};

fn text<T: std::fmt::Debug>(result: Result<T, actors::IndexError>) -> String {
    result.unwrap_err().to_string()
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
