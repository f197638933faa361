//! The figures that matter over the last hour and day, in memory, as curves.
//!
//! A daemon names its charts when it starts; every ten seconds each curve is read once. An hour of such readings is kept, and a
//! day of their averages over five minutes: for 20 curves that is 130 KiB, whatever happens. `/dashboards` draws them on the
//! server, without scripts. Promises: bounded, nothing on disk. Lacks: what was before the start.

mod chart;
mod pages;
mod ring;

use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub use pages::configure;
use ring::Ring;

/// Time between two readings.
const READ_EVERY: Duration = Duration::from_secs(10);
/// Readings that are kept: an hour.
const FINE_MOST: usize = 360;
/// Readings of which an average is kept: five minutes.
const FINE_PER_COARSE: usize = 30;
/// Averages that are kept: a day.
const COARSE_MOST: usize = 288;
/// Readings from which a trend is worth telling: five minutes.
const TREND_READINGS_LEAST: usize = 30;
/// Averages from which the trend is that of the day: an hour.
const TREND_AVERAGES_LEAST: usize = 12;

/// What a chart measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Things per second; its curves read counters.
    PerSecond,
    /// Hundredths; its curves read counters of seconds.
    PercentOfTime,
}

type Read = Box<dyn Fn() -> Option<f64> + Send + Sync>;

struct Curve {
    name: String,
    read: Read,
}

/// Curves that are drawn together.
struct Chart {
    title: String,
    measure: Measure,
    curves: Vec<Curve>,
}

/// See the module's text.
#[derive(Default)]
pub struct History {
    charts: Vec<Chart>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    fine: Ring<FINE_MOST>,
    coarse: Ring<COARSE_MOST>,
    /// The last reading as it was, for what is shown as a rate.
    last: Option<(Timestamp, Vec<f64>)>,
    /// Readings since the last average.
    since_average: usize,
}

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change in a second.
    pub per_second: f64,
    /// The time it is judged by.
    pub over: Duration,
}

impl History {
    /// Without charts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a chart.
    pub fn chart(mut self, title: impl Into<String>, measure: Measure) -> Self {
        self.charts.push(Chart {
            title: title.into(),
            measure,
            curves: Vec::new(),
        });
        self
    }

    /// Adds a curve to the chart added last. `None` leaves a gap.
    pub fn curve(
        mut self,
        name: impl Into<String>,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        if let Some(chart) = self.charts.last_mut() {
            chart.curves.push(Curve {
                name: name.into(),
                read: Box::new(read),
            });
        }
        self
    }

    /// Reads all curves every ten seconds, until the daemon stops.
    pub async fn run(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(READ_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.read(Timestamp::now()),
                () = stop.cancelled() => return,
            }
        }
    }

    /// Reads all curves, as of `now`.
    pub fn read(&self, now: Timestamp) {
        let curves = self.charts.iter().flat_map(|chart| &chart.curves);
        let values: Vec<f64> = curves.map(|curve| (curve.read)().unwrap_or(f64::NAN)).collect();
        let mut kept = self.kept.lock();
        let last = kept.last.replace((now, values.clone()));
        let shown = self.shown(now, &values, last.as_ref());
        kept.fine.push(now, shown);
        kept.since_average += 1;
        if kept.since_average >= FINE_PER_COARSE {
            kept.since_average = 0;
            let average = kept.fine.average_of_last(FINE_PER_COARSE);
            kept.coarse.push(now, average);
        }
    }

    /// Values as they are drawn: of counters how fast they grew since the last reading.
    fn shown(&self, now: Timestamp, values: &[f64], last: Option<&(Timestamp, Vec<f64>)>) -> Vec<f64> {
        let measures = self
            .charts
            .iter()
            .flat_map(|chart| chart.curves.iter().map(|_| chart.measure));
        let rate = |index: usize, value: f64| {
            let (then, before) = last?;
            let seconds = now.duration_since(*then).as_secs_f64();
            let grown = value - before.get(index)?;
            // A counter that went back, or a clock that did, says nothing.
            (seconds > 0.0 && grown >= 0.0).then(|| grown / seconds)
        };
        measures
            .zip(values)
            .enumerate()
            .map(|(index, (measure, value))| match measure {
                Measure::PerSecond => rate(index, *value).unwrap_or(f64::NAN),
                Measure::PercentOfTime => rate(index, *value).map_or(f64::NAN, |share| share * 100.0),
                Measure::Count | Measure::Bytes => *value,
            })
            .collect()
    }

    /// How the curve of this name moves, judged by the last day, or the last hour if there is no more. `None` before five
    /// minutes have passed.
    pub fn trend(&self, name: &str) -> Option<Trend> {
        let mut names = self.charts.iter().flat_map(|chart| &chart.curves);
        let index = names.position(|curve| curve.name == name)?;
        let kept = self.kept.lock();
        if kept.coarse.len() >= TREND_AVERAGES_LEAST {
            return kept.coarse.trend(index);
        }
        if kept.fine.len() >= TREND_READINGS_LEAST {
            return kept.fine.trend(index);
        }
        None
    }
}

#[cfg(test)]
#[path = "tests/history.rs"]
mod tests;
