use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn names_are_times_and_nothing_else() {
    for name in [
        "2026-11-22:07:13:08.483",
        "2026-11-22:07:13:08.5",
        "2026-11-22:07:13:08",
    ] {
        assert_eq!(LogFileName::read(name).unwrap().as_str(), name);
    }
    for name in [
        "",
        "latest",
        "../../etc/passwd",
        "2026-11-22:07:13:08.",
        "2026-11-22:07:13:08.4833",
        "2026-11-22:07:13:08/x",
    ] {
        assert_eq!(LogFileName::read(name), None, "{name}");
    }
    assert!(LogFileName::read(LogFileName::now().as_str()).is_some());
}

#[test]
fn a_new_file_is_readable_by_all_and_latest_points_at_it() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("logs");
    let directory = LogDirectory::open(&path, 1 << 20).unwrap();
    let first = directory.begin(0).map(|_| directory.current().unwrap()).unwrap();
    let second = directory.begin(0).map(|_| directory.current().unwrap()).unwrap();
    assert!(first < second);
    assert_eq!(
        fs::read_link(path.join("latest")).unwrap().to_str(),
        Some(second.as_str())
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // The mask of the test's own process may take bits away.
    assert_eq!(mode(&path) & 0o700, 0o700);
    assert_eq!(mode(&path.join(second.as_str())) & 0o133, 0);
    assert_eq!(directory.files(), [first.clone(), second.clone()]);
    assert_eq!(directory.files_of_this_process(), [first, second]);
    assert_eq!(directory.last_of_the_previous_process(), None);
}

#[test]
fn the_oldest_files_go_when_the_quota_is_passed_and_foreign_files_stay() {
    let parent = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("2020-01-01:00:00:00", 400),
        ("2021-01-01:00:00:00.5", 400),
        ("2022-01-01:00:00:00", 400),
        ("notes", 9999),
    ] {
        fs::write(parent.path().join(name), vec![b'x'; bytes]).unwrap();
    }
    let directory = LogDirectory::open(parent.path(), 1000).unwrap();
    drop(directory.begin(100).unwrap());
    let names: Vec<String> = directory
        .files()
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect();
    assert_eq!(names[..2], ["2021-01-01:00:00:00.5", "2022-01-01:00:00:00"]);
    assert_eq!(names.len(), 3);
    assert!(parent.path().join("notes").exists());
    let previous = directory.last_of_the_previous_process().unwrap();
    assert_eq!(previous.as_str(), "2022-01-01:00:00:00");
}

#[test]
fn a_directory_whose_parent_is_missing_is_an_error() {
    let parent = tempfile::tempdir().unwrap();
    assert!(LogDirectory::open(&parent.path().join("a/b"), 1).is_err());
}
