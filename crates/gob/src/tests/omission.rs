//! What is left out and what is not (gob.md §4).

use std::collections::{BTreeMap, HashMap};

use bstr::BString;

use super::convert;
use crate::{Duration, Encoder, Gob, Time, Zone};

#[derive(Gob, Debug, PartialEq)]
struct Everything {
    flag: bool,
    int: i32,
    uint: u8,
    float: f64,
    text: String,
    raw: BString,
    bytes: Vec<u8>,
    list: Vec<u64>,
    map: HashMap<String, String>,
    tree: BTreeMap<u64, u64>,
    time: Time,
    span: Duration,
    pointer: Option<u64>,
    maybe_map: Option<BTreeMap<u64, u64>>,
    boxed: Box<u64>,
}

/// The value's message, without the definitions.
fn last_message<T: Gob>(value: &T) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode(value, &mut out);
    out.clear();
    encoder.encode(value, &mut out);
    out
}

#[test]
fn zeros_are_left_out() {
    let zero = Everything::absent().unwrap();
    assert_eq!(last_message(&zero), [3, 0xff, 0x80, 0]);
    assert_eq!(convert::<_, Everything>(&zero), Ok(zero));
}

#[test]
fn a_zero_time_is_left_out_in_any_zone() {
    let local = Everything {
        time: Time::ZERO.with_zone(Zone::Offset(0)),
        ..Everything::absent().unwrap()
    };
    assert_eq!(last_message(&local), [3, 0xff, 0x80, 0]);
}

#[test]
fn pointers_to_zeros_are_sent() {
    let zeros = Everything {
        pointer: Some(0),
        maybe_map: Some(BTreeMap::new()),
        ..Everything::absent().unwrap()
    };
    assert_eq!(last_message(&zeros), [7, 0xff, 0x80, 13, 0, 1, 0, 0]);
    assert_eq!(convert::<_, Everything>(&zeros), Ok(zeros));
}

#[test]
fn structs_and_arrays_are_always_sent() {
    #[derive(Gob, Debug, PartialEq)]
    struct Empty {}
    #[derive(Gob, Debug, PartialEq)]
    struct Always {
        empty: Empty,
        inner: Box<Everything>,
        hash: [u8; 3],
        words: [u64; 2],
        maybe: Option<Box<Empty>>,
    }
    let zero = Always::absent().unwrap();
    assert_eq!(
        last_message(&zero),
        [16, 0xff, 0x80, 1, 0, 1, 0, 1, 3, 0, 0, 0, 1, 2, 0, 0, 0]
    );
    assert_eq!(convert::<_, Always>(&zero), Ok(zero));
    let some = Always {
        maybe: Some(Box::new(Empty {})),
        ..Always::absent().unwrap()
    };
    assert_eq!(convert::<_, Always>(&some), Ok(some));
}

#[test]
fn elements_are_sent_even_when_zero() {
    assert_eq!(convert::<_, Vec<u64>>(&vec![0_u64, 0]), Ok(vec![0, 0]));
    let times = vec![Time::ZERO; 2];
    assert_eq!(convert::<_, Vec<Time>>(&times), Ok(times));
    // There is no nil in a list: Go would refuse to send it.
    assert_eq!(convert::<_, Vec<u64>>(&vec![None, Some(3_u64)]), Ok(vec![0, 3]));
}
