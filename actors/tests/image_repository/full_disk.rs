//! A full disk fails the changes that need room, with their cause, and no other.

use crate::fixture::{RULES, add_with_file, file_entry, record, record_with, uuid};
use crate::small_disk::SmallDisk;
use actors::image_repository::{RepositoryError, RepositoryStore, Slot, start};
use serde_json::json;

#[tokio::test]
async fn a_full_disk_refuses_what_needs_room_and_goes_on_deleting() {
    let Some(disk) = SmallDisk::mount("4m") else {
        return;
    };
    let system = start(RepositoryStore::new(&disk.path, RULES)).unwrap();
    let repository = system.repository();
    let kept = add_with_file(repository, 1, &[1; 1 << 20]).await;
    let other = repository.create(record(2, "1.0.0")).await.unwrap();
    repository.tidied().await;
    // A file that does not fit: the image is what it was, and nothing is left of it.
    let mut upload = repository
        .begin_upload(uuid(2), Slot::File(0), true)
        .await
        .unwrap();
    let error = loop {
        if let Err(error) = upload.append(&[2; 100_000]) {
            break error;
        }
    };
    assert!(matches!(error, RepositoryError::NoSpace { .. }), "{error}");
    assert!(!error.to_string().contains(disk.path.to_str().unwrap()));
    assert_eq!(upload.received() % 100_000, 0, "what was refused does not count");
    upload.keep().unwrap();
    // Until not even a record fits.
    let long = "x".repeat(100_000);
    let mut number = 10;
    let error = loop {
        let image = record_with(number, "1.0.0", &json!({"x-note": long}));
        if let Err(error) = repository.create(image).await {
            break error;
        }
        number += 1;
    };
    assert!(matches!(error, RepositoryError::NoSpace { .. }), "{error}");
    assert!(error.to_string().contains("delete images"), "{error}");
    assert!(repository.catalogue().get(uuid(number)).is_none());
    let error = repository
        .replace(record_with(2, "1.0.1", &json!({"x-note": long})), other.revision)
        .await;
    assert!(matches!(error, Err(RepositoryError::NoSpace { .. })));
    assert_eq!(
        repository.record(uuid(2)).await.unwrap().unwrap().record,
        other.record
    );
    assert!(repository.health().trouble.is_some());
    // Reading and deleting go on; then there is room again.
    assert_eq!(repository.open_file(uuid(1), 0).await.unwrap().1.size, 1 << 20);
    repository.delete(uuid(1), kept.revision).await.unwrap();
    assert!(!disk.path.join(format!("images/000/{}", uuid(1))).exists());
    repository
        .create(record_with(number, "1.0.0", &json!({"x-note": long})))
        .await
        .unwrap();
    assert_eq!(repository.health().trouble, None);
}

#[tokio::test]
async fn a_start_on_a_full_disk_works_and_deletes() {
    let Some(disk) = SmallDisk::mount("2m") else {
        return;
    };
    let store = RepositoryStore::new(&disk.path, RULES);
    let system = start(store.clone()).unwrap();
    let stored = add_with_file(system.repository(), 1, &file_entry(b"x").size.to_le_bytes()).await;
    system.stop();
    // Whoever it was, the last block is taken.
    let mut filler = std::fs::File::create(disk.path.join("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
    let system = crate::fixture::started_with(store);
    assert_eq!(system.repository().catalogue().len(), 1);
    system
        .repository()
        .delete(uuid(1), stored.revision)
        .await
        .unwrap();
    assert_eq!(system.repository().catalogue().len(), 0);
}
