//! More than one image at a time.

use crate::{OTHER, OWNER, bytes, created, json_of, started};
use integration::repository::Repository;
use integration::repository_tool::RepositoryTool;
use serde_json::json;
use std::fs;

#[test]
fn lists_longer_than_a_page_come_whole_and_a_reader_that_goes_away_is_no_failure() {
    const IMAGES: usize = 2_345;
    let repository = Repository::new(json!({})).unwrap();
    let manifests = repository.base().join("manifests");
    fs::create_dir_all(&manifests).unwrap();
    for number in 0..IMAGES {
        let uuid = format!("{number:08x}-0000-4000-8000-000000000000");
        // Dates that many have in common: pages must not depend on them.
        let record = json!({
            "v": 2, "uuid": uuid, "owner": OWNER, "name": format!("n{}", number % 10), "version": "1", "disabled": false,
            "activated": true, "public": true, "published_at": format!("2020-01-{:02}T00:00:00.000Z", number % 3 + 1),
            "state": "active", "type": "other", "os": "linux",
            "files": [{ "sha1": "a", "size": 1, "compression": "none", "contentMD5": "b", "mtime": "2020-01-01T00:00:00Z", "stor": "local" }],
        });
        fs::write(manifests.join(format!("{uuid}.raw")), record.to_string()).unwrap();
    }
    let daemon = repository.start().unwrap();
    let tool = RepositoryTool::new(&daemon.url()).unwrap();
    let names = |text: &str| {
        let mut names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        names.len()
    };
    assert_eq!(names(&tool.must(&["list", "-H", "-o", "uuid"]).unwrap()), IMAGES);
    assert_eq!(
        json_of(&tool.must(&["list", "-j"]).unwrap())
            .as_array()
            .unwrap()
            .len(),
        IMAGES
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "uuid", "-l", "1500"]).unwrap()),
        1500
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "uuid", "name=n3"]).unwrap()),
        235
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "name", "--latest"]).unwrap()),
        10
    );

    let mut child = tool.command(&["list", "-j"]).unwrap();
    let mut child = child
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), ended.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[test]
fn images_of_another_repository_come_with_what_they_are_based_on_and_jobs_are_waited_for() {
    let (_source, source_daemon, there) = started(json!({}));
    fs::write(there.home().join("a.tar"), bytes(50_000)).unwrap();
    let base = created(&there, "base", &["-f", "a.tar"]);
    let child = created(&there, "child", &["-f", "a.tar", &format!("origin={base}")]);
    let planned = there.must(&["delete", "--dry-run", &base]).unwrap();
    assert!(
        planned.contains(&format!("stands in the way: {child}")),
        "{planned}"
    );
    let shown = there.must(&["list", "--tree", "-H", "-o", "uuid"]).unwrap();
    assert_eq!(shown, format!("{base}\n `- {child}\n"));

    let (_target, _target_daemon, here) = started(json!({}));
    let source = source_daemon.url();
    let started = here
        .must(&["import-remote", &child, "--source", &source, "--no-wait", "-j"])
        .unwrap();
    let job = json_of(&started)["job_uuid"].as_str().unwrap().to_owned();
    assert_eq!(
        here.must(&["wait-job", &job]).unwrap(),
        format!("Job {job} succeeded\n")
    );
    assert!(here.must(&["jobs", &child]).unwrap().contains(&job));
    assert_eq!(
        json_of(&here.must(&["job", &job]).unwrap())["execution"],
        "succeeded"
    );
    here.must(&["wait", &base]).unwrap();
    assert_eq!(
        json_of(&here.must(&["get", &child]).unwrap())["origin"],
        json!(base)
    );

    // The original's spelling waits by itself.
    here.must(&["delete", &child]).unwrap();
    let imported = here.must(&["import", &child, "-S", &source]).unwrap();
    assert_eq!(
        imported,
        format!("Imported image {child} (child, 1.0, state=active)\n")
    );
    let again = here.run(&["import", &child, "-S", &source]).unwrap();
    assert!(
        again.code == 1 && again.err.contains("(ImageUuidAlreadyExists)"),
        "{again:?}"
    );
    let nobody = here
        .run(&["import-remote", OTHER, "-S", "http://127.0.0.1:9"])
        .unwrap();
    assert!(nobody.err.contains("(RemoteSourceError)"), "{nobody:?}");
    // Waiting has an end.
    let late = here.run(&["wait", OTHER, "--timeout", "300ms"]).unwrap();
    let sentence = format!("imgapi-cli: error: image {OTHER} is still not there after 300ms, not active\n");
    assert_eq!((late.code, late.err.as_str()), (1, sentence.as_str()));
}
