//! An actor that panics is started again, agrees with the disk, and goes on.

use crate::fixture::{RULES, record, started_with, uuid};
use actors::image_repository::{RepositoryError, RepositoryStore};
use actors::{ActorState, CallError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn store(directory: &tempfile::TempDir) -> RepositoryStore {
    RepositoryStore {
        allow_debug_panic: true,
        ..RepositoryStore::new(directory.path(), RULES)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_a_panic_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let system = started_with(store(&directory));
    let repository = system.repository().clone();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for number in 0..8_u32 {
        let (repository, is_over) = (repository.clone(), is_over.clone());
        let mut last = repository.create(record(number, "0")).await.unwrap();
        tasks.push(tokio::spawn(async move {
            let mut version = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                version += 1;
                let next = record(number, &version.to_string());
                match repository.replace(next, last.revision).await {
                    Ok(stored) => last = stored,
                    // Done or not: the disk says it.
                    Err(RepositoryError::Call(CallError::Restarted { .. })) => {
                        let now = repository.record(uuid(number)).await.unwrap().unwrap();
                        let found: u32 = now.record.text("version").parse().unwrap();
                        assert!(found == version || found == version - 1, "{found} {version}");
                        version = found;
                        last = now;
                    }
                    Err(RepositoryError::Call(CallError::Busy { .. })) => version -= 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (number, version)
        }));
    }
    for _ in 0..3 {
        let restarts = repository.health().restarts;
        let answer = repository.debug_panic().await;
        assert!(matches!(answer, Err(CallError::Restarted { .. })));
        while repository.health().restarts == restarts || repository.health().state != ActorState::Running {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        let (number, version) = task.await.unwrap();
        let entry = repository.catalogue().get(uuid(number)).cloned().unwrap();
        assert_eq!(entry.version(), version.to_string());
        let stored = repository.record(uuid(number)).await.unwrap().unwrap();
        assert_eq!(stored.record.text("version"), version.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_what_is_served_is_what_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let system = started_with(store(&directory));
    let repository = system.repository().clone();
    for number in 1..=4 {
        repository.create(record(number, "1.0.0")).await.unwrap();
    }
    let name = |number| directory.path().join(format!("manifests/{}.raw", uuid(number)));
    std::fs::write(name(1), record(1, "by-hand").to_stored()).unwrap();
    std::fs::write(name(2), "no record").unwrap();
    std::fs::remove_file(name(3)).unwrap();
    std::fs::write(name(5), record(5, "by-hand").to_stored()).unwrap();
    let mut changes = repository.changes();
    let _ = repository.debug_panic().await;
    // The first change comes after the agreement. The dying actor may take one into its mailbox still.
    while let Err(error) = repository.create(record(6, "1.0.0")).await {
        let is_restarted = matches!(error, RepositoryError::Call(CallError::Restarted { .. }));
        assert!(is_restarted, "{error}");
    }
    let there: Vec<(String, String)> = repository
        .catalogue()
        .iter()
        .map(|entry| (entry.name().to_owned(), entry.version().to_owned()))
        .collect();
    let expected = [("1", "by-hand"), ("4", "1.0.0"), ("5", "by-hand"), ("6", "1.0.0")];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(number, version)| (format!("image-{number}"), (*version).to_owned()))
        .collect();
    assert_eq!(there, expected);
    let mut told = 0;
    while changes.try_recv().is_ok() {
        told += 1;
    }
    assert_eq!(told, 5);
    assert_eq!(repository.problems().len(), 1);
    assert!(
        repository.problems()[0]
            .to_string()
            .contains(&uuid(2).to_string())
    );
    assert!(matches!(
        repository.create(record(2, "1.0.0")).await,
        Err(RepositoryError::Exists(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_keeps_panicking_is_given_up_and_says_so_and_reads_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let system = started_with(store(&directory));
    let repository = system.repository().clone();
    repository.create(record(1, "1.0.0")).await.unwrap();
    let mut given_up = system.given_up();
    while repository.debug_panic().await
        != Err(CallError::Stopped {
            actor: "ImageRepository",
        })
    {}
    let text = given_up.wait_for(Option::is_some).await.unwrap().clone();
    assert!(text.unwrap().contains("ImageRepository"));
    assert_eq!(repository.catalogue().len(), 1);
    assert!(repository.record(uuid(1)).await.unwrap().is_some());
}
