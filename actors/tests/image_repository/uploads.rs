//! Files that arrive.

use crate::fixture::{Fixture, add_with_file, file_entry, received, record};
use crate::fixture::{put_file, uuid};
use actors::image_repository::{RepositoryError, Slot};
use std::io::Read;

fn waiting(fixture: &Fixture) -> usize {
    std::fs::read_dir(fixture.path("images/.uploads")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_and_the_file_that_was_there() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    add_with_file(repository, 1, b"good").await;
    let upload = received(repository, uuid(1), b"bad").await;
    assert_eq!(waiting(&fixture), 1);
    drop(upload);
    assert_eq!(waiting(&fixture), 0);
    let content = fixture.text(&format!("images/000/{}/file0", uuid(1)));
    assert_eq!(content.as_deref(), Some("good"));
}

#[tokio::test]
async fn an_upload_comes_back_if_its_image_changed_meanwhile() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let before = repository.create(record(1, "1.0.0")).await.unwrap();
    let upload = received(repository, uuid(1), b"content").await;
    let now = repository
        .replace(record(1, "1.0.1"), before.revision)
        .await
        .unwrap();
    let entry = file_entry(b"content");
    let stale = before.record.with_file(0, &entry).unwrap();
    let refused = repository
        .commit(upload, stale, before.revision)
        .await
        .unwrap_err();
    assert!(matches!(refused.error, RepositoryError::Changed));
    let fresh = now.record.with_file(0, &entry).unwrap();
    let upload = *refused.upload.unwrap();
    let stored = repository.commit(upload, fresh, now.revision).await.unwrap();
    assert_eq!(
        (stored.record.text("version"), stored.record.file_count()),
        ("1.0.1", 1)
    );
    let (mut file, _) = repository.open_file(uuid(1), 0).await.unwrap();
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    assert_eq!((content.as_str(), waiting(&fixture)), ("content", 0));
}

#[tokio::test]
async fn an_upload_goes_on_another_day_and_one_at_a_time() {
    let mut fixture = Fixture::new();
    fixture.repository().create(record(1, "1.0.0")).await.unwrap();
    let slot = Slot::File(0);
    let begin = |fixture: &Fixture| {
        let repository = fixture.repository().clone();
        async move { repository.begin_upload(uuid(1), slot, true).await }
    };
    let mut upload = begin(&fixture).await.unwrap();
    upload.append(b"half ").unwrap();
    assert!(matches!(begin(&fixture).await, Err(RepositoryError::Busy)));
    assert!(matches!(
        fixture.repository().kept_upload(uuid(1), slot).await,
        Err(RepositoryError::Busy)
    ));
    assert_eq!(upload.keep().unwrap(), 5);
    assert_eq!(
        fixture.repository().kept_upload(uuid(1), slot).await.unwrap(),
        Some(5)
    );
    fixture.restart();
    assert_eq!(fixture.system.as_ref().unwrap().report().leftovers, 0);
    let mut upload = begin(&fixture).await.unwrap();
    let mut content = String::new();
    upload.reader().unwrap().read_to_string(&mut content).unwrap();
    assert_eq!((content.as_str(), upload.received()), ("half ", 5));
    upload.append(b"whole").unwrap();
    let stored = fixture.repository().record(uuid(1)).await.unwrap().unwrap();
    let entry = file_entry(b"half whole");
    let with_file = stored.record.with_file(0, &entry).unwrap();
    fixture
        .repository()
        .commit(upload, with_file, stored.revision)
        .await
        .unwrap();
    assert_eq!(
        fixture.text(&format!("images/000/{}/file0", uuid(1))).as_deref(),
        Some("half whole")
    );
    assert_eq!(
        fixture.repository().kept_upload(uuid(1), slot).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn what_was_kept_stays_when_who_would_go_on_leaves_before_he_has_it() {
    let fixture = Fixture::new();
    let (repository, slot) = (fixture.repository(), Slot::File(0));
    repository.create(record(1, "1.0.0")).await.unwrap();
    let mut upload = repository.begin_upload(uuid(1), slot, true).await.unwrap();
    upload.append(b"half").unwrap();
    upload.keep().unwrap();
    for _ in 0..10 {
        {
            let mut beginning = std::pin::pin!(repository.begin_upload(uuid(1), slot, true));
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(match beginning.as_mut().poll(context) {
                    std::task::Poll::Ready(begun) => Some(begun),
                    std::task::Poll::Pending => None,
                })
            });
            if let Some(begun) = polled.await {
                begun.unwrap().keep().unwrap();
            }
        }
        // Till nobody has it any more.
        let kept = loop {
            match repository.kept_upload(uuid(1), slot).await {
                Err(RepositoryError::Busy) => tokio::task::yield_now().await,
                kept => break kept.unwrap(),
            }
        };
        assert_eq!(kept, Some(4));
    }
}

#[tokio::test]
async fn activation_forgets_what_was_kept_of_uploads() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = add_with_file(repository, 1, b"content").await;
    let mut upload = repository
        .begin_upload(uuid(1), Slot::File(0), true)
        .await
        .unwrap();
    upload.append(b"more").unwrap();
    let active = stored.record.activate(std::time::SystemTime::now()).unwrap();
    // Also what somebody is at just now: its end is told that there is nothing to put in place.
    let stored = repository.replace(active, stored.revision).await.unwrap();
    assert_eq!(waiting(&fixture), 0);
    let refused = repository
        .commit(upload, stored.record, stored.revision)
        .await
        .unwrap_err();
    assert!(
        matches!(refused.error, RepositoryError::NoFile { .. }),
        "{refused}"
    );
    drop(refused);
    assert!(!repository.discard_upload(uuid(1), Slot::File(0)).await.unwrap());
}

#[tokio::test]
async fn an_upload_of_an_image_that_is_deleted_ends_with_it() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let upload = received(repository, uuid(1), b"content").await;
    repository.delete(uuid(1), stored.revision).await.unwrap();
    let with_file = stored.record.with_file(0, &file_entry(b"content")).unwrap();
    let refused = repository
        .commit(upload, with_file, stored.revision)
        .await
        .unwrap_err();
    assert!(matches!(refused.error, RepositoryError::Missing(_)));
    drop(refused);
    assert_eq!(waiting(&fixture), 0);
    assert!(matches!(
        repository.begin_upload(uuid(1), Slot::File(0), false).await,
        Err(RepositoryError::Missing(_))
    ));
}

#[tokio::test]
async fn the_last_of_several_uploads_at_once_stays() {
    let fixture = Fixture::new();
    let repository = fixture.repository();
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let late = received(repository, uuid(1), b"late").await;
    let stored = put_file(repository, &stored, b"early").await;
    let with_late = stored.record.with_file(0, &file_entry(b"late")).unwrap();
    repository.commit(late, with_late, stored.revision).await.unwrap();
    assert_eq!(
        fixture.text(&format!("images/000/{}/file0", uuid(1))).as_deref(),
        Some("late")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_opened_while_it_is_replaced_is_the_one_its_entry_tells_of() {
    const ROUNDS: usize = 100;
    let fixture = Fixture::new();
    let repository = fixture.repository().clone();
    let mut stored = add_with_file(&repository, 1, b"0").await;
    let opening = repository.clone();
    let writes = tokio::spawn(async move {
        for round in 1..ROUNDS {
            stored = put_file(&repository, &stored, "x".repeat(round).as_bytes()).await;
        }
    });
    while !writes.is_finished() {
        let (mut file, entry) = opening.open_file(uuid(1), 0).await.unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(file_entry(&content).sha1, entry.sha1);
    }
    writes.await.unwrap();
}

#[tokio::test]
async fn what_arrived_in_pieces_stays_when_the_change_that_would_place_it_is_refused() {
    let fixture = Fixture::new();
    let (repository, slot) = (fixture.repository(), Slot::File(0));
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let mut upload = repository.begin_upload(uuid(1), slot, true).await.unwrap();
    upload.append(b"content").unwrap();
    let with_file = stored.record.with_file(0, &file_entry(b"content")).unwrap();
    let newer = stored.record.with_disabled(true);
    repository.replace(newer, stored.revision).await.unwrap();
    let refused = repository.commit(upload, with_file, stored.revision).await;
    assert!(matches!(
        refused.map_err(|refused| refused.error),
        Err(RepositoryError::Changed)
    ));
    assert_eq!(repository.kept_upload(uuid(1), slot).await.unwrap(), Some(7));
    // It goes on, and gets its place.
    let upload = repository.begin_upload(uuid(1), slot, true).await.unwrap();
    let stored = repository.record(uuid(1)).await.unwrap().unwrap();
    let with_file = stored.record.with_file(0, &file_entry(b"content")).unwrap();
    repository
        .commit(upload, with_file, stored.revision)
        .await
        .unwrap();
    let content = fixture.text(&format!("images/000/{}/file0", uuid(1)));
    assert_eq!((content.as_deref(), waiting(&fixture)), (Some("content"), 0));
}
