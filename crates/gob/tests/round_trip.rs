//! Whatever is encoded decodes to the same, however it arrives; whatever is not an encoding does no harm.

#![allow(clippy::unwrap_used, reason = "tests, though not in functions marked so")]

mod models;

use bstr::BString;
use gob::{Decoder, Encoder, Gob, Limits, Progress, Time, Zone};
use models::exotic::Exotic;
use models::sample::{self, Random};
use models::{AddImageRequest, Image};
use proptest::prelude::*;

#[derive(Gob, Clone, Debug, PartialEq)]
struct Plain {
    flag: bool,
    int: i64,
    uint: u64,
    byte: u8,
    float: f64,
    text: String,
    raw: BString,
    bytes: Vec<u8>,
    array: [u8; 5],
    pointer: Option<i32>,
    list: Vec<Option<u64>>,
}

prop_compose! {
    fn plain()(
        (flag, int, uint, byte) in any::<(bool, i64, u64, u8)>(),
        float in -1e300..1e300,
        text in any::<String>(),
        (raw, bytes) in any::<(Vec<u8>, Vec<u8>)>(),
        (array, pointer) in any::<([u8; 5], Option<i32>)>(),
        list in any::<Vec<u64>>(),
    ) -> Plain {
        let list = list.into_iter().map(Some).collect();
        Plain { flag, int, uint, byte, float, text, raw: raw.into(), bytes, array, pointer, list }
    }
}

fn comes_back<T: Gob + PartialEq + std::fmt::Debug>(value: &T) {
    let stream = gob::to_vec(value);
    let (back, consumed) = gob::from_slice::<T>(&stream, Limits::default()).unwrap();
    assert_eq!(&back, value);
    assert_eq!(consumed, stream.len());
    let skipped = Decoder::new(Limits::default()).skip_value(&stream);
    assert_eq!(skipped, Ok(Progress::Value { value: (), consumed }));
}

/// Decodes whatever there is, as different types, within small limits.
fn does_no_harm(input: &[u8]) {
    let limits = Limits {
        max_value_bytes: 1 << 20,
        max_depth: 30,
        ..Limits::default()
    };
    fn attempt<T: Gob>(input: &[u8], limits: &Limits) {
        let mut decoder = Decoder::new(limits.clone());
        let mut rest = input;
        loop {
            match decoder.decode::<T>(rest) {
                Ok(Progress::Value { consumed, .. }) => {
                    assert!((1..=rest.len()).contains(&consumed));
                    rest = &rest[consumed..];
                }
                Ok(Progress::NeedMore { at_least }) => {
                    assert!(at_least > rest.len());
                    break;
                }
                Err(error) => {
                    assert!(decoder.consumed_by_failure() <= rest.len());
                    assert!(!error.to_string().contains('\n'));
                    break;
                }
            }
        }
    }
    attempt::<AddImageRequest>(input, &limits);
    attempt::<Image>(input, &limits);
    attempt::<Exotic>(input, &limits);
    attempt::<Plain>(input, &limits);
    attempt::<Vec<u8>>(input, &limits);
    let _ = Decoder::new(limits).skip_value(input);
}

/// Overwrites, cuts and repeats, as the numbers say.
fn mutate(mut bytes: Vec<u8>, changes: &[(u16, u8, u8)]) -> Vec<u8> {
    for &(at, kind, value) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(at) % bytes.len();
        match kind % 6 {
            0 => bytes[at] = value,
            1 => bytes[at] ^= 1 << (value % 8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, value),
            4 => bytes.truncate(at),
            _ => {
                let end = (at + usize::from(value)).min(bytes.len());
                let repeated = bytes[at..end].to_vec();
                bytes.splice(at..at, repeated);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn plain_values(value in plain()) {
        comes_back(&value);
    }

    #[test]
    fn times(seconds in any::<i32>(), nanoseconds in 0..1_000_000_000_u32, offset in -50_000..50_000) {
        let time = Time::new(seconds.into(), nanoseconds, Zone::Offset(offset));
        let (back, _) = gob::from_slice::<Time>(&gob::to_vec(&time), Limits::default()).unwrap();
        // -1 minute stands for UTC.
        let zone = if offset == -60 { Zone::Utc } else { time.zone() };
        prop_assert_eq!((back, back.zone()), (time, zone));
        // Text has room for whole minutes.
        let time = time.with_zone(Zone::Offset(offset / 60 * 60));
        let read: Time = time.to_string().parse().unwrap();
        prop_assert_eq!(read, time);
    }

    #[test]
    fn images_and_exotic_values(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        comes_back(&sample::image(&mut random));
        comes_back(&Exotic::random(&mut random));
    }

    #[test]
    fn streams_in_pieces(seed in any::<u64>(), pieces in prop::collection::vec(1..400_usize, 1..50)) {
        let mut random = Random::new(seed);
        let values: Vec<_> = (0..4).map(|_| sample::image(&mut random)).collect();
        let (mut encoder, mut stream) = (Encoder::new(), Vec::new());
        values.iter().for_each(|value| encoder.encode(value, &mut stream));

        let (mut decoder, mut start, mut end) = (Decoder::new(Limits::default()), 0, 0);
        let mut pieces = pieces.iter().cycle();
        for value in &values {
            loop {
                match decoder.decode::<Image>(&stream[start..end]).unwrap() {
                    Progress::Value { value: back, consumed } => {
                        prop_assert_eq!(&back, value);
                        start += consumed;
                        break;
                    }
                    Progress::NeedMore { at_least } => {
                        prop_assert!(at_least > end - start && start + at_least <= stream.len());
                        end = (end + pieces.next().unwrap()).min(stream.len());
                    }
                }
            }
        }
        prop_assert_eq!(start, stream.len());
    }

    #[test]
    fn damaged_streams(
        seed in any::<u64>(),
        changes in prop::collection::vec(any::<(u16, u8, u8)>(), 1..8),
    ) {
        let mut random = Random::new(seed);
        does_no_harm(&mutate(gob::to_vec(&sample::image(&mut random)), &changes));
        does_no_harm(&mutate(gob::to_vec(&Exotic::random(&mut random)), &changes));
        let recording = include_bytes!("data/add_image_request.gob").to_vec();
        does_no_harm(&mutate(recording, &changes));
    }

    #[test]
    fn noise(bytes in any::<Vec<u8>>()) {
        does_no_harm(&bytes);
    }
}
