//! A full disk fails the request that does not fit, with its cause, and nothing else.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/small_disk.rs"]
mod small_disk;

use actors::Config;
use common::{Directories, add, image, names, store};
use small_disk::SmallDisk;

#[tokio::test]
async fn objects_that_do_not_fit_are_refused_and_later_ones_are_stored() {
    let Some(disk) = SmallDisk::mount("2m") else {
        return;
    };
    let directories = Directories::new();
    let system = actors::start(Config {
        object_dir: disk.path.clone(),
        ..directories.config()
    })
    .unwrap();
    let kept = store(&system, &[b"kept"]).await[0];
    let lease = system.objects.lease();
    let mut stored = Vec::new();
    let error = loop {
        let data = vec![stored.len() as u8; 600 << 10];
        match system.objects.add(data.into(), &lease).await {
            Ok(object) => stored.push(object.hash),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("No space left on device"), "{error}");
    assert!(
        !error.contains(disk.path.to_str().unwrap()),
        "no path of the server: {error}"
    );
    assert!(!stored.is_empty());
    assert_eq!(common::read(&system, &kept).await.unwrap(), b"kept");
    assert_eq!(common::read(&system, &stored[0]).await.unwrap().len(), 600 << 10);
    drop(lease);
    // Room is made, and adding works again.
    system.objects.delete_unreferenced(100, 0).await.unwrap();
    store(&system, &[&vec![9; 600 << 10]]).await;
}

#[tokio::test]
async fn an_image_that_does_not_fit_is_refused_and_its_name_stays_free() {
    let Some(disk) = SmallDisk::mount("256k") else {
        return;
    };
    let directories = Directories::new();
    let system = actors::start(Config {
        image_dir: disk.path.clone(),
        ..directories.config()
    })
    .unwrap();
    store(&system, &[b"content"]).await;
    add(&system, "small", image(&[("file", b"content")]))
        .await
        .unwrap();
    let long: Vec<String> = (0..20_000)
        .map(|number| format!("a-file-with-a-long-name-{number}"))
        .collect();
    let files: Vec<(&str, &[u8])> = long.iter().map(|name| (name.as_str(), &b"content"[..])).collect();
    let error = add(&system, "large", image(&files))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert_eq!(names(&system), ["small"]);
    assert_eq!(
        system.objects.statistics().references,
        1,
        "its references went back"
    );
    add(&system, "large", image(&[("file", b"content")]))
        .await
        .unwrap();
    assert!(system.images.image("large").await.unwrap().is_some());
}
