//! Starts: with and without the index, with files that are no records, with leftovers, twice.

use crate::fixture::{Fixture, add_with_file, files_below, put_file, record, started, uuid};
use crate::fixture::{RULES, started_with};
use actors::Clock;
use actors::image_repository::{RepositoryStore, Slot, start};
use repository::http::ApiVersion;
use serde_json::json;
use std::time::{Duration, SystemTime};
use storage::repository_dir::RepositoryDir;

/// Everything that lists and downloads show.
fn shown(repository: &actors::ImageRepository) -> String {
    let catalogue = repository.catalogue();
    let mut answer = Vec::new();
    let forms = catalogue.iter().map(|entry| entry.form());
    repository::catalogue::write_list(forms, ApiVersion::Two, true, &mut answer);
    let files: Vec<_> = catalogue.iter().map(|entry| entry.files().to_vec()).collect();
    format!("{}{files:?}", String::from_utf8(answer).unwrap())
}

/// Waits until stamps of files that are written now vouch for their content.
fn let_stamps_settle(fixture: &Fixture) {
    let probe = fixture.path("probe");
    std::fs::write(&probe, "").unwrap();
    let begin = std::fs::metadata(&probe).unwrap().modified().unwrap();
    loop {
        std::fs::write(&probe, "x").unwrap();
        let now = std::fs::metadata(&probe).unwrap().modified().unwrap();
        // Twice the tick that is allowed for.
        if now.duration_since(begin).unwrap() > Duration::from_millis(2100) {
            return std::fs::remove_file(&probe).unwrap();
        }
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_start_with_the_index_reads_no_record_and_shows_the_same() {
    let mut fixture = Fixture::new();
    for number in 0..700 {
        fixture
            .repository()
            .create(record(number, "1.0.0"))
            .await
            .unwrap();
    }
    add_with_file(fixture.repository(), 1000, b"content").await;
    let before = shown(fixture.repository());
    let_stamps_settle(&fixture);
    fixture.restart();
    let report = fixture.system.as_ref().unwrap().report().clone();
    assert_eq!((report.images, report.read, report.problems), (701, 0, 0));
    assert_eq!(shown(fixture.repository()), before);
    // A change by hand is read, and only that one.
    let changed = fixture.path(&format!("manifests/{}.raw", uuid(7)));
    std::fs::write(&changed, record(7, "by-hand").to_stored()).unwrap();
    fixture.restart();
    assert_eq!(fixture.system.as_ref().unwrap().report().read, 1);
    assert_eq!(
        fixture.repository().catalogue().get(uuid(7)).unwrap().version(),
        "by-hand"
    );
}

#[tokio::test]
async fn an_index_that_is_gone_cut_or_spoilt_costs_reading_and_nothing_else() {
    let mut fixture = Fixture::new();
    for number in 0..1200 {
        fixture
            .repository()
            .create(record(number, "1.0.0"))
            .await
            .unwrap();
    }
    let before = shown(fixture.repository());
    let_stamps_settle(&fixture);
    fixture.restart();
    fixture.system.take().unwrap().stop();
    let index = fixture.path(".imgapi.index");
    let good = std::fs::read(&index).unwrap();
    let cut = good[..good.len() / 2].to_vec();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (content, least, most) in [
        (Some(good), 0, 0),
        (Some(cut), 1, 1199),
        (Some(flipped), 1, 1199),
        (Some(b"nonsense".to_vec()), 1200, 1200),
        (None, 1200, 1200),
    ] {
        match &content {
            Some(content) => std::fs::write(&index, content).unwrap(),
            None => std::fs::remove_file(&index).unwrap(),
        }
        let system = started(fixture.directory.path());
        let read = system.report().read;
        assert!((least..=most).contains(&read), "{read} not in {least}..={most}");
        assert_eq!(shown(system.repository()), before);
        system.stop();
    }
}

#[tokio::test]
async fn what_is_no_record_is_told_with_its_field_and_left_alone() {
    let mut fixture = Fixture::new();
    fixture.repository().create(record(1, "1.0.0")).await.unwrap();
    let write =
        |name: &str, content: &str| std::fs::write(fixture.path("manifests").join(name), content).unwrap();
    let mut no_version = record(2, "1.0.0").object().clone();
    no_version.shift_remove("version");
    let bad = [
        (
            format!("{}.raw", uuid(2)),
            json!(no_version).to_string(),
            "version",
        ),
        (format!("{}.raw", uuid(3)), "{\"v\": 2,".to_owned(), "JSON"),
        (
            format!("{}.raw", uuid(4)),
            record(5, "1").to_stored(),
            "says another",
        ),
        ("notes.txt".to_owned(), "notes".to_owned(), "UUID.raw"),
    ];
    for (name, content, _) in &bad {
        write(name, content);
    }
    fixture.restart();
    let problems = fixture.repository().problems();
    assert_eq!(problems.len(), bad.len());
    for (name, content, reason) in &bad {
        let problem = problems
            .iter()
            .find(|problem| problem.file.ends_with(name))
            .unwrap();
        let told = problem.to_string();
        let is_told = told.contains(reason) || *reason == "JSON";
        assert!(is_told && told.contains("left alone"), "{told}");
        let text = fixture.text(&format!("manifests/{name}"));
        assert_eq!(text.as_ref(), Some(content));
    }
    assert_eq!(fixture.repository().catalogue().len(), 1);
    fixture.restart();
    assert_eq!(fixture.repository().problems().len(), bad.len());
}

#[tokio::test]
async fn what_earlier_runs_left_is_removed_and_what_is_kept_for_another_day_stays() {
    let mut fixture = Fixture::new();
    add_with_file(fixture.repository(), 1, b"content").await;
    for number in [1, 2] {
        if number == 2 {
            fixture.repository().create(record(2, "1.0.0")).await.unwrap();
        }
        let mut kept = fixture
            .repository()
            .begin_upload(uuid(number), Slot::File(0), true)
            .await
            .unwrap();
        kept.append(b"half").unwrap();
        kept.keep().unwrap();
    }
    fixture.system.take().unwrap().stop();
    let left = [
        format!("images/.uploads/{}.file0.n7", uuid(1)),
        format!("images/.uploads/{}.file0.resume", uuid(9)),
        format!("manifests/.{}.raw.0~", uuid(1)),
        format!("images/000/{}/file0.5f0c6b3e-request", uuid(1)),
        format!("images/000/{}/icon.5f0c6b3e-request", uuid(8)),
    ];
    std::fs::create_dir_all(fixture.path(&format!("images/000/{}", uuid(8)))).unwrap();
    for name in &left {
        std::fs::write(fixture.path(name), "left").unwrap();
    }
    fixture.restart();
    assert_eq!(fixture.system.as_ref().unwrap().report().leftovers, 2);
    fixture.repository().tidied().await;
    for name in &left {
        assert_eq!(fixture.text(name), None, "{name}");
    }
    assert!(!fixture.path(&format!("images/000/{}", uuid(8))).exists());
    let content = fixture.text(&format!("images/000/{}/file0", uuid(1)));
    assert_eq!(content.as_deref(), Some("content"));
    for number in [1, 2] {
        let kept = fixture.repository().kept_upload(uuid(number), Slot::File(0));
        assert_eq!(kept.await.unwrap(), Some(4));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_removed_does_not_keep_the_repository_from_starting() {
    let mut fixture = Fixture::new();
    let repository = fixture.repository();
    add_with_file(repository, 1, b"content").await;
    repository.create(record(2, "1.0.0")).await.unwrap();
    fixture.system.take().unwrap().stop();
    // A deletion that was cut off, of what is no file: stands for any that the system refuses.
    let stuck = format!("images/000/{}/stuck", uuid(1));
    std::fs::create_dir(fixture.path(&stuck)).unwrap();
    let journal = serde_json::json!([{
        "moves": [], "record": null, "gone": uuid(1).to_string(), "directories": [],
        "removals": [stuck, format!("images/000/{}/file0", uuid(1))],
    }]);
    let directory = RepositoryDir::open(fixture.directory.path(), &["manifests"]).unwrap();
    directory.write_journal(journal.to_string().as_bytes()).unwrap();
    drop(directory);
    std::fs::create_dir(fixture.path("manifests/.by-hand~")).unwrap();
    fixture.restart();
    let repository = fixture.repository();
    assert!(repository.catalogue().get(uuid(1)).is_none());
    assert!(!fixture.path(&format!("images/000/{}/file0", uuid(1))).exists());
    repository.create(record(3, "1.0.0")).await.unwrap();
}

#[tokio::test]
async fn files_of_an_image_whose_record_is_bad_or_away_are_left_alone() {
    let mut fixture = Fixture::new();
    let image = |number| format!("images/000/{}/file0", uuid(number));
    add_with_file(fixture.repository(), 1, b"one").await;
    add_with_file(fixture.repository(), 2, b"two").await;
    fixture.system.take().unwrap().stop();
    std::fs::write(fixture.path(&format!("manifests/{}.raw", uuid(1))), "{").unwrap();
    std::fs::remove_file(fixture.path(&format!("manifests/{}.raw", uuid(2)))).unwrap();
    fixture.restart();
    fixture.repository().tidied().await;
    assert_eq!(fixture.text(&image(1)).as_deref(), Some("one"));
    assert_eq!(fixture.text(&image(2)).as_deref(), Some("two"));
}

#[tokio::test]
async fn archived_manifests_that_are_missing_or_old_are_made_again() {
    let mut fixture = Fixture::new();
    for number in 0..100 {
        fixture
            .repository()
            .create(record(number, "1.0.0"))
            .await
            .unwrap();
    }
    let archive = |number| format!("archive/000/{}.json", uuid(number));
    let good = fixture.text(&archive(1)).unwrap();
    fixture.system.take().unwrap().stop();
    std::fs::remove_file(fixture.path(&archive(1))).unwrap();
    std::fs::write(fixture.path(&archive(2)), "old").unwrap();
    // Without the index nothing is known of them.
    std::fs::remove_file(fixture.path(".imgapi.index")).unwrap();
    fixture.restart();
    fixture.repository().tidied().await;
    assert_eq!(fixture.text(&archive(1)), Some(good.clone()));
    let second = good
        .replace("image-1", "image-2")
        .replace(&uuid(1).to_string(), &uuid(2).to_string());
    assert_eq!(fixture.text(&archive(2)), Some(second));
}

#[tokio::test]
async fn a_second_process_is_refused_with_a_plain_sentence() {
    let fixture = Fixture::new();
    let error = start(RepositoryStore::new(fixture.directory.path(), RULES))
        .err()
        .unwrap();
    let text = error.to_string();
    let pid = std::process::id().to_string();
    assert!(
        text.contains("is in use by another process") && text.contains(&pid),
        "{text}"
    );
    let missing = start(RepositoryStore::new("/nowhere/at/all", RULES))
        .err()
        .unwrap();
    assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
}

#[tokio::test]
async fn expired_placeholders_are_removed_by_the_start() {
    let mut fixture = Fixture::new();
    let now = SystemTime::now();
    let expires = repository::dates::iso(now + Duration::from_secs(3600));
    let image = json!({"state": "creating", "expires_at": expires});
    let placeholder = crate::fixture::record_with(1, "1", &image);
    fixture.repository().create(placeholder).await.unwrap();
    fixture.system.take().unwrap().stop();
    let store = RepositoryStore {
        clock: Clock::new(move || now + Duration::from_secs(7200)),
        ..RepositoryStore::new(fixture.directory.path(), RULES)
    };
    let system = started_with(store);
    while !system.repository().catalogue().is_empty() {
        tokio::task::yield_now().await;
    }
    let left = files_below(fixture.directory.path());
    assert!(
        left.iter().all(|(name, _)| name.starts_with("archive/")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_directory_of_the_original_is_taken_as_it_is_and_stays_readable_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    // As the original writes it: JSON indented by two, no line feed; its own fields; a file longer than its entry says.
    let mut object = record(1, "1.0.0").object().clone();
    object.insert("urn".to_owned(), "lab:x:y:1".into());
    object.insert("objectclass".to_owned(), "sdcimage".into());
    object.insert("files".to_owned(), json!([{"sha1": crate::fixture::file_entry(b"content").sha1, "size": 7, "compression": "none", "stor": "local"}]));
    let text = serde_json::to_string_pretty(&object).unwrap();
    let raw = base.join(format!("manifests/{}.raw", uuid(1)));
    let image = base.join(format!("images/000/{}", uuid(1)));
    for path in [base.join("manifests"), base.join("archive/000"), image.clone()] {
        std::fs::create_dir_all(path).unwrap();
    }
    std::fs::write(&raw, &text).unwrap();
    std::fs::write(image.join("file0"), "content and more").unwrap();
    let system = started(base);
    let repository = system.repository();
    assert_eq!(repository.open_file(uuid(1), 0).await.unwrap().1.size, 7);
    let stored = repository.record(uuid(1)).await.unwrap().unwrap();
    put_file(repository, &stored, b"another").await;
    repository.tidied().await;
    system.stop();
    let written = std::fs::read_to_string(&raw).unwrap();
    assert!(written.starts_with("{\n  \"v\": 2,") && !written.ends_with('\n'));
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(value["urn"], "lab:x:y:1", "what we do not know stays");
    // Names the original knows, and dot names at places where it looks for none.
    let names = |at: &str| -> Vec<String> {
        let entries = std::fs::read_dir(base.join(at)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let is_ours = |name: &String| name.starts_with(".imgapi.") || name == ".uploads";
    for (at, known) in [
        ("", vec!["manifests", "images", "archive"]),
        ("images", vec!["000"]),
    ] {
        let foreign: Vec<String> = names(at).into_iter().filter(|name| !is_ours(name)).collect();
        assert!(
            foreign.iter().all(|name| known.contains(&name.as_str())),
            "{foreign:?}"
        );
    }
    assert_eq!(names("manifests"), [format!("{}.raw", uuid(1))]);
    assert_eq!(names("archive/000"), [format!("{}.json", uuid(1))]);
    assert_eq!(names(&format!("images/000/{}", uuid(1))), ["file0"]);
}
