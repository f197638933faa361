//! How much the collector has to delete (`imageserver.md §6.8`).

use crate::CollectorLimits;
use storage::Space;

/// Bytes of unreferenced objects to delete now; 0 for nothing.
pub(super) fn bytes_to_delete(limits: &CollectorLimits, space: &Space, unreferenced_bytes: u64) -> u64 {
    let start = limits.start_percent.clamp(1, 99);
    let stop = limits.stop_percent.clamp(1, 99).min(start.saturating_sub(1));
    let utilisation = space.utilisation_percent();
    let by_percent = if utilisation >= start {
        space.capacity_bytes / 100 * (utilisation - stop)
    } else {
        0
    };
    let by_size = if limits.stop_bytes < limits.start_bytes && unreferenced_bytes > limits.start_bytes {
        unreferenced_bytes - limits.stop_bytes
    } else {
        0
    };
    by_percent.max(by_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CollectorLimits = CollectorLimits {
        start_percent: 95,
        stop_percent: 90,
        start_bytes: 0,
        stop_bytes: 0,
    };

    fn full(percent: u64) -> Space {
        Space {
            capacity_bytes: 1000,
            free_bytes: 1000 - 10 * percent,
        }
    }

    #[test]
    fn collection_starts_at_the_start_percentage_and_aims_at_the_stop_percentage() {
        assert_eq!(bytes_to_delete(&LIMITS, &full(94), 500), 0);
        assert_eq!(bytes_to_delete(&LIMITS, &full(95), 500), 50);
        assert_eq!(bytes_to_delete(&LIMITS, &full(100), 500), 100);
    }

    #[test]
    fn a_stop_percentage_not_below_the_start_becomes_one_less() {
        let limits = CollectorLimits {
            start_percent: 80,
            stop_percent: 95,
            ..LIMITS
        };
        assert_eq!(bytes_to_delete(&limits, &full(80), 0), 10);
        let limits = CollectorLimits {
            start_percent: 0,
            stop_percent: 0,
            ..LIMITS
        };
        assert_eq!(bytes_to_delete(&limits, &full(1), 0), 10);
    }

    #[test]
    fn the_larger_demand_of_percent_and_size_counts() {
        let limits = CollectorLimits {
            start_bytes: 300,
            stop_bytes: 100,
            ..LIMITS
        };
        assert_eq!(bytes_to_delete(&limits, &full(10), 300), 0);
        assert_eq!(bytes_to_delete(&limits, &full(10), 301), 201);
        assert_eq!(bytes_to_delete(&limits, &full(100), 1000), 900);
        assert_eq!(bytes_to_delete(&limits, &full(100), 301), 201);
    }
}
