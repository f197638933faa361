use std::time::{Duration, SystemTime};

use super::*;
use crate::testing::{Front, body};

#[test]
fn paths_are_read_when_asked_and_listed_in_order() {
    let metrics = Metrics::new("imageserver");
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = std::sync::Arc::clone(&reads);
    metrics.register("/b/two", "second", Unit::Bytes, move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    });
    metrics.register("/b/one", "first", Unit::None, || -1_i64);
    metrics.register("/bb", "other", Unit::None, || true);
    metrics.register_optional("/b/none", "has no value now", Unit::None, || None);
    metrics.register_tree(|| {
        vec![Sample::new(
            "/b/tree/x",
            "deep",
            Unit::Seconds,
            Duration::from_millis(1500),
        )]
    });
    let paths: Vec<String> = metrics
        .samples("/b/")
        .into_iter()
        .map(|sample| sample.path)
        .collect();
    assert_eq!(paths, ["/b/one", "/b/tree/x", "/b/two"]);
    assert_eq!(
        metrics.script_text("/b").unwrap(),
        "/b/one -1\n/b/tree/x 1.500000000\n/b/two 1\n"
    );
    assert_eq!(metrics.script_text("/b/two").unwrap(), "2\n");
    assert_eq!(metrics.script_text("/c"), None);
    assert_eq!(metrics.sample("/b"), None);
}

#[test]
fn values_are_written_as_scripts_know_them() {
    let metrics = Metrics::new("imageserver");
    metrics.register("/t/text", "", Unit::None, || "a \"b\"");
    metrics.register("/t/time", "", Unit::None, || {
        SystemTime::UNIX_EPOCH + Duration::new(1_795_331_588, 481_072_491)
    });
    metrics.register("/t/float", "", Unit::None, || 0.0);
    metrics.register_tree(|| {
        let buckets = vec![
            Bucket {
                lower: None,
                upper: Some(0.1),
                count: 1,
            },
            Bucket {
                lower: Some(0.1),
                upper: Some(0.2),
                count: 0,
            },
            Bucket {
                lower: Some(0.2),
                upper: None,
                count: 2,
            },
        ];
        let value = Distribution {
            min: 0.0,
            max: 3.0,
            median: 0.25,
            sum: 4.5,
            count: 3,
            buckets,
        };
        let value = Value::Distribution(value);
        vec![Sample {
            path: "/t/spread".into(),
            description: "".into(),
            unit: Unit::Milliseconds,
            value,
        }]
    });
    assert_eq!(
        metrics.script_text("/t").unwrap(),
        "/t/float 0\n/t/spread {min:0;max:3;avg:1.5;median:0.25;sum:4.5;count:3;[-inf,0.1):1;[0.2,inf):2}\n\
         /t/text \"a \\\"b\\\"\"\n/t/time 1795331588.481072491\n"
    );
}

#[test]
fn every_flag_is_a_figure() {
    let table =
        flags::Table::daemon("imageserver", "").flags(crate::daemon::common_flags("imageserver", 6971));
    let flags::Outcome::Run(values) = table.parse(["-srpcTrustedUsers=a,b".to_owned()]) else {
        panic!()
    };
    let metrics = Metrics::new("imageserver");
    metrics.register_flags(&table, &values);
    let text = metrics.script_text("/proc/flags").unwrap();
    for line in [
        "/proc/flags/CAfile \"/etc/ssl/CA.pem\"\n",
        "/proc/flags/permitInsecureMode false\n",
        "/proc/flags/portNum 6971\n",
        "/proc/flags/initialLogDebugLevel -1\n",
        "/proc/flags/logQuota \"100MiB\"\n",
        "/proc/flags/srpcTrustedUsers \"a,b\"\n",
        "/proc/flags/srpcDefaultConnectTimeout 15.000000000\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn metrics_answer_by_who_asks() {
    let front = Front::start();
    let scraper = front.get("/metrics").await;
    assert!(
        scraper
            .to_ascii_lowercase()
            .contains("content-type: text/plain; version=0.0.4"),
        "{scraper}"
    );
    for line in [
        "# TYPE imageserver_image_count gauge\nimageserver_image_count 3\n",
        "\nprocess_open_fds ",
        "\nprocess_cpu_seconds_total ",
    ] {
        assert!(body(&scraper).contains(line), "{line:?} is not in {scraper}");
    }
    let browser = front.get_with("/metrics", "Accept: text/html,*/*\r\n").await;
    assert!(
        browser.starts_with("HTTP/1.1 307 ")
            && browser
                .to_ascii_lowercase()
                .contains("\r\nlocation: /metrics/\r\n")
    );
    assert_eq!(body(&front.get("/metrics/image-count?format=text").await), "3\n");
    assert_eq!(
        body(&front.get("/metrics/nope?format=text").await),
        "*Path does not exist.*"
    );
    assert_eq!(body(&front.get("/metrics/nope").await), "Path does not exist.");
    let all = front.get("/metrics/?format=text").await;
    assert!(
        body(&all).starts_with("/image-count 3\n/log/lost-lines 0\n/proc/args \""),
        "{all}"
    );
    assert_eq!(body(&front.get("/has-tricorder-metrics").await), "true");
}

#[tokio::test]
async fn metrics_can_be_browsed_by_directory() {
    let front = Front::start();
    let root = front.get("/metrics/").await;
    assert!(
        root.contains("<a href=\"/metrics/proc\">/proc/</a>") && root.contains("/image-count"),
        "{root}"
    );
    assert!(!root.contains("/proc/cpu/user"));
    let proc = front.get("/metrics/proc").await;
    assert!(
        proc.contains("<a href=\"/metrics/proc/cpu\">/proc/cpu/</a>") && proc.contains("/proc/start-time"),
        "{proc}"
    );
}

#[tokio::test]
async fn the_json_form_has_the_members_and_the_order_of_the_original() {
    let front = Front::start();
    let answer = front.get("/metricsapi/image-count?singleton=true").await;
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("\r\nx-tricorder-media-type: tricorder.v1\r\n"),
        "{answer}"
    );
    let start = "{\n\t\"path\": \"/image-count\",\n\t\"description\": \"number of images\",\n\t\"unit\": \"None\",\n\t\"kind\": \"uint64\",\n\t\"bits\": 64,\n\t\"value\": 3,\n\t\"timestamp\": \"";
    assert!(
        body(&answer).starts_with(start) && body(&answer).ends_with("\",\n\t\"groupId\": 0\n}"),
        "{answer}"
    );
    assert!(
        body(&front.get("/metricsapi/proc/cpu").await)
            .starts_with("[\n\t{\n\t\t\"path\": \"/proc/cpu/sys\",")
    );
    assert_eq!(body(&front.get("/metricsapi/nope").await), "[]");
    let packed = front
        .get_with("/metricsapi/proc", "Accept-Encoding: gzip\r\n")
        .await;
    assert!(
        packed
            .to_ascii_lowercase()
            .contains("\r\ncontent-encoding: gzip\r\n"),
        "{packed}"
    );
    assert!(
        front
            .get("/metricsapi/nope?singleton=true")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    assert!(
        front
            .get("/metricsapi/proc?singleton=true")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
}

#[test]
fn the_recorder_of_the_process_renders_what_the_facade_counts() {
    let metrics = Metrics::install("imageserver");
    ::metrics::counter!("test_things_total").increment(2);
    ::metrics::histogram!("test_wait_seconds").record(0.02);
    metrics.upkeep();
    let text = metrics.prometheus_text();
    assert!(text.contains("test_things_total 2"), "{text}");
    assert!(text.contains("test_wait_seconds_bucket{le=\"0.05\"} 1"), "{text}");
}
