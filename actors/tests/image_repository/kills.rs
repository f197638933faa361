//! A process that is killed: what it acknowledged is there, what it did not is there whole or not at all.
//!
//! The test runs itself once more below `strace`, which answers a thread's n-th call of a kind with SIGKILL.

use crate::fixture::{file_entry, files_below, put_file, received, record, started, uuid};
use actors::ImageRepository;
use actors::image_repository::{Slot, Stored};
use repository::manifest::{IconEntry, Record};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Set where the test runs itself once more: the directory to work in.
const INNER: &str = "IMAGE_REPOSITORY_KILLED_IN";

/// Calls that change the disk, or tell somebody.
const CALLS: [&str; 12] = [
    "pwrite64",
    "renameat",
    "unlinkat",
    "fdatasync",
    "fsync",
    "write",
    "mkdirat",
    "linkat",
    "rename",
    "unlink",
    "ftruncate",
    "fallocate",
];

/// Occurrences of one call in one thread, at most: far more than the changes below have.
const OCCURRENCES: usize = 1000;

const STEPS: usize = 9;

/// One change after the other, each acknowledged to `told`. Always the same.
async fn work(repository: &ImageRepository, mut told: impl FnMut(usize)) {
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    told(1);
    let stored = put_file(repository, &stored, b"first content").await;
    told(2);
    let stored = put_file(repository, &stored, b"second content, another one").await;
    told(3);
    let stored = put_icon(repository, &stored).await;
    told(4);
    let mut object = stored.record.object().clone();
    object.insert("uuid".to_owned(), uuid(0x0100_0002).to_string().into());
    let renamed = Record::new(object, &crate::fixture::RULES).unwrap();
    let stored = repository
        .rename(uuid(1), renamed, stored.revision)
        .await
        .unwrap();
    told(5);
    let copy = record(3, "1.0.0")
        .with_file(0, &file_entry(b"second content, another one"))
        .unwrap();
    repository
        .create_with_files_of(copy, uuid(0x0100_0002))
        .await
        .unwrap();
    told(6);
    let without = stored.record.without_icon().unwrap();
    let stored = repository.drop_icon(without, stored.revision).await.unwrap();
    told(7);
    repository
        .delete(uuid(0x0100_0002), stored.revision)
        .await
        .unwrap();
    told(8);
    repository.create(record(1, "2.0.0")).await.unwrap();
    told(9);
}

async fn put_icon(repository: &ImageRepository, stored: &Stored) -> Stored {
    let mut upload = repository
        .begin_upload(stored.record.uuid(), Slot::Icon, false)
        .await
        .unwrap();
    upload.append(b"picture").unwrap();
    let entry = file_entry(b"picture");
    let icon = IconEntry {
        sha1: entry.sha1,
        size: entry.size,
        content_type: "image/png".to_owned(),
        content_md5: entry.content_md5.unwrap(),
        mtime: entry.mtime.unwrap(),
        stor: "local".to_owned(),
    };
    let record = stored.record.with_icon(&icon);
    repository.commit(upload, record, stored.revision).await.unwrap()
}

type Files = Vec<(String, Vec<u8>)>;

/// What lies in the directory before each change and after the last one.
async fn states() -> Vec<Files> {
    let directory = tempfile::tempdir().unwrap();
    let system = started(directory.path());
    let mut states = vec![files_below(directory.path())];
    work(system.repository(), |_| {
        states.push(files_below(directory.path()))
    })
    .await;
    states
}

/// Runs the test `name` again in `directory`, killed at the n-th call of a thread; how many changes it acknowledged, and whether it
/// was killed at all.
fn killed_at(name: &str, directory: &Path, call: &str, occurrence: usize) -> (usize, bool) {
    run_with(
        &format!("signal=SIGKILL:when={occurrence}"),
        name,
        directory,
        call,
    )
}

/// The same with any fault.
fn run_with(fault: &str, name: &str, directory: &Path, call: &str) -> (usize, bool) {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
        .args(["-e", &format!("inject={call}:{fault}")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(INNER, directory)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // The first one stands behind what the harness says of the test.
    let acknowledged = text.matches("done ").count();
    (acknowledged, !output.status.success())
}

/// Makes sure that a start after a kill has the state before or after the change that was not acknowledged, and that the same is
/// on the disk, with nothing beside it.
async fn check_after_kill(directory: &Path, acknowledged: usize, states: &[Files]) {
    let system = started(directory);
    system.repository().tidied().await;
    let found = files_below(directory);
    let whole = &states[acknowledged..states.len().min(acknowledged + 2)];
    assert!(
        whole.contains(&found),
        "after {acknowledged} changes: {:?}",
        found.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    for entry in system.repository().catalogue().iter() {
        for (index, file) in entry.files().iter().enumerate() {
            let (opened, _) = system.repository().open_file(entry.uuid(), index).await.unwrap();
            let content = std::io::read_to_string(opened).unwrap();
            assert_eq!(file_entry(content.as_bytes()).sha1, file.sha1);
        }
    }
    let records = found.iter().filter(|(name, _)| name.starts_with("manifests/"));
    assert_eq!(records.count(), system.repository().catalogue().len());
    system.stop();
}

#[tokio::test]
async fn at_each_point_a_kill_leaves_each_change_done_or_not_begun() {
    const NAME: &str = "kills::at_each_point_a_kill_leaves_each_change_done_or_not_begun";
    if let Some(directory) = std::env::var_os(INNER) {
        let system = started(Path::new(&directory));
        work(system.repository(), |step| println!("done {step}")).await;
        std::io::stdout().flush().unwrap();
        return;
    }
    let states = states().await;
    assert_eq!(states.len(), STEPS + 1);
    let mut met = 0;
    for call in CALLS {
        let mut is_over = false;
        for occurrence in 1..OCCURRENCES {
            let directory = tempfile::tempdir().unwrap();
            let (acknowledged, was_killed) = killed_at(NAME, directory.path(), call, occurrence);
            check_after_kill(directory.path(), acknowledged, &states).await;
            if !was_killed {
                assert_eq!(acknowledged, STEPS, "{call} {occurrence}");
                is_over = true;
                break;
            }
            met += 1;
        }
        assert!(is_over, "{call}");
    }
    println!("{met} points were met");
    assert!(met > 40, "{met} points were met");
}

/// What the test below does while the journal's second write, which empties it, fails.
async fn go_on_behind_a_journal_that_stays(directory: &Path) {
    let system = started(directory);
    let (repository, slot) = (system.repository(), Slot::File(0));
    let stored = repository.create(record(1, "1.0.0")).await.unwrap();
    let mut upload = repository.begin_upload(uuid(1), slot, true).await.unwrap();
    // Calls are counted thread by thread, and the journal was written by this one when it was started.
    let appended = std::thread::spawn(move || upload.append(b"whole content").map(|()| upload));
    let upload = appended.join().unwrap().unwrap();
    let with_file = stored.record.with_file(0, &file_entry(b"whole content")).unwrap();
    repository
        .commit(upload, with_file, stored.revision)
        .await
        .unwrap();
    println!("done 1");
    // The next one under the same name: what is noted is not about it.
    let begun = repository.begin_upload(uuid(1), slot, true).await;
    let was_busy = matches!(begun, Err(actors::RepositoryError::Busy));
    if let Ok(mut upload) = begun {
        upload.append(b"part").unwrap();
        upload.keep().unwrap();
    }
    repository.create(record(2, "1.0.0")).await.unwrap();
    let (file, entry) = repository.open_file(uuid(1), 0).await.unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap(), "whole content");
    assert_eq!(entry.sha1, file_entry(b"whole content").sha1);
    // So that the test fails where the write that failed was another one.
    assert!(was_busy);
    // The journal is empty again, and the name free.
    repository.begin_upload(uuid(1), slot, true).await.unwrap();
    println!("done 2");
}

#[tokio::test]
async fn a_journal_that_cannot_be_emptied_never_takes_a_later_upload_for_the_one_it_noted() {
    const NAME: &str =
        "kills::a_journal_that_cannot_be_emptied_never_takes_a_later_upload_for_the_one_it_noted";
    if let Some(directory) = std::env::var_os(INNER) {
        go_on_behind_a_journal_that_stays(Path::new(&directory)).await;
        std::io::stdout().flush().unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let fault = "error=EIO:when=2";
    let (done, has_failed) = run_with(fault, NAME, directory.path(), "pwrite64");
    assert!(done == 2 && !has_failed, "{done} steps were done");
}

/// Images that are changed at once while the process is killed.
const CLIENTS: u32 = 6;

/// Changes each client makes: more than anybody waits for.
const CHANGES: u32 = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn under_load_a_kill_loses_nothing_that_was_acknowledged() {
    const NAME: &str = "kills::under_load_a_kill_loses_nothing_that_was_acknowledged";
    if let Some(directory) = std::env::var_os(INNER) {
        return load(Path::new(&directory)).await;
    }
    for lines in [1, 20, 77] {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--test-threads=1", "--nocapture"])
            .env(INNER, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut acknowledged = vec![0_u32; CLIENTS as usize];
        let mut left = lines;
        for line in std::io::BufRead::lines(output).map_while(Result::ok) {
            let told = line.split_once("done ").map(|(_, rest)| rest);
            if let Some((client, version)) = told.and_then(|rest| rest.split_once(' ')) {
                acknowledged[client.parse::<usize>().unwrap()] = version.parse().unwrap();
                if left == 0 {
                    // What it says until it is dead counts too.
                    continue;
                }
                left -= 1;
                if left == 0 {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        let system = started(directory.path());
        for (client, acknowledged) in (0..CLIENTS).zip(acknowledged) {
            let Some(entry) = system.repository().catalogue().get(uuid(client)).cloned() else {
                assert_eq!(acknowledged, 0);
                continue;
            };
            let found: u32 = entry.version().parse().unwrap();
            assert!(
                (acknowledged..=acknowledged + 1).contains(&found),
                "{found} is not {acknowledged}"
            );
            if found > 0 {
                let (file, entry) = system.repository().open_file(uuid(client), 0).await.unwrap();
                let content = std::io::read_to_string(file).unwrap();
                assert_eq!(file_entry(content.as_bytes()).sha1, entry.sha1);
            }
        }
        system.repository().tidied().await;
        assert_eq!(
            std::fs::read_dir(directory.path().join("images/.uploads")).map_or(0, Iterator::count),
            0
        );
        system.stop();
    }
}

/// What is killed: clients that change their images for ever, each time the file and the record together.
async fn load(directory: &Path) {
    let system = started(directory);
    let mut tasks = Vec::new();
    for client in 0..CLIENTS {
        let repository = system.repository().clone();
        tasks.push(tokio::spawn(async move {
            let mut stored = repository.create(record(client, "0")).await.unwrap();
            for version in 1..CHANGES {
                let content = format!("{client} {version}");
                let upload = received(&repository, uuid(client), content.as_bytes()).await;
                let next = record(client, &version.to_string());
                let next = next.with_file(0, &file_entry(content.as_bytes())).unwrap();
                stored = repository.commit(upload, next, stored.revision).await.unwrap();
                println!("done {client} {version}");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}
