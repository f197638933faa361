use std::fs;
use std::path::Path;

use tracing_subscriber::layer::SubscriberExt;

use super::*;

fn in_directory(directory: &Path, change: impl FnOnce(&mut LogConfig)) -> Logs {
    let mut config = LogConfig {
        directory: Some(directory.to_owned()),
        silent: true,
        ..LogConfig::default()
    };
    change(&mut config);
    Logs::start(config).unwrap()
}

fn texts(logs: &Logs) -> Vec<String> {
    logs.recent().iter().map(|line| line.text().to_owned()).collect()
}

fn all_files(logs: &Logs) -> Vec<String> {
    let directory = logs.directory().unwrap();
    let read = |name: &LogFileName| fs::read_to_string(directory.path().join(name.as_str())).unwrap();
    directory.files().iter().map(read).collect()
}

#[test]
fn events_become_lines_with_their_fields() {
    let logs = Logs::in_memory();
    let subscriber = tracing_subscriber::registry().with(logs.layer());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("AddImage({}) by {}", "a/b", "u");
        tracing::warn!(count = 3, name = "x y", "something is odd");
        crate::debug!(0, "hidden");
        tracing::info!(target: "actix_server::builder", "a library chats");
        tracing::error!(target: "hyper", "a library fails");
    });
    assert_eq!(
        texts(&logs),
        [
            "AddImage(a/b) by u",
            "something is odd count=3 name=x y",
            "a library fails"
        ]
    );
}

#[test]
fn debug_lines_are_kept_up_to_the_level_set_at_run_time() {
    let logs = Logs::in_memory();
    let subscriber = tracing_subscriber::registry().with(logs.layer());
    tracing::subscriber::with_default(subscriber, || {
        for level in [-1_i16, 0, 2, -1] {
            logs.set_level(level);
            crate::debug!(0, "zero at {level}");
            crate::debug!(2, "two at {level}");
            crate::debug!(3, "three at {level}");
        }
    });
    assert_eq!(texts(&logs), ["zero at 0", "zero at 2", "two at 2"]);
    logs.set_level(-7);
    assert_eq!(logs.level(), -1);
}

#[test]
fn memory_holds_the_last_lines_only() {
    let logs = Logs::in_memory();
    for number in 0..1500 {
        logs.print(&number.to_string());
    }
    let lines = texts(&logs);
    assert_eq!(
        (lines.len(), lines[0].as_str(), lines[1023].as_str()),
        (1024, "476", "1499")
    );
}

#[test]
fn lines_reach_the_file() {
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(&parent.path().join("log"), |_| {});
    logs.print("first");
    logs.print("second");
    logs.write(0, "not wanted");
    logs.flush();
    let files = all_files(&logs);
    assert_eq!(files.len(), 1);
    let lines: Vec<&str> = files[0].lines().map(|line| &line[20..]).collect();
    assert_eq!(lines, ["first", "second"]);
}

#[test]
fn lines_reach_the_file_by_themselves_also_those_that_come_while_others_are_gathered() {
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(parent.path(), |_| {});
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    for number in 0..3 {
        logs.print(&format!("line {number}"));
        logs.print(&format!("and {number}"));
        while !all_files(&logs)[0].ends_with(&format!("and {number}\n")) {
            assert!(std::time::Instant::now() < deadline, "{number} was not written");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn of_lines_that_many_write_at_once_none_is_lost_and_each_writers_keep_their_order() {
    // Together less than may wait, so that none may be lost however slow the disk is.
    const WRITERS: usize = 4;
    const LINES: usize = 4000;
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(parent.path(), |_| {});
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let logs = &logs;
            scope.spawn(move || (0..LINES).for_each(|number| logs.print(&format!("{writer} {number}"))));
        }
    });
    logs.flush();
    assert_eq!(logs.lost_lines(), 0);
    let file = all_files(&logs).remove(0);
    for writer in 0..WRITERS {
        let start = format!("{writer} ");
        let own = file.lines().filter_map(|line| line[20..].strip_prefix(&start));
        let numbers: Vec<usize> = own.map(|number| number.parse().unwrap()).collect();
        assert!(numbers.into_iter().eq(0..LINES), "of writer {writer}");
    }
}

#[test]
fn a_full_file_ends_with_its_line_and_the_next_begins_within_the_quota() {
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(parent.path(), |config| {
        config.file_max_bytes = 16 << 10;
        config.quota_bytes = 64 << 10;
    });
    for number in 0..400 {
        logs.print(&format!("{number:0>400}"));
        logs.flush();
    }
    let files = all_files(&logs);
    assert!((2..=5).contains(&files.len()), "{}", files.len());
    let (last, full) = files.split_last().unwrap();
    for file in full {
        assert!(file.ends_with("Closing and will open new logfile\n"));
        assert!(file.len() <= (16 << 10) + 100, "{}", file.len());
    }
    assert!(last.ends_with("0399\n"));
    assert!(files.iter().map(String::len).sum::<usize>() <= 64 << 10);
    assert_eq!(logs.lost_lines(), 0);
}

#[test]
fn a_directory_that_goes_away_stops_the_files_but_not_the_log() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("log");
    let logs = in_directory(&directory, |config| config.file_max_bytes = 100);
    logs.print(&"x".repeat(90));
    logs.flush();
    fs::remove_dir_all(&directory).unwrap();
    logs.print(&"y".repeat(90));
    logs.print("still here");
    logs.flush();
    assert!(logs.lost_lines() >= 1);
    assert!(logs.trouble().is_some());
    assert_eq!(texts(&logs).last().map(String::as_str), Some("still here"));

    // Once it is back the log says what is missing.
    fs::create_dir(&directory).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while logs.trouble().is_some() {
        assert!(std::time::Instant::now() < deadline, "no new file is made");
        std::thread::sleep(Duration::from_millis(100));
        logs.print("back");
        logs.flush();
    }
    assert!(all_files(&logs)[0].contains(" log lines were lost here\n"));
}

#[test]
fn a_directory_that_cannot_be_made_says_what_to_do() {
    let config = LogConfig {
        directory: Some("/nonexistent/parent/log".into()),
        ..LogConfig::default()
    };
    let Err(error) = Logs::start(config) else {
        panic!("it started")
    };
    assert!(error.to_string().contains("set -logDir"), "{error}");
}

#[test]
fn silence_is_marked() {
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(parent.path(), |config| {
        config.idle_mark = Duration::from_millis(20)
    });
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !all_files(&logs)[0].ends_with(" MARK\n") {
        assert!(std::time::Instant::now() < deadline, "no mark was written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_watcher_sees_its_own_level_and_filter() {
    let logs = Logs::in_memory();
    let filter = LineFilter::new(["Image"], ["boring"]).unwrap();
    let mut watch = logs.watch(filter, 1);
    logs.print("AddImage");
    logs.print("MakeDirectory");
    logs.print("boring Image");
    logs.write(1, "debug Image");
    logs.write(2, "too deep Image");
    assert_eq!(watch.next().await.unwrap().text(), "AddImage");
    assert_eq!(watch.next().await.unwrap().text(), "debug Image");
    assert!(watch.ready().is_none());
    assert_eq!(
        texts(&logs).len(),
        3,
        "debug lines that only a watcher wants are not kept"
    );
}

#[tokio::test]
async fn a_watcher_that_falls_behind_is_dropped() {
    let logs = Logs::in_memory();
    let mut watch = logs.watch(LineFilter::default(), -1);
    for number in 0..300 {
        logs.print(&number.to_string());
    }
    let mut seen = 0;
    while watch.next().await.is_some() {
        seen += 1;
    }
    assert_eq!(seen, 256);
}

#[test]
fn a_watcher_that_left_is_forgotten() {
    let logs = Logs::in_memory();
    let watch = logs.watch(LineFilter::default(), 5);
    assert_eq!(logs.wanted_level(), 5);
    drop(watch);
    assert_eq!(logs.wanted_level(), -1);
}

#[test]
fn a_log_of_records_has_the_fields_of_events_and_keeps_what_is_grave_enough() {
    let parent = tempfile::tempdir().unwrap();
    let logs = in_directory(parent.path(), |config| {
        config.form = LineForm::Records(RecordHead::new("imgapi"));
    });
    let subscriber = tracing_subscriber::registry().with(logs.layer());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(req_id = "a-1", res.statusCode = 200_u64, is_cut = true, "handled");
        logs.keep_from(Severity::WARN);
        tracing::info!("not kept");
        tracing::error!("kept");
        logs.keep_from(Severity::TRACE);
        tracing::trace!("fine");
    });
    logs.flush();
    let file = all_files(&logs).remove(0);
    let records: Vec<serde_json::Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<(&str, u64)> = records
        .iter()
        .map(|record| (record["msg"].as_str().unwrap(), record["level"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("handled", 30), ("kept", 50), ("fine", 10)]);
    assert_eq!(records[0]["req_id"], "a-1");
    assert_eq!(records[0]["res"]["statusCode"], 200);
    assert_eq!(records[0]["is_cut"], true);
}
