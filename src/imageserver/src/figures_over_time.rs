//! Which figures are kept over time for `/dashboards`, and what they tell of the time to come.

use std::sync::Arc;
use std::time::Duration;

use crate::state::Shared;
use front::history::{History, Measure};
use front::metrics::{Metrics, Value};
use srpc::Server;

/// Name of the curve the forecast is made from.
const FREE: &str = "free";
/// Forecasts beyond this say that there is no end in sight.
const FORECAST_MOST: Duration = Duration::from_secs(5 * 365 * 86_400);

/// The charts.
pub(crate) fn history(shared: &Shared, server: &Arc<Server>, metrics: &Arc<Metrics>) -> Arc<History> {
    let mut history = of_contents(History::new(), shared);
    history = of_transport(history, server, shared);
    if let Some(replicator) = &shared.replicator {
        let (images, bytes) = (replicator.clone(), replicator.clone());
        history = history
            .chart("Behind the master: images", Measure::Count)
            .curve("images", move || Some(images.status().images_behind as f64))
            .chart("Behind the master: bytes", Measure::Bytes)
            .curve("bytes", move || Some(bytes.status().bytes_behind as f64));
    }
    let followers = Arc::clone(&shared.followers);
    let waiting = Arc::clone(&shared.followers);
    history = history
        .chart("Replication clients", Measure::Count)
        .curve("connected", move || Some(followers.count() as f64))
        .curve("changes the slowest has not been told", move || {
            Some(waiting.most_waiting() as f64)
        });
    Arc::new(of_process(history, metrics))
}

fn of_contents(history: History, shared: &Shared) -> History {
    let state = || Shared::clone(shared);
    let (images, space, referenced, unreferenced) = (state(), state(), state(), state());
    let (objects, of_images) = (state(), state());
    history
        .chart("Images", Measure::Count)
        .curve("images", move || {
            Some(images.images.snapshot().images.len() as f64)
        })
        .chart("Free space", Measure::Bytes)
        .curve(FREE, move || {
            Some(space.objects.statistics().space.free_bytes as f64)
        })
        .chart("Objects, bytes", Measure::Bytes)
        .curve("needed by images", move || {
            Some(referenced.objects.statistics().referenced_bytes as f64)
        })
        .curve("needed by none", move || {
            Some(unreferenced.objects.statistics().unreferenced_bytes as f64)
        })
        .chart("Objects", Measure::Count)
        .curve("stored", move || {
            Some(objects.objects.statistics().objects as f64)
        })
        .curve("needed by none", move || {
            Some(of_images.objects.statistics().unreferenced_objects as f64)
        })
}

fn of_transport(history: History, server: &Arc<Server>, shared: &Shared) -> History {
    // The server lives as long as the process; the site, which holds these, must not hold it in turn.
    let figures = || {
        let server = Arc::downgrade(server);
        move || server.upgrade().map(|server| server.statistics())
    };
    let (calls, denied, open, running) = (figures(), figures(), figures(), figures());
    let slots = Shared::clone(shared);
    let sum = |counts: Vec<u64>| counts.into_iter().fold(0, u64::saturating_add) as f64;
    history
        .chart("Calls", Measure::PerSecond)
        .curve("permitted", move || {
            Some(sum(calls()?
                .methods
                .iter()
                .map(|method| method.permitted_calls)
                .collect()))
        })
        .curve("denied", move || {
            Some(sum(denied()?
                .methods
                .iter()
                .map(|method| method.denied_calls)
                .collect()))
        })
        .chart("Connections", Measure::Count)
        .curve("open", move || Some(open()?.open_connections as f64))
        .curve("calls running", move || Some(running()?.running_methods as f64))
        .curve("fetching objects", move || {
            Some(slots.get_objects_running() as f64)
        })
}

fn of_process(history: History, metrics: &Arc<Metrics>) -> History {
    let figure = |path: &'static str| {
        let metrics = Arc::downgrade(metrics);
        move || match metrics.upgrade()?.sample(path)?.value {
            Value::Duration(duration) => Some(duration.as_secs_f64()),
            value => value.number(),
        }
    };
    history
        .chart("Processor time", Measure::PercentOfTime)
        .curve("user", figure("/proc/cpu/user"))
        .curve("system", figure("/proc/cpu/sys"))
        .chart("Memory", Measure::Bytes)
        .curve("resident", figure("/proc/memory/total"))
}

/// When the file system of the objects will be full, judged by how its free space moved.
pub(crate) fn forecast(history: &History, free_bytes: u64) -> String {
    let Some(trend) = history.trend(FREE) else {
        return "when it will be full can be told after some minutes".to_owned();
    };
    let over = human::duration(Duration::from_secs(trend.over.as_secs()));
    let seconds_left = free_bytes as f64 / -trend.per_second;
    if trend.per_second >= 0.0 || seconds_left > FORECAST_MOST.as_secs_f64() {
        return format!("judged by the last {over} it is not filling up");
    }
    let left = Duration::from_secs(seconds_left as u64);
    let left = if left.as_secs() >= 86_400 {
        format!("{} days", left.as_secs() / 86_400)
    } else {
        human::duration(left)
    };
    format!("at the rate of the last {over} it will be full in {left}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    fn told(per_reading: f64) -> String {
        let value = parking_lot::Mutex::new(1e9);
        let history = History::new()
            .chart("Free space", Measure::Bytes)
            .curve(FREE, move || {
                *value.lock() += per_reading;
                Some(*value.lock())
            });
        assert!(forecast(&history, 1000).contains("after some minutes"));
        for reading in 0..60 {
            history.read(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(reading * 10));
        }
        forecast(&history, 8_640_000)
    }

    #[test]
    fn it_is_told_when_the_disk_will_be_full() {
        assert_eq!(
            told(-1000.0),
            "at the rate of the last 9m50s it will be full in 1 days"
        );
        assert_eq!(
            told(-10_000.0),
            "at the rate of the last 9m50s it will be full in 2h24m0s"
        );
        assert_eq!(told(0.0), "judged by the last 9m50s it is not filling up");
        assert_eq!(told(5.0), "judged by the last 9m50s it is not filling up");
    }
}
