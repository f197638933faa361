//! Sizes, durations, times, hashes, versions.

use std::cmp::Ordering;

use gob::Time;
use hash::Hash;

pub(super) fn sizes(text: &str) {
    if let Ok(bytes) = human::parse_size(text) {
        assert_eq!(human::parse_size(&human::size(bytes)), Ok(bytes));
        assert!(!human::bytes(bytes).is_empty());
    }
}

pub(super) fn durations(text: &str) {
    if let Ok(nanoseconds) = human::parse_go_duration_ns(text) {
        let written = human::go_duration_ns(nanoseconds);
        assert_eq!(human::parse_go_duration_ns(&written), Ok(nanoseconds));
        assert!(!human::duration_ns(nanoseconds).is_empty());
        assert_eq!(human::parse_go_duration(text).is_ok(), nanoseconds >= 0);
    }
}

pub(super) fn times(text: &str) {
    if let Ok(time) = text.parse::<Time>() {
        let again = time.to_string().parse::<Time>();
        assert_eq!(again.as_ref(), Ok(&time));
        assert_eq!(
            again.map(|again| again.nanoseconds()).ok(),
            Some(time.nanoseconds())
        );
        let _ = time.to_system_time();
    }
    // Any bytes are a time, though not one that can be read again.
    if let Some((seconds, rest)) = text.as_bytes().split_first_chunk::<8>() {
        let offset = rest
            .first_chunk::<4>()
            .map_or(0, |bytes| i32::from_be_bytes(*bytes));
        let time = Time::new(i64::from_be_bytes(*seconds), 1, gob::Zone::Offset(offset));
        assert!(!time.to_string().is_empty());
        let _ = (time.to_system_time(), time.year());
    }
}

pub(super) fn hashes(text: &[u8]) {
    if let Ok(hash) = Hash::from_hex(text) {
        assert_eq!(hash.to_hex().as_slice(), text);
    }
}

/// Two versions with a zero byte between them.
pub(super) fn versions(text: &[u8]) {
    let mut parts = text.splitn(2, |&byte| byte == 0);
    let (left, right) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let order = human::version_cmp(left, right);
    assert_eq!(human::version_cmp(right, left), order.reverse());
    assert_eq!(order == Ordering::Equal, left == right);
    assert_eq!(human::version_less(left, right), order == Ordering::Less);
}
