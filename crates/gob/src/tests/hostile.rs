//! Bytes that nobody honest sends.

use std::collections::{BTreeMap, HashMap};

use super::{decode, message};
use crate::{Decoder, Error, Gob, Limits, to_vec};

#[derive(Gob, Debug, PartialEq)]
struct Empty {}

const HUGE: &[u8] = b"\xf8\x10\0\0\0\0\0\0\0";

/// A definition and a value of type 64.
fn typed(definition: &[u8], value: &[&[u8]]) -> Vec<u8> {
    let value: Vec<&[u8]> = [&b"\xff\x80\0"[..]]
        .into_iter()
        .chain(value.iter().copied())
        .collect();
    [message(&[b"\x7f", definition]), message(&value)].concat()
}

const SLICE_OF_UINT: &[u8] = b"\x02\x01\x02\xff\x80\0\x01\x06\0\0";
const SLICE_OF_STRUCT: &[u8] = b"\x02\x01\x02\xff\x80\0\x01\xff\x82\0\0";
const EMPTY_STRUCT: &[u8] = b"\xff\x81\x03\x01\x02\xff\x82\0\0\0";
const MAP_OF_UINT: &[u8] = b"\x04\x01\x02\xff\x80\0\x01\x06\x01\x06\0\0";

fn fails<T: Gob>(input: &[u8]) {
    assert_eq!(decode::<T>(input).err(), Some(Error::UnexpectedEnd));
    assert!(Decoder::new(Limits::default()).skip_value(input).is_err());
}

#[test]
fn counts_that_lie() {
    fails::<Vec<u64>>(&typed(SLICE_OF_UINT, &[HUGE, b"\x01\x02"]));
    fails::<HashMap<u64, u64>>(&typed(MAP_OF_UINT, &[HUGE, b"\x01\x02"]));
    fails::<BTreeMap<u64, u64>>(&typed(MAP_OF_UINT, &[HUGE, b"\x01\x02"]));
    fails::<Vec<u8>>(&message(&[b"\x0a\0", HUGE, b"abc"]));
    fails::<String>(&message(&[b"\x0c\0", HUGE, b"abc"]));
}

/// Elements without fields take no memory, but one byte of input each all the same.
#[test]
fn counts_of_nothing_that_lie() {
    let mut input = message(&[b"\x7f", SLICE_OF_STRUCT]);
    input.extend(message(&[EMPTY_STRUCT]));
    let mut honest = input.clone();
    honest.extend(message(&[b"\xff\x80\0\x03\0\0\0"]));
    assert_eq!(decode(&honest), Ok(vec![Empty {}, Empty {}, Empty {}]));
    input.extend(message(&[b"\xff\x80\0", HUGE, b"\0\0\0"]));
    fails::<Vec<Empty>>(&input);
}

#[test]
fn arrays_of_another_length() {
    let array = b"\x01\x01\x02\xff\x80\0\x01\x06\x01\x06\0\0";
    let input = typed(array, &[b"\x02\x01\x02"]);
    assert_eq!(
        decode::<[u8; 3]>(&input),
        Err(Error::ArrayLength { got: 2, want: 3 })
    );
    assert_eq!(
        decode::<[u64; 3]>(&input),
        Err(Error::ArrayLength { got: 2, want: 3 })
    );
    assert!(Decoder::new(Limits::default()).skip_value(&input).is_err());
    // A definition may claim any length.
    let array = b"\x01\x01\x02\xff\x80\0\x01\x06\x01\xf8\x20\0\0\0\0\0\0\0\0\0";
    fails_to_skip(&typed(array, &[HUGE, b"\x02"]));
    let negative = b"\x01\x01\x02\xff\x80\0\x01\x06\x01\x05\0\0";
    assert!(matches!(
        decode::<[u8; 3]>(&typed(negative, &[])),
        Err(Error::BadDefinition(_))
    ));
}

fn fails_to_skip(input: &[u8]) {
    assert!(Decoder::new(Limits::default()).skip_value(input).is_err());
}

#[test]
fn bad_definitions() {
    let bad = |definition: &[u8]| decode::<Empty>(&message(&[definition])).unwrap_err();
    assert!(matches!(bad(b"\x7f\0"), Error::BadDefinition("no kind of type")));
    assert!(matches!(
        bad(b"\x7f\x01\0\x01\0\0"),
        Error::BadDefinition("more than one kind of type")
    ));
    assert!(matches!(
        bad(b"\x7f\x03\x02\x01\0\0\0"),
        Error::BadDefinition("empty name for remote field")
    ));
    assert_eq!(bad(b"\x7f\x08\0"), Error::FieldNumber);
    assert_eq!(bad(b"\x7f\x03\x02\xf8\x10\0\0\0\0\0\0\0"), Error::UnexpectedEnd);
    assert_eq!(bad(b"\x7f"), Error::UnexpectedEnd);
    assert_eq!(bad(b"\x7f\x02\0\0\x01"), Error::ExtraData);
    assert!(matches!(bad(b"\x01\x02\0\0"), Error::DuplicateType { .. }));
    let least = b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x02\0\0";
    assert!(matches!(bad(least), Error::BadDefinition("type id out of range")));
    assert_eq!(decode::<Empty>(b"\0").unwrap_err(), Error::UnexpectedEnd);
}

#[test]
fn undefined_types_inside() {
    let mut input = message(&[b"\x7f", SLICE_OF_STRUCT]);
    input.extend(message(&[b"\xff\x80\0\x01\0"]));
    fails_to_skip(&input);
    assert!(matches!(
        decode::<Vec<Empty>>(&input),
        Err(Error::UnknownType { .. })
    ));
    // In a field that nobody wants, absent from the value.
    let mut input = message(&[b"\x7f\x03\x01\x02\xff\x80\0\x01\x01\x01\x01X\x01\xff\x90\0\0\0"]);
    input.extend(message(&[b"\xff\x80\0"]));
    assert!(matches!(decode::<Empty>(&input), Err(Error::UnknownType { .. })));
}

/// A type that is a list of itself, nested as deep as the message is long.
#[test]
fn endless_types() {
    let list_of_itself = b"\x02\x01\x02\xff\x80\0\x01\xff\x80\0\0";
    let input = typed(list_of_itself, &[&[1; 100_000]]);
    assert!(matches!(
        Decoder::new(Limits::default()).skip_value(&input),
        Err(Error::TooLarge {
            what: "nesting of values",
            ..
        })
    ));
    assert!(decode::<Vec<Vec<u64>>>(&input).is_err());
}

#[test]
fn field_numbers_out_of_bounds() {
    #[derive(Gob, Debug)]
    struct One {
        a: u64,
    }
    let definition = message(&[b"\x7f\x03\x01\x02\xff\x80\0\x01\x01\x01\x01A\x01\x06\0\0\0"]);
    for value in [
        &b"\x02\x01\0"[..],
        b"\x01\x01\x01\x01\0",
        HUGE,
        b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let input = [definition.clone(), message(&[b"\xff\x80", value])].concat();
        assert_eq!(decode::<One>(&input).unwrap_err(), Error::FieldNumber);
        assert_eq!(
            Decoder::new(Limits::default()).skip_value(&input),
            Err(Error::FieldNumber)
        );
    }
    let cut = [definition.clone(), message(&[b"\xff\x80\x01\x01"])].concat();
    assert_eq!(decode::<One>(&cut).unwrap_err(), Error::UnexpectedEnd);
    let more = [definition, message(&[b"\xff\x80\x01\x01\0\x07"])].concat();
    assert_eq!(decode::<One>(&more).unwrap_err(), Error::ExtraData);
}

#[test]
fn singletons_need_their_zero() {
    assert_eq!(decode::<u64>(b"\x03\x06\x01\x05"), Err(Error::Singleton));
    assert_eq!(decode::<u64>(b"\x03\x06\x00\x05"), Ok(5));
}

/// Names from the peer come back in errors: on one line, and not at any length.
#[test]
fn names_in_errors_are_tame() {
    #[derive(Gob)]
    #[gob(name = "Long\nname\u{1b}[31m")]
    struct Strange {
        value: u64,
    }
    #[derive(Gob, Debug)]
    struct Plain {
        value: String,
    }
    let bytes = to_vec(&Strange { value: 1 });
    let text = decode::<Plain>(&bytes).unwrap_err().to_string();
    assert_eq!(
        text,
        "gob: wrong type (string) for received field Long\\nname\\x1b[31m.Value"
    );
}
