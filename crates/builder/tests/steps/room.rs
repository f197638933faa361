//! Directories of the host in the room of a build.

use std::path::Path;

use builder::process::process_manifest;
use builder::{Room, Run};
use sandbox::Bind;

use crate::tree::{Place, environment, write};

fn bind(source: &Path, target: &str, writable: bool) -> Bind {
    Bind {
        source: source.to_owned(),
        target: target.into(),
        writable,
    }
}

fn shell(room: &Room, script: &str) -> Result<(), builder::StepError> {
    room.run(Run {
        argv: &["/bin/sh", "-c", script],
        ..Run::default()
    })
}

#[test]
fn directories_of_the_host_are_seen_read_only_and_the_cache_can_be_written() {
    let Some(place) = Place::new() else { return };
    let (shared, cache) = (place.path().join("shared"), place.path().join("cache"));
    write(&shared.join("file"), "of the host");
    std::fs::create_dir(&cache).unwrap();
    place.script(
        "scripts/use",
        "cat /opt/shared/file; echo; touch /opt/shared/new && echo WRITABLE; echo kept >/cache/kept",
    );
    place.script(
        "post-cleanup-scripts/look",
        "ls -d /opt /cache 2>/dev/null; echo looked",
    );
    let room = place.room().with_binds(vec![
        bind(&shared, "/opt/shared", false),
        bind(&cache, "/cache", true),
    ]);
    process_manifest(&room, &place.manifest(), &environment()).unwrap();
    let (log, root) = (place.log(), place.root());
    let root = root.display();
    assert!(
        log.starts_with(&format!(
            "Making intermediate directory for bind mount: {root}/opt\nMaking bind mount point: {root}/opt/shared\n\
             Making bind mount point: {root}/cache\n"
        )),
        "{log}"
    );
    assert!(
        log.contains("of the host\n") && !log.contains("WRITABLE"),
        "{log}"
    );
    assert!(log.contains("look\nlooked\n"), "{log}");
    assert_eq!(std::fs::read_to_string(cache.join("kept")).unwrap(), "kept\n");
    assert!(!shared.join("new").exists());
    for gone in ["opt", "cache"] {
        assert!(!place.root().join(gone).exists(), "{gone}");
    }
}

#[test]
fn a_directory_that_was_there_stays_and_one_that_was_made_must_be_empty() {
    let Some(place) = Place::new() else { return };
    let shared = place.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::create_dir(place.root().join("mnt")).unwrap();
    let room = place.room().with_binds(vec![bind(&shared, "/mnt/made", false)]);
    place.write("post-scripts-files/mnt/made/file", "in the way");
    let error = process_manifest(&room, &place.manifest(), &environment()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error removing bind mount point: /mnt/made: directory not empty"
    );
    std::fs::remove_dir_all(place.manifest().join("post-scripts-files")).unwrap();
    std::fs::remove_dir_all(place.root().join("mnt/made")).unwrap();
    process_manifest(&room, &place.manifest(), &environment()).unwrap();
    assert!(place.root().join("mnt").exists());
    assert!(!place.root().join("mnt/made").exists());
}

#[test]
fn a_mount_point_below_a_link_is_made_in_the_tree() {
    let Some(place) = Place::new() else { return };
    let (shared, victim) = (place.path().join("shared"), place.path().join("victim"));
    write(&shared.join("file"), "of the host");
    std::fs::create_dir(&victim).unwrap();
    // On the host it leads to a directory that is there; in the tree, nowhere.
    std::os::unix::fs::symlink(&victim, place.root().join("out")).unwrap();
    let room = place.room().with_binds(vec![bind(&shared, "/out/shared", false)]);
    let error = process_manifest(&room, &place.manifest(), &environment()).unwrap_err();
    assert!(
        error.to_string().starts_with("error making bind mount point: "),
        "{error}"
    );
    assert_eq!(victim.read_dir().unwrap().count(), 0);
}

#[test]
fn a_room_without_binds_counts_for_the_same_deadline() {
    let Some(place) = Place::new() else { return };
    let room = place.room_of(std::time::Duration::from_millis(300));
    let error = shell(&room, "sleep 3630").unwrap_err().to_string();
    assert_eq!(error, "the build took longer than 300ms, killed");
    let error = shell(&room.without_binds(), "true").unwrap_err().to_string();
    assert_eq!(error, "the build took longer than 300ms, killed");
}
