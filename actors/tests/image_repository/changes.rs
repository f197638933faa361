//! Changes, one and many at once.

use crate::fixture::{Fixture, add_with_file, file_entry, files_below, put_file, record, record_with, uuid};
use actors::image_repository::{ChangeKind, RepositoryChange, RepositoryError, Slot};
use repository::manifest::IconEntry;
use serde_json::json;
use std::io::Read;
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn a_change_is_on_the_disk_in_the_catalogue_and_told_once_it_is_acknowledged() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let mut changes = repository.changes();
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let name = format!("manifests/{}.raw", uuid(1));
    assert_eq!(fixture.text(&name).unwrap(), record(1, "1.0.0").to_stored());
    assert_eq!(repository.catalogue().get(uuid(1)).unwrap().version(), "1.0.0");
    repository
        .replace(record(1, "1.0.1"), stored.revision)
        .await
        .unwrap();
    assert_eq!(fixture.text(&name).unwrap(), record(1, "1.0.1").to_stored());
    let stored = repository.record(uuid(1)).await.unwrap().unwrap();
    assert_eq!(stored.record, record(1, "1.0.1"));
    repository.delete(uuid(1), stored.revision).await.unwrap();
    assert_eq!(fixture.text(&name), None);
    assert!(repository.catalogue().get(uuid(1)).is_none());
    assert!(repository.record(uuid(1)).await.unwrap().is_none());
    for kind in [ChangeKind::Created, ChangeKind::Replaced, ChangeKind::Deleted] {
        let told = changes.try_recv().unwrap();
        assert_eq!(told, RepositoryChange { uuid: uuid(1), kind });
    }
    assert!(changes.try_recv().is_err());
}

#[tokio::test]
async fn a_change_of_what_is_no_more_is_refused_and_changes_nothing() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let first = repository.create(record(1, "1.0.0")).await.unwrap();
    assert!(matches!(
        repository.create(record(1, "2.0.0")).await,
        Err(RepositoryError::Exists(_))
    ));
    let second = repository
        .replace(record(1, "1.0.1"), first.revision)
        .await
        .unwrap();
    assert!(matches!(
        repository.replace(record(1, "1.0.2"), first.revision).await,
        Err(RepositoryError::Changed)
    ));
    assert!(matches!(
        repository.delete(uuid(1), first.revision).await,
        Err(RepositoryError::Changed)
    ));
    assert!(matches!(
        repository.delete(uuid(2), first.revision).await,
        Err(RepositoryError::Missing(_))
    ));
    let now = repository.record(uuid(1)).await.unwrap().unwrap();
    assert_eq!((now.record, now.revision), (second.record, second.revision));
}

/// Adds one to a counter in the description, as routes do: read, change, try again.
async fn count_up(repository: &actors::ImageRepository, tries: &std::sync::atomic::AtomicUsize) {
    loop {
        tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let stored = repository.record(uuid(1)).await.unwrap().unwrap();
        let number: u32 = stored.record.text("description").parse().unwrap();
        let next = record_with(1, "1.0.0", &json!({"description": (number + 1).to_string()}));
        match repository.replace(next, stored.revision).await {
            Ok(_) => return,
            Err(RepositoryError::Changed) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_lose_nothing() {
    let fixture = Fixture::new();
    let repository = fixture.repository().clone();
    let begin = record_with(1, "1.0.0", &json!({"description": "0"}));
    repository.create(begin).await.unwrap();
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (repository, tries) = (repository.clone(), tries.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..5 {
                count_up(&repository, &tries).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stored = repository.record(uuid(1)).await.unwrap().unwrap();
    assert_eq!(stored.record.text("description"), "80");
    assert!(tries.load(std::sync::atomic::Ordering::Relaxed) >= 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_images_are_added_at_once_and_one_that_exists_fails_alone() {
    let fixture = Fixture::new();
    let repository = fixture.repository().clone();
    let mut tasks = Vec::new();
    for number in 0..600_u32 {
        let repository = repository.clone();
        // Each name twice: one of the two is the first.
        tasks.push(tokio::spawn(async move {
            repository.create(record(number / 2, "1.0.0")).await.is_ok()
        }));
    }
    let mut added = 0;
    for task in tasks {
        added += usize::from(task.await.unwrap());
    }
    assert_eq!((added, repository.catalogue().len()), (300, 300));
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_taken_over_and_not_overwritten() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let name = fixture.path(&format!("manifests/{}.raw", uuid(1)));
    std::fs::write(&name, record(1, "by-hand").to_stored()).unwrap();
    assert!(matches!(
        repository.replace(record(1, "1.0.1"), stored.revision).await,
        Err(RepositoryError::Changed)
    ));
    assert_eq!(repository.catalogue().get(uuid(1)).unwrap().version(), "by-hand");
    let stored = repository.record(uuid(1)).await.unwrap().unwrap();
    repository
        .replace(record(1, "1.0.2"), stored.revision)
        .await
        .unwrap();
    std::fs::write(&name, "{").unwrap();
    assert!(matches!(
        repository.record(uuid(1)).await,
        Err(RepositoryError::Unreadable(_))
    ));
    let deleted = repository.delete(uuid(1), stored.revision).await;
    assert!(matches!(deleted, Err(RepositoryError::Missing(_))), "{deleted:?}");
    assert_eq!(std::fs::read_to_string(&name).unwrap(), "{", "never removed");
}

#[tokio::test]
async fn a_record_put_there_by_hand_is_taken_over_and_not_overwritten_by_a_new_image() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let name = fixture.path(&format!("manifests/{}.raw", uuid(1)));
    std::fs::write(&name, record(1, "by-hand").to_stored()).unwrap();
    let made = repository.create(record(1, "1.0.0")).await;
    assert!(matches!(made, Err(RepositoryError::Exists(_))), "{made:?}");
    assert_eq!(
        std::fs::read_to_string(&name).unwrap(),
        record(1, "by-hand").to_stored()
    );
    assert_eq!(repository.catalogue().get(uuid(1)).unwrap().version(), "by-hand");
}

#[tokio::test]
async fn a_directory_among_the_files_of_an_image_stops_neither_its_deletion_nor_anything_after_it() {
    let mut fixture = Fixture::new();
    let stored = add_with_file(fixture.repository(), 1, b"content").await;
    let image = fixture.path(&format!("images/000/{}", uuid(1)));
    std::fs::create_dir(image.join("by-hand")).unwrap();
    fixture
        .repository()
        .delete(uuid(1), stored.revision)
        .await
        .unwrap();
    assert!(!image.join("file0").exists() && image.join("by-hand").is_dir());
    fixture.repository().create(record(2, "1.0.0")).await.unwrap();
    fixture.restart();
    assert_eq!(fixture.repository().catalogue().len(), 1);
}

#[tokio::test]
async fn the_archive_has_the_newest_manifest_and_keeps_it_when_the_image_goes() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let name = format!("archive/000/{}.json", uuid(1));
    let stored = add_with_file(repository, 1, b"content").await;
    let archived: serde_json::Value = serde_json::from_str(&fixture.text(&name).unwrap()).unwrap();
    assert_eq!(archived["version"], "1.0.0");
    assert_eq!(archived["files"][0]["size"], 7);
    assert_eq!(archived["files"][0].get("stor"), None, "for administrators only");
    let text = fixture.text(&name).unwrap();
    assert!(
        text.starts_with("{\n  \"v\": 2,") && text.ends_with('}'),
        "{text}"
    );
    repository.delete(uuid(1), stored.revision).await.unwrap();
    assert_eq!(fixture.text(&name), Some(text));
}

#[tokio::test]
async fn a_deleted_image_leaves_its_archived_manifest_and_nothing_else() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = add_with_file(repository, 1, b"content").await;
    let mut kept = repository
        .begin_upload(uuid(1), Slot::File(0), true)
        .await
        .unwrap();
    kept.append(b"half").unwrap();
    kept.keep().unwrap();
    repository.delete(uuid(1), stored.revision).await.unwrap();
    let names: Vec<String> = files_below(fixture.directory.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, [format!("archive/000/{}.json", uuid(1))]);
    assert!(!fixture.path(&format!("images/000/{}", uuid(1))).exists());
    assert!(fixture.path("images/000").exists(), "as the original leaves it");
}

#[tokio::test]
async fn a_renamed_image_takes_its_files_along() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = add_with_file(repository, 1, b"content").await;
    let mut object = stored.record.object().clone();
    object.insert("uuid".to_owned(), uuid(0x0010_0002).to_string().into());
    let renamed = repository::manifest::Record::new(object, &crate::fixture::RULES).unwrap();
    add_with_file(repository, 3, b"other").await;
    let stored = repository
        .rename(uuid(1), renamed, stored.revision)
        .await
        .unwrap();
    assert!(repository.catalogue().get(uuid(1)).is_none());
    let (mut file, entry) = repository.open_file(uuid(0x0010_0002), 0).await.unwrap();
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    assert_eq!((content.as_str(), entry.size), ("content", 7));
    let mut object = stored.record.object().clone();
    object.insert("uuid".to_owned(), uuid(3).to_string().into());
    let taken = repository::manifest::Record::new(object, &crate::fixture::RULES).unwrap();
    assert!(matches!(
        repository.rename(uuid(0x0010_0002), taken, stored.revision).await,
        Err(RepositoryError::Exists(_))
    ));
}

#[tokio::test]
async fn a_clone_has_its_own_name_of_the_file() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = add_with_file(repository, 1, b"content").await;
    let copy = record(2, "1.0.0").with_file(0, &file_entry(b"content")).unwrap();
    repository
        .create_with_files_of(copy.clone(), uuid(1))
        .await
        .unwrap();
    assert!(matches!(
        repository.create_with_files_of(copy, uuid(1)).await,
        Err(RepositoryError::Exists(_))
    ));
    // The first one's file is replaced, and then goes: the second one's is what it was.
    let stored = put_file(repository, &stored, b"another").await;
    repository.delete(uuid(1), stored.revision).await.unwrap();
    let content = fixture.text(&format!("images/000/{}/file0", uuid(2)));
    assert_eq!(content.as_deref(), Some("content"));
    assert_eq!(
        std::fs::read_dir(fixture.path("images/.uploads"))
            .unwrap()
            .count(),
        0
    );
    let missing = repository.create_with_files_of(record(4, "1.0.0"), uuid(9)).await;
    assert!(matches!(missing, Err(RepositoryError::Missing(_))));
}

/// Polls that a clone gets before its caller leaves, at most.
const POLLS: u32 = 4;

#[tokio::test]
async fn a_clone_whose_caller_leaves_leaves_no_file_behind() {
    use std::future::Future as _;
    let mut fixture = Fixture::new();
    add_with_file(fixture.repository(), 1, b"content").await;
    for polls in 1..=POLLS {
        let number = 10 + polls;
        let copy = record(number, "1.0.0")
            .with_file(0, &file_entry(b"content"))
            .unwrap();
        let repository = fixture.repository().clone();
        let mut clone = Box::pin(repository.create_with_files_of(copy, uuid(1)));
        for _ in 0..polls {
            let is_ready = std::future::poll_fn(|context| {
                std::task::Poll::Ready(clone.as_mut().poll(context).is_ready())
            });
            if is_ready.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(clone);
        drop(repository);
        // Begins when nobody works in the directory any more.
        fixture.restart();
        assert_eq!(fixture.system.as_ref().unwrap().report().leftovers, 0, "{polls}");
    }
}

#[tokio::test]
async fn an_icon_comes_and_goes_with_the_record_that_tells_of_it() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let icon = file_entry(b"picture");
    let icon = IconEntry {
        sha1: icon.sha1,
        size: icon.size,
        content_type: "image/png".to_owned(),
        content_md5: icon.content_md5.unwrap(),
        mtime: icon.mtime.unwrap(),
        stor: "local".to_owned(),
    };
    let mut upload = repository.begin_upload(uuid(1), Slot::Icon, false).await.unwrap();
    upload.append(b"picture").unwrap();
    let record = stored.record.with_icon(&icon);
    let stored = repository.commit(upload, record, stored.revision).await.unwrap();
    let (mut file, entry) = repository.open_icon(uuid(1)).await.unwrap();
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    assert_eq!((content.as_str(), entry), ("picture", icon));
    let without = stored.record.without_icon().unwrap();
    repository.drop_icon(without, stored.revision).await.unwrap();
    assert!(matches!(
        repository.open_icon(uuid(1)).await,
        Err(RepositoryError::NoFile { .. })
    ));
    assert!(!fixture.path(&format!("images/000/{}", uuid(1))).exists());
}

#[tokio::test]
async fn placeholders_go_when_their_time_is_over_and_nothing_else_does() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let now = SystemTime::now();
    for (number, state, days) in [
        (1, "creating", 1),
        (2, "failed", 1),
        (3, "creating", 3),
        (4, "unactivated", 1),
    ] {
        let expires = repository::dates::iso(now + Duration::from_secs(days * 24 * 3600));
        let image = record_with(number, "1", &json!({"state": state, "expires_at": expires}));
        repository.create(image).await.unwrap();
    }
    assert_eq!(repository.purge_expired(now).await.unwrap(), 0);
    let later = now + Duration::from_secs(2 * 24 * 3600);
    assert_eq!(repository.purge_expired(later).await.unwrap(), 2);
    let left: Vec<_> = repository.catalogue().iter().map(|entry| entry.uuid()).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&uuid(3)) && left.contains(&uuid(4)));
}
