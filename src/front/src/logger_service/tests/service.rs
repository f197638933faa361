use std::sync::Arc;

use protocol::logger::*;
use srpc::{CallError, Client, ConnectOptions};

use crate::logs::Logs;
use crate::testing::{Front, PATIENCE};

async fn connect(front: &Front) -> Client {
    let options = ConnectOptions {
        unix_upgrade: false,
        ..ConnectOptions::new(front.address.to_string())
    };
    Client::connect(&options).await.unwrap()
}

fn last(logs: &Logs) -> String {
    logs.recent()
        .last()
        .map(|line| line.text().to_owned())
        .unwrap_or_default()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn print_and_debug_log_their_arguments_with_the_method_before_them() {
    let front = Front::start();
    let logs = front.site.logs();
    let mut client = connect(&front).await;
    let request = PrintRequest {
        args: words(&["hello", "print"]),
        name: String::new(),
    };
    let _: PrintResponse = client.call("Logger.Print", &request).await.unwrap();
    assert_eq!(last(logs), "Logger.Print(): hello print");

    let debug = |level| DebugRequest {
        args: words(&["a"]),
        name: String::new(),
        level,
    };
    let _: DebugResponse = client.call("Logger.Debug", &debug(1)).await.unwrap();
    assert_eq!(
        last(logs),
        "Logger.Print(): hello print",
        "above the level, nothing is logged"
    );
    let set = SetDebugLevelRequest {
        name: String::new(),
        level: 1,
    };
    let _: SetDebugLevelResponse = client.call("Logger.SetDebugLevel", &set).await.unwrap();
    assert_eq!(last(logs), "Logger.SetDebugLevel(1)");
    let _: DebugResponse = client.call("Logger.Debug", &debug(1)).await.unwrap();
    assert_eq!(last(logs), "Logger.Debug(1): a");
    let _: DebugResponse = client.call("Logger.Debug", &debug(2)).await.unwrap();
    assert_eq!(last(logs), "Logger.Debug(1): a");
}

#[tokio::test]
async fn there_is_one_logger_only() {
    let front = Front::start();
    let mut client = connect(&front).await;
    let request = PrintRequest {
        args: vec![],
        name: "other".into(),
    };
    let reply: Result<PrintResponse, CallError> = client.call("Logger.Print", &request).await;
    assert_eq!(reply.unwrap_err().to_string(), "unknown logger: other");
    let request = SetDebugLevelRequest {
        name: "other".into(),
        level: 3,
    };
    let reply: Result<SetDebugLevelResponse, CallError> = client.call("Logger.SetDebugLevel", &request).await;
    assert!(reply.is_err());
    assert_eq!(front.site.logs().level(), -1);
}

#[tokio::test]
async fn a_stack_dump_is_text() {
    let front = Front::start();
    let mut client = connect(&front).await;
    let reply: GetStackTraceResponse = client
        .call("Logger.GetStackTrace", &GetStackTraceRequest {})
        .await
        .unwrap();
    assert!(String::from_utf8(reply.data).unwrap().contains("threads:"));
}

#[tokio::test]
async fn watch_streams_the_lines_asked_for_and_nothing_else() {
    let front = Front::start();
    let logs = front.site.logs();
    let mut client = connect(&front).await;
    let mut stream = client.open("Logger.Watch").await.unwrap();
    let request = WatchRequest {
        debug_level: 1,
        include_regex: "AddImage|CheckImage|Directory".into(),
        exclude_regex: "secret".into(),
        name: String::new(),
    };
    stream.write_value(&request).await.unwrap();
    stream.flush().await.unwrap();
    let reply: WatchResponse = stream.read_value().await.unwrap();
    assert_eq!(reply.error, "");
    logs.print("DeleteImage(x)");
    logs.print("MakeDirectory(secret)");
    logs.write(2, "CheckImage(deep)");
    logs.write(1, "CheckImage(debug)");
    logs.print("MakeDirectory(watched)");
    for expected in ["CheckImage(debug)", "MakeDirectory(watched)"] {
        let line = tokio::time::timeout(PATIENCE, stream.read_line(4096))
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(&line[20..], expected);
    }
}

#[tokio::test]
async fn watch_says_what_is_wrong_with_a_request() {
    let front = Front::start();
    for (request, error) in [
        (
            WatchRequest {
                name: "x".into(),
                ..WatchRequest::default()
            },
            "unknown logger: x",
        ),
        (
            WatchRequest {
                include_regex: "(".into(),
                ..WatchRequest::default()
            },
            "error parsing regexp",
        ),
    ] {
        let mut client = connect(&front).await;
        let mut stream = client.open("Logger.Watch").await.unwrap();
        stream.write_value(&request).await.unwrap();
        stream.flush().await.unwrap();
        let reply: WatchResponse = stream.read_value().await.unwrap();
        assert!(reply.error.starts_with(error), "{}", reply.error);
    }
}

#[tokio::test]
async fn a_watcher_that_leaves_is_forgotten() {
    let front = Front::start();
    let logs = front.site.logs().clone();
    let mut client = connect(&front).await;
    let mut stream = client.open("Logger.Watch").await.unwrap();
    stream
        .write_value(&WatchRequest {
            debug_level: 7,
            ..WatchRequest::default()
        })
        .await
        .unwrap();
    stream.flush().await.unwrap();
    let _: WatchResponse = stream.read_value().await.unwrap();
    assert_eq!(logs.wanted_level(), 7);
    drop(stream);
    drop(client);
    let forgotten = tokio::time::timeout(PATIENCE, async {
        while logs.wanted_level() == 7 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    forgotten.await.expect("the watch ends with its connection");
}

#[tokio::test]
async fn a_watch_does_not_hold_up_a_stop() {
    let front = Front::start();
    let mut client = connect(&front).await;
    let mut stream = client.open("Logger.Watch").await.unwrap();
    stream.write_value(&WatchRequest::default()).await.unwrap();
    stream.flush().await.unwrap();
    let _: WatchResponse = stream.read_value().await.unwrap();
    let _keep = Arc::clone(&front.server);
    assert_eq!(
        tokio::time::timeout(PATIENCE, front.listening.stop(PATIENCE))
            .await
            .unwrap(),
        0
    );
}
