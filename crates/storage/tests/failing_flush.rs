//! A flush that fails, fails who waited for it, leaves nothing of theirs behind, and nobody else pays for it.
//!
//! The failures are real to the code: the test runs itself once more below `strace`, which answers the n-th call of a
//! kind with an I/O error.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use storage::{ImageDir, LocalObjects, ObjectBackend, Staged};

/// Set where the test runs itself once more: which part to play.
const INNER: &str = "STORAGE_FAILING_FLUSH";

/// Runs the test `name` again, with one failing call.
fn with_failure(name: &str, call: &str, occurrence: u32, part: &str) {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
        .args(["-e", &format!("inject={call}:error=EIO:when={occurrence}")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(INNER, part)
        .output();
    match output {
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("PTRACE_TRACEME") => {
            common::skip(name, "this process may not be traced");
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{part}: {text}");
            assert!(text.contains(&format!("played {part}")), "{part}: {text}");
        }
        Err(error) => common::skip(name, &format!("strace: {error}")),
    }
}

fn stage(objects: &LocalObjects, numbers: std::ops::Range<u8>) -> Vec<Staged> {
    numbers
        .map(|number| objects.stage_bytes(&[number; 100]).unwrap())
        .collect()
}

fn stored(objects: &LocalObjects) -> u64 {
    objects.scan(&|_, _| ()).unwrap().objects
}

/// A group of `count` objects that fails; `later` was staged before the failure and is committed after it.
fn play_objects(part: &str, count: u8) {
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path()).unwrap();
    let group = stage(&objects, 0..count);
    let later = stage(&objects, 100..110);
    for result in objects.commit(group) {
        let text = result.unwrap_err().to_string();
        assert!(
            text.contains("flush") && text.ends_with("Input/output error (os error 5)"),
            "{text}"
        );
    }
    assert_eq!(stored(&objects), 0, "what was linked for it is removed");
    assert!(
        objects
            .commit(later)
            .into_iter()
            .all(|result| result.unwrap().newly_added)
    );
    let again = stage(&objects, 0..count);
    assert!(
        objects
            .commit(again)
            .into_iter()
            .all(|result| result.unwrap().newly_added)
    );
    assert_eq!(stored(&objects), 10 + u64::from(count));
    println!("played {part}");
}

#[test]
fn a_failed_flush_of_a_group_fails_the_group() {
    const NAME: &str = "a_failed_flush_of_a_group_fails_the_group";
    match std::env::var(INNER).as_deref() {
        // The first syncfs is that of opening the directory.
        Err(_) => {
            with_failure(NAME, "syncfs", 2, "data");
            with_failure(NAME, "syncfs", 3, "directories");
        }
        Ok(part) => play_objects(part, 20),
    }
}

#[test]
fn a_failed_flush_of_a_single_object_fails_it() {
    const NAME: &str = "a_failed_flush_of_a_single_object_fails_it";
    match std::env::var(INNER).as_deref() {
        Err(_) => {
            with_failure(NAME, "fdatasync", 1, "data");
            for occurrence in 1..=3 {
                with_failure(NAME, "fsync", occurrence, "directories");
            }
        }
        Ok(part) => play_objects(part, 1),
    }
}

#[test]
fn a_failed_flush_of_an_image_fails_it_and_the_name_stays_free() {
    const NAME: &str = "a_failed_flush_of_an_image_fails_it_and_the_name_stays_free";
    match std::env::var(INNER).as_deref() {
        Err(_) => {
            with_failure(NAME, "fsync", 1, "file");
            with_failure(NAME, "fsync", 2, "directory");
        }
        Ok(part) => {
            let directory = tempfile::tempdir().unwrap();
            let images = ImageDir::open(directory.path()).unwrap();
            let text = images.create_new("image", b"content").unwrap_err().to_string();
            assert!(text.ends_with("Input/output error (os error 5)"), "{text}");
            assert!(images.list(false).unwrap().images.is_empty());
            assert_eq!(images.length("image").unwrap(), None);
            images.create_new("image", b"content").unwrap();
            println!("played {part}");
        }
    }
}
