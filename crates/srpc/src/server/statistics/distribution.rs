//! A distribution of durations in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the buckets in milliseconds: 0.1 to 100000 in steps 1, 2, 5. A last bucket takes what is above.
const ENDS_MS: [f64; 19] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5,
];

/// Counts durations; shared between threads.
#[derive(Debug, Default)]
pub struct Distribution {
    counts: [AtomicU64; ENDS_MS.len() + 1],
    sum_ns: AtomicU64,
    max_ns: AtomicU64,
}

/// One bucket: from the lower end, included, to the upper end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// In milliseconds; minus infinity for the first.
    pub from_ms: f64,
    /// In milliseconds; infinity for the last.
    pub to_ms: f64,
    /// Durations in it.
    pub count: u64,
}

/// A distribution at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionSnapshot {
    /// All buckets, lowest first.
    pub buckets: Vec<Bucket>,
    /// How many durations there were.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
    /// The longest.
    pub max: Duration,
}

impl Distribution {
    /// Counts one.
    pub fn add(&self, duration: Duration) {
        let milliseconds = duration.as_secs_f64() * 1e3;
        let index = ENDS_MS.partition_point(|end| *end <= milliseconds);
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[index].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
        self.max_ns.fetch_max(ns, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> DistributionSnapshot {
        let ends = ENDS_MS.iter().copied().chain([f64::INFINITY]);
        let starts = [f64::NEG_INFINITY].into_iter().chain(ENDS_MS);
        let buckets: Vec<Bucket> = starts
            .zip(ends)
            .zip(&self.counts)
            .map(|((from_ms, to_ms), count)| Bucket {
                from_ms,
                to_ms,
                count: count.load(Ordering::Relaxed),
            })
            .collect();
        DistributionSnapshot {
            count: buckets.iter().map(|bucket| bucket.count).sum(),
            buckets,
            sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)),
            max: Duration::from_nanos(self.max_ns.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_land_in_their_buckets() {
        let distribution = Distribution::default();
        for (duration, index) in [
            (Duration::ZERO, 0),
            (Duration::from_micros(100), 1),
            (Duration::from_millis(1), 4),
            (Duration::from_secs(100), 19),
            (Duration::from_secs(1000), 19),
        ] {
            let before = distribution.snapshot().buckets[index].count;
            distribution.add(duration);
            assert_eq!(
                distribution.snapshot().buckets[index].count,
                before + 1,
                "{duration:?}"
            );
        }
        assert_eq!(distribution.snapshot().count, 5);
        assert_eq!(distribution.snapshot().max, Duration::from_secs(1000));
    }
}
