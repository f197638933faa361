use super::super::{LogConfig, Logs};
use super::*;
use crate::testing::{Front, body};

fn front(directory: &std::path::Path) -> Front {
    let config = LogConfig {
        directory: Some(directory.to_owned()),
        silent: true,
        ..LogConfig::default()
    };
    Front::start_with(Logs::start(config).unwrap(), None)
}

fn texts(answer: &str) -> Vec<&str> {
    body(answer).lines().map(|line| &line[20..]).collect()
}

#[tokio::test]
async fn log_files_are_listed_and_shown() {
    let directory = tempfile::tempdir().unwrap();
    let front = front(directory.path());
    let logs = front.site.logs();
    for text in [
        "AddImage(a) by alice",
        "AddImage(b) by bob",
        "DeleteImage(<b>) by bob",
    ] {
        logs.print(text);
    }
    let names = front.get("/logs?output=text").await;
    let name = body(&names).trim();
    assert_eq!(
        Some(name),
        logs.directory()
            .unwrap()
            .current()
            .as_ref()
            .map(LogFileName::as_str)
    );
    let page = front.get("/logs").await;
    assert!(page.contains("data-live=\"/logs/follow\""), "{page}");
    assert!(
        page.contains(&format!(
            "<a href=\"/logs/dump?name={name}\">{name}</a> (current)"
        )),
        "{page}"
    );
    assert!(
        page.contains("DeleteImage(&lt;b&gt;) by bob") && !page.contains("(<b>)"),
        "{page}"
    );

    for wanted in ["latest", name] {
        let dump = front.get(&format!("/logs/dump?name={wanted}")).await;
        assert_eq!(
            texts(&dump),
            [
                "AddImage(a) by alice",
                "AddImage(b) by bob",
                "DeleteImage(<b>) by bob"
            ]
        );
    }
    let dump = front
        .get("/logs/dump?name=latest&include=Add&exclude=alice")
        .await;
    assert_eq!(texts(&dump), ["AddImage(b) by bob"]);
    let dump = front.get("/logs/dump?name=latest&recentFirst&exclude=%3Cb").await;
    assert_eq!(texts(&dump), ["AddImage(b) by bob", "AddImage(a) by alice"]);
    assert_eq!(
        texts(&front.get("/logs/showSinceStartup?include=alice").await),
        ["AddImage(a) by alice"]
    );
}

#[tokio::test]
async fn nothing_outside_the_directory_can_be_shown() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes"), "secret").unwrap();
    let front = front(directory.path());
    for name in [
        "notes",
        "..%2fnotes",
        "%2fetc%2fpasswd",
        "2020-01-01:00:00:00",
        "",
    ] {
        assert!(
            front
                .get(&format!("/logs/dump?name={name}"))
                .await
                .starts_with("HTTP/1.1 404 "),
            "{name}"
        );
    }
    assert!(
        front
            .get("/logs/dump?name=latest&include=(")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

#[tokio::test]
async fn the_last_period_may_span_files() {
    let directory = tempfile::tempdir().unwrap();
    let old = "2020/01/01 00:00:00 long ago\n";
    std::fs::write(directory.path().join("2020-01-01:00:00:00"), old).unwrap();
    let front = front(directory.path());
    front.site.logs().print("just now");
    let hour = front.get("/logs/showLast?1h").await;
    assert!(hour.contains("just now") && !hour.contains("long ago"), "{hour}");
    let years = front.get("/logs/showLast?99y").await;
    assert!(
        years.contains("just now") && years.contains("long ago"),
        "{years}"
    );
    assert!(front.get("/logs/showLast?zz").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn the_panic_of_the_previous_run_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let old =
        "2020/01/01 00:00:00 work\n2020/01/01 00:00:01 panic: oh no (thread x)\n2020/01/01 00:00:01 frame\n";
    std::fs::write(directory.path().join("2020-01-01:00:00:00"), old).unwrap();
    let front = front(directory.path());
    let answer = front.get("/logs/showPreviousPanic").await;
    assert_eq!(texts(&answer), ["panic: oh no (thread x)", "frame"]);
}

#[tokio::test]
async fn without_files_the_memory_is_shown() {
    let front = Front::start();
    front.site.logs().print("in memory");
    assert_eq!(texts(&front.get("/logs/showSinceStartup").await), ["in memory"]);
    assert!(front.get("/logs/showLast?1m").await.contains("in memory"));
    assert_eq!(body(&front.get("/logs?output=text").await), "");
    assert_eq!(
        body(&front.get("/logs/showPreviousPanic").await),
        "Last invocation did not panic!\n"
    );
    assert!(
        front
            .get("/logs/dump?name=latest")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
}

#[tokio::test]
async fn stack_dumps_are_not_given_in_a_row() {
    let front = Front::start();
    let answers = [
        front.get("/logs/showStackTrace").await,
        front.get("/logs/showStackTrace").await,
    ];
    assert!(answers[0].contains("threads:"), "{}", answers[0]);
    assert_eq!(body(&answers[1]), "Too soon\n");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_shows_on_every_page_and_stops_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("log");
    let config = LogConfig {
        file_max_bytes: 1,
        directory: Some(directory.clone()),
        silent: true,
        ..LogConfig::default()
    };
    let front = Front::start_with(Logs::start(config).unwrap(), None);
    front.site.logs().print("fills the file");
    front.site.logs().flush();
    std::fs::remove_dir_all(&directory).unwrap();
    front.site.logs().print("has nowhere to go");
    front.site.logs().flush();
    let page = front.get("/logs").await;
    assert!(
        page.starts_with("HTTP/1.1 200 ") && page.contains("degraded: log: "),
        "{page}"
    );
    assert_ne!(
        body(&front.get("/metrics/log/lost-lines?format=text").await),
        "0\n"
    );
}

#[tokio::test]
async fn the_log_can_be_followed_and_a_follower_does_not_hold_up_a_stop() {
    let front = Front::start();
    let logs = front.site.logs().clone();
    let mut stream = front.connect().await;
    let request = b"GET /logs/follow?exclude=not HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request)
        .await
        .unwrap();
    let mut answer = String::new();
    let mut byte = [0];
    while !answer.ends_with("\r\n\r\n") {
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte)
            .await
            .unwrap();
        answer.push(byte[0].into());
    }
    assert!(
        answer.contains("text/event-stream") && !answer.contains("gzip"),
        "{answer}"
    );
    logs.print("not this");
    logs.print("but that");
    answer.clear();
    while !answer.ends_with("\n\n") {
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte)
            .await
            .unwrap();
        answer.push(byte[0].into());
    }
    assert!(
        // The number is the length of the chunk, in hexadecimal.
        answer.starts_with("24\r\ndata: ") && answer.ends_with(" but that\n\n"),
        "{answer}"
    );
    assert_eq!(front.listening.stop(crate::testing::PATIENCE).await, 0);
    assert_eq!(crate::testing::read_to_end(&mut stream).await, b"\r\n0\r\n\r\n");
}

#[tokio::test]
async fn lines_in_memory_are_chosen_by_words_and_level() {
    let directory = tempfile::tempdir().unwrap();
    let front = front(directory.path());
    let logs = front.site.logs();
    logs.set_level(3);
    logs.print("AddImage(a)");
    logs.write(0, "added some <objects>");
    logs.write(3, "added every detail");
    for (query, shown, hidden) in [
        (
            "?q=ADDED",
            vec!["some &lt;objects&gt;", "every detail"],
            vec!["AddImage(a)\n"],
        ),
        (
            "?level=0",
            vec!["AddImage(a)", "some &lt;objects&gt;"],
            vec!["every detail"],
        ),
        (
            "?level=-1",
            vec!["AddImage(a)"],
            vec!["some &lt;objects", "every detail"],
        ),
        (
            "?q=added&level=0",
            vec!["some &lt;objects&gt;"],
            vec!["AddImage(a)", "every detail"],
        ),
        (
            "?q=%3Cobjects%3E",
            vec!["include=%28%3Fi%29%3Cobjects%3E", "value=\"&lt;objects&gt;\""],
            vec!["<objects>"],
        ),
    ] {
        let page = front.get(&format!("/logs{query}")).await;
        let lines = page.split("id=\"recent\"").nth(1).unwrap();
        assert!(shown.iter().all(|text| lines.contains(text)), "{query}: {lines}");
        assert!(
            !hidden.iter().any(|text| lines.contains(text)),
            "{query}: {lines}"
        );
    }
}
