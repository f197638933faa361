//! Go's `time.Time`.

mod gob;
#[cfg(feature = "serde")]
mod serde;
mod text;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime};

pub use text::ParseTimeError;

/// A point in time with the zone it is to be shown in, like Go's `time.Time`.
///
/// The default is Go's zero time, the start of the year 1 in UTC, which everywhere means "not set". Comparisons are
/// about the point in time and disregard the zone.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    unix_seconds: i64,
    /// Below 10⁹.
    nanoseconds: u32,
    zone: Zone,
}

/// Where clocks show a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC proper.
    #[default]
    Utc,
    /// So many seconds ahead of UTC. 0 is what Go sends from a process whose local zone is UTC.
    Offset(i32),
}

impl Zone {
    /// Seconds ahead of UTC.
    pub fn offset_seconds(self) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Offset(seconds) => seconds,
        }
    }
}

/// Seconds from Go's zero time to the Unix epoch.
const ZERO_TO_UNIX_SECONDS: i64 = 62_135_596_800;
const NANOSECONDS_PER_SECOND: u32 = 1_000_000_000;

impl Time {
    /// Go's zero time: not set.
    pub const ZERO: Self = Self {
        unix_seconds: -ZERO_TO_UNIX_SECONDS,
        nanoseconds: 0,
        zone: Zone::Utc,
    };

    /// Seconds since the Unix epoch and nanoseconds after them, of which there may be more than a second's worth.
    pub fn new(unix_seconds: i64, nanoseconds: u32, zone: Zone) -> Self {
        let whole = i64::from(nanoseconds / NANOSECONDS_PER_SECOND);
        Self {
            unix_seconds: unix_seconds.saturating_add(whole),
            nanoseconds: nanoseconds % NANOSECONDS_PER_SECOND,
            zone,
        }
    }

    /// The present, in UTC.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Whether this is the zero time, in whatever zone: not set.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Seconds since the Unix epoch, rounded down.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// Nanoseconds after [`Time::unix_seconds`], below 10⁹.
    pub fn nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// The zone.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The same point in time, shown elsewhere.
    #[must_use]
    pub fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The same point in time for the standard library; `None` if it is beyond what that can hold.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.unix_seconds.unsigned_abs());
        let whole = if self.unix_seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)
        };
        whole?.checked_add(Duration::from_nanos(self.nanoseconds.into()))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self::new(
                i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                after.subsec_nanos(),
                Zone::Utc,
            ),
            Err(error) => {
                let before = error.duration();
                let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
                match before.subsec_nanos() {
                    0 => Self::new(seconds, 0, Zone::Utc),
                    part => Self::new(
                        seconds.saturating_sub(1),
                        NANOSECONDS_PER_SECOND - part,
                        Zone::Utc,
                    ),
                }
            }
        }
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Time {}

impl Hash for Time {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.unix_seconds, self.nanoseconds).hash(state);
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.unix_seconds, self.nanoseconds).cmp(&(other.unix_seconds, other.nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_time_both_ways() {
        for (seconds, nanoseconds) in [
            (0, 0),
            (1, 5),
            (-1, 999_999_999),
            (-1, 0),
            (1_700_000_000, 123_456_789),
        ] {
            let time = Time::new(seconds, nanoseconds, Zone::Utc);
            let back = Time::from(time.to_system_time().unwrap());
            assert_eq!((back.unix_seconds(), back.nanoseconds()), (seconds, nanoseconds));
        }
    }

    #[test]
    fn zones_do_not_matter_to_comparisons() {
        let utc = Time::new(10, 0, Zone::Utc);
        assert_eq!(utc, utc.with_zone(Zone::Offset(3600)));
        assert!(utc < Time::new(10, 1, Zone::Offset(-3600)));
        assert!(Time::default().with_zone(Zone::Offset(0)).is_zero());
        assert!(!utc.is_zero());
    }
}
