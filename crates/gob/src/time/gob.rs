//! Times in gob: a type with an encoding of its own (gob.md §6).

use super::{NANOSECONDS_PER_SECOND, Time, ZERO_TO_UNIX_SECONDS, Zone};
use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// Whole minutes of offset.
const VERSION_1: u8 = 1;
/// One more byte, for seconds of offset.
const VERSION_2: u8 = 2;
/// Stands for UTC proper where minutes of offset are expected.
const UTC_MINUTES: i16 = -1;

impl Gob for Time {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        describer.gob_encoder::<Self>("Time")
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.gob_encoder("time.Time", wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::ZERO)
    }

    fn is_omitted(&self) -> bool {
        self.is_zero()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        let (minutes, seconds) = split_offset(self.zone);
        let mut bytes = [0; 16];
        bytes[1..9].copy_from_slice(&self.unix_seconds.wrapping_add(ZERO_TO_UNIX_SECONDS).to_be_bytes());
        bytes[9..13].copy_from_slice(&self.nanoseconds.to_be_bytes());
        bytes[13..15].copy_from_slice(&minutes.to_be_bytes());
        if seconds == 0 {
            bytes[0] = VERSION_1;
            writer.bytes(&bytes[..15]);
        } else {
            (bytes[0], bytes[15]) = (VERSION_2, seconds);
            writer.bytes(&bytes);
        }
    }

    fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
        let bytes = reader.bytes()?;
        let (fixed, offset_seconds) = match *bytes {
            [VERSION_1, ref fixed @ ..] => (fixed, 0),
            [VERSION_2, ref fixed @ .., seconds] => (fixed, seconds),
            [] => return Err(Error::BadTime("no data")),
            _ => return Err(Error::BadTime("unsupported version")),
        };
        let &[s0, s1, s2, s3, s4, s5, s6, s7, n0, n1, n2, n3, z0, z1] = fixed else {
            return Err(Error::BadTime("invalid length"));
        };
        let seconds = i64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        let unix_seconds = seconds
            .checked_sub(ZERO_TO_UNIX_SECONDS)
            .ok_or(Error::BadTime("seconds out of range"))?;
        let nanoseconds = u32::from_be_bytes([n0, n1, n2, n3]);
        if nanoseconds >= NANOSECONDS_PER_SECOND {
            return Err(Error::BadTime("nanoseconds out of range"));
        }
        // Go writes the seconds west of UTC as a negative byte, though it reads them as a positive one.
        let offset = i32::from(i16::from_be_bytes([z0, z1])) * 60 + i32::from(offset_seconds.cast_signed());
        let zone = if offset == i32::from(UTC_MINUTES) * 60 {
            Zone::Utc
        } else {
            Zone::Offset(offset)
        };
        Ok(Self {
            unix_seconds,
            nanoseconds,
            zone,
        })
    }
}

/// Minutes, rounded down so that the seconds are positive and Go reads them right, and seconds of a zone's offset.
/// Offsets that cannot be sent become UTC.
fn split_offset(zone: Zone) -> (i16, u8) {
    let Zone::Offset(offset) = zone else {
        return (UTC_MINUTES, 0);
    };
    let seconds = offset.rem_euclid(60) as u8;
    match i16::try_from(offset.div_euclid(60)) {
        Ok(UTC_MINUTES) if seconds == 0 => (UTC_MINUTES, 0),
        Ok(minutes) => (minutes, seconds),
        Err(_) => (UTC_MINUTES, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, from_slice, to_vec};

    fn value(time: Time) -> Vec<u8> {
        let stream = to_vec(&time);
        let len = usize::from(stream[0]) + 1;
        // The definition, then length, id, 0, count.
        stream[len + 5..].to_vec()
    }

    #[test]
    fn bytes_of_the_specification() {
        let time = Time::new(1_700_000_000, 123_456_789, Zone::Utc);
        assert_eq!(
            to_vec(&time)[..16],
            *b"\x0f\x7f\x05\x01\x01\x04Time\x01\xff\x80\0\0\0"
        );
        assert_eq!(
            value(time),
            *b"\x01\0\0\0\x0e\xdc\xe5\xe8\0\x07\x5b\xcd\x15\xff\xff"
        );
    }

    #[test]
    fn zones_travel() {
        for zone in [
            Zone::Utc,
            Zone::Offset(0),
            Zone::Offset(7200),
            Zone::Offset(-34_200),
            Zone::Offset(-1172),
        ] {
            let time = Time::new(1_700_000_000, 5, zone);
            let bytes = to_vec(&time);
            let (back, consumed) = from_slice::<Time>(&bytes, Limits::default()).unwrap();
            assert_eq!((back, back.zone(), consumed), (time, zone, bytes.len()));
        }
    }

    #[test]
    fn bad_times_are_errors() {
        let good = to_vec(&Time::new(0, 0, Zone::Utc));
        let at = good.len() - 15;
        let decode = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            from_slice::<Time>(&bytes, Limits::default()).unwrap_err()
        };
        assert_eq!(
            decode(&|bytes| bytes[at] = 3),
            Error::BadTime("unsupported version")
        );
        assert_eq!(decode(&|bytes| bytes[at] = 2), Error::BadTime("invalid length"));
        assert_eq!(
            decode(&|bytes| bytes[at + 9] = 0xff),
            Error::BadTime("nanoseconds out of range")
        );
        assert_eq!(
            decode(&|bytes| bytes[at + 1..at + 9].copy_from_slice(&i64::MIN.to_be_bytes())),
            Error::BadTime("seconds out of range")
        );
    }
}
