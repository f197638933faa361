//! Readings of all curves, the last so many.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::Trend;

/// One reading of every curve.
pub(super) struct Reading {
    pub(super) at: Timestamp,
    /// In the order of the curves; not a number where there was none.
    pub(super) values: Vec<f64>,
}

/// The last `MOST` readings.
#[derive(Default)]
pub(super) struct Ring<const MOST: usize> {
    readings: VecDeque<Reading>,
}

impl<const MOST: usize> Ring<MOST> {
    pub(super) fn push(&mut self, at: Timestamp, values: Vec<f64>) {
        if self.readings.len() == MOST {
            self.readings.pop_front();
        }
        self.readings.push_back(Reading { at, values });
    }

    pub(super) fn len(&self) -> usize {
        self.readings.len()
    }

    /// Oldest first.
    pub(super) fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }

    /// The values of one curve that are there, with their times, oldest first.
    pub(super) fn values(&self, index: usize) -> Vec<(Timestamp, f64)> {
        let values = self.readings.iter().filter_map(|reading| {
            let value = reading.values.get(index).copied()?;
            value.is_finite().then_some((reading.at, value))
        });
        values.collect()
    }

    /// The average of each curve over the last `count` readings that have a value.
    pub(super) fn average_of_last(&self, count: usize) -> Vec<f64> {
        let first = self.readings.len().saturating_sub(count);
        let curves = self.readings.back().map_or(0, |reading| reading.values.len());
        let average = |index: usize| {
            let values = self.readings.range(first..);
            let values = values.filter_map(|reading| {
                reading
                    .values
                    .get(index)
                    .copied()
                    .filter(|value| value.is_finite())
            });
            let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
            if count == 0 {
                f64::NAN
            } else {
                sum / f64::from(count)
            }
        };
        (0..curves).map(average).collect()
    }

    /// The line that fits a curve best (least squares).
    pub(super) fn trend(&self, index: usize) -> Option<Trend> {
        let values = self.values(index);
        let (first, last) = (values.first()?.0, values.last()?.0);
        let points: Vec<(f64, f64)> = values
            .iter()
            .map(|(at, value)| (at.duration_since(first).as_secs_f64(), *value))
            .collect();
        let count = points.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
        let (mean_at, mean_value) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|point| (point.0 - mean_at).powi(2)).sum();
        if spread <= 0.0 {
            return None;
        }
        let together: f64 = points
            .iter()
            .map(|point| (point.0 - mean_at) * (point.1 - mean_value))
            .sum();
        Some(Trend {
            per_second: together / spread,
            over: Duration::try_from(last.duration_since(first)).unwrap_or_default(),
        })
    }
}
