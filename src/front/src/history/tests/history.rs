//! What is kept, for how long, and how it is drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;

use super::*;

/// A history of a counter and a size, both read from here.
fn history() -> (Arc<AtomicU64>, History) {
    let figure = Arc::new(AtomicU64::new(0));
    let (counter, size) = (Arc::clone(&figure), Arc::clone(&figure));
    let history = History::new()
        .chart("Calls <&>", Measure::PerSecond)
        .curve("calls", move || Some(counter.load(Ordering::Relaxed) as f64))
        .chart("Space", Measure::Bytes)
        .curve("free", move || Some(size.load(Ordering::Relaxed) as f64))
        .curve("unknown", || None);
    (figure, history)
}

fn at(reading: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(reading * 10)
}

#[test]
fn an_hour_of_readings_and_a_day_of_averages_are_kept_and_no_more() {
    let (figure, history) = history();
    let two_days = 2 * 8_640;
    for reading in 0..two_days {
        figure.fetch_add(50, Ordering::Relaxed);
        history.read(at(reading));
    }
    let kept = history.kept.lock();
    assert_eq!((kept.fine.len(), kept.coarse.len()), (FINE_MOST, COARSE_MOST));
    let (last, oldest) = (at(two_days - 1), at(two_days - FINE_MOST as i64));
    let times: Vec<Timestamp> = kept.fine.readings().map(|reading| reading.at).collect();
    assert_eq!((times.first(), times.last()), (Some(&oldest), Some(&last)));
    // 50 in ten seconds are 5 a second, in each reading and on average.
    assert!(kept.fine.values(0).iter().all(|(_, value)| *value == 5.0));
    assert!(
        kept.coarse
            .values(0)
            .iter()
            .all(|(_, value)| (*value - 5.0).abs() < 1e-9)
    );
    assert!(kept.fine.values(2).is_empty());
}

#[test]
fn a_trend_is_told_once_there_is_enough_to_judge_by() {
    let (figure, history) = history();
    figure.store(1_000_000, Ordering::Relaxed);
    for reading in 0..TREND_READINGS_LEAST as i64 {
        assert_eq!(history.trend("free"), None);
        figure.fetch_sub(20, Ordering::Relaxed);
        history.read(at(reading));
    }
    let trend = history.trend("free").unwrap();
    assert!((trend.per_second + 2.0).abs() < 1e-6, "{trend:?}");
    assert_eq!(trend.over, Duration::from_secs(290));
    assert_eq!(history.trend("none"), None);
    assert_eq!(history.trend("unknown"), None);
}

#[test]
fn a_counter_that_begins_anew_leaves_a_gap_and_no_spike() {
    let (figure, history) = history();
    for (reading, value) in [(0, 1000), (1, 1100), (2, 5), (3, 15)] {
        figure.store(value, Ordering::Relaxed);
        history.read(at(reading));
    }
    let values: Vec<f64> = history
        .kept
        .lock()
        .fine
        .values(0)
        .iter()
        .map(|(_, value)| *value)
        .collect();
    assert_eq!(values, [10.0, 1.0]);
}

#[test]
fn curves_are_drawn_within_their_frame_and_told_in_words() {
    let (figure, history) = history();
    for reading in 0..60 {
        figure.store(1 << 20, Ordering::Relaxed);
        // Away for ten minutes in the middle.
        history.read(at(if reading < 30 { reading } else { reading + 60 }));
    }
    let html = history.html(at(120));
    assert!(html.contains("free: 1 MiB, from 1 MiB to 1 MiB"), "{html}");
    assert!(html.contains("unknown: nothing known yet") && html.contains("Calls &lt;&amp;&gt;"));
    let space = html.split("<h2>Space</h2>").nth(1).unwrap();
    let path = space
        .split("class=\"curve c0\" d=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(
        path.matches('M').count(),
        2,
        "one line before the gap, one after: {path}"
    );
    let numbers = path.replace(['M', 'L', 'h'], " ");
    assert!(
        numbers
            .split_whitespace()
            .all(|number| (0.0..=480.0).contains(&number.parse::<f64>().unwrap())),
        "{path}"
    );
}
