//! Values that go on in further messages (gob.md §5.2), as Go's encoder makes them.

use super::message;
use crate::{Decoder, Error, Gob, Limits, Progress};

#[derive(Gob, Clone, Debug, PartialEq)]
struct Holder {
    things: Vec<Thing>,
    last: u64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(interface)]
enum Thing {
    #[gob(name = "a.A")]
    A(A),
    #[gob(name = "a.B")]
    B(B),
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct A {
    value: u64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct B {
    list: Vec<u64>,
    thing: Option<Box<Thing>>,
}

const HOLDER: &[u8] =
    b"\x7f\x03\x01\x02\xff\x80\0\x01\x02\x01\x06Things\x01\xff\x82\0\x01\x04Last\x01\x06\0\0\0";
const THINGS: &[u8] = b"\xff\x81\x02\x01\x02\xff\x82\0\x01\x10\0\0";
const DEFINE_A: &[u8] = b"\xff\x83\x03\x01\x02\xff\x84\0\x01\x01\x01\x05Value\x01\x06\0\0\0";
const DEFINE_B: &[u8] =
    b"\xff\x85\x03\x01\x02\xff\x86\0\x01\x02\x01\x04List\x01\xff\x88\0\x01\x05Thing\x01\x10\0\0\0";
const DEFINE_LIST: &[u8] = b"\xff\x87\x02\x01\x02\xff\x88\0\x01\x06\0\0";

/// Holder { things: [A, A, B, A], last: 9 }, with two definitions inside and one more between the parts.
fn stream() -> Vec<u8> {
    [
        message(&[HOLDER]),
        message(&[THINGS]),
        message(&[b"\xff\x80\x01\x04\x03a.A", DEFINE_A]),
        message(&[
            b"\xff\x84\x03\x01\x05\0",
            b"\x03a.A\xff\x84\x03\x01\x06\0",
            b"\x03a.B",
            DEFINE_B,
        ]),
        message(&[DEFINE_LIST]),
        message(&[
            b"\xff\x86\x05\x01\x02\x07\x08\0",
            b"\x03a.A\xff\x84\x01\0",
            b"\x01\x09\0",
        ]),
    ]
    .concat()
}

fn value() -> Holder {
    let a = |value| Thing::A(A { value });
    Holder {
        things: vec![
            a(5),
            a(6),
            Thing::B(B {
                list: vec![7, 8],
                thing: None,
            }),
            a(0),
        ],
        last: 9,
    }
}

#[test]
fn in_one_piece_with_more_behind() {
    let mut input = stream();
    let consumed = input.len();
    let again = message(&[b"\xff\x80\x02\x01\0"]);
    input.extend_from_slice(&again);
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(
        decoder.decode(&input),
        Ok(Progress::Value {
            value: value(),
            consumed
        })
    );
    // Types defined inside the first value hold for the second.
    let second = Holder {
        things: Vec::new(),
        last: 1,
    };
    assert_eq!(
        decoder.decode(&input[consumed..]),
        Ok(Progress::Value {
            value: second,
            consumed: again.len()
        })
    );
}

#[test]
fn byte_by_byte() {
    let input = stream();
    let mut decoder = Decoder::new(Limits::default());
    for len in 0..input.len() {
        let Ok(Progress::NeedMore { at_least }) = decoder.decode::<Holder>(&input[..len]) else {
            panic!("{len} bytes are not enough");
        };
        assert!(at_least > len && at_least <= input.len());
    }
    assert_eq!(
        decoder.decode(&input),
        Ok(Progress::Value {
            value: value(),
            consumed: input.len()
        })
    );
}

#[test]
fn skipped() {
    let input = stream();
    let mut decoder = Decoder::new(Limits::default());
    for len in 0..input.len() {
        assert!(matches!(
            decoder.skip_value(&input[..len]),
            Ok(Progress::NeedMore { .. })
        ));
    }
    assert_eq!(
        decoder.skip_value(&input),
        Ok(Progress::Value {
            value: (),
            consumed: input.len()
        })
    );
    // What was skipped has defined its types all the same.
    let more = message(&[b"\xff\x84\x01\x03\0"]);
    assert_eq!(
        decoder.decode(&more),
        Ok(Progress::Value {
            value: A { value: 3 },
            consumed: more.len()
        })
    );
}

/// A definition inside an interface's value inside another's: the rest of the message is then delimited by a count.
#[test]
fn nested() {
    let input = [
        message(&[HOLDER]),
        message(&[THINGS]),
        message(&[b"\xff\x80\x01\x01\x03a.B", DEFINE_B]),
        message(&[DEFINE_LIST]),
        message(&[
            b"\xff\x86",
            &message(&[b"\x02\x03a.A", DEFINE_A]),
            &message(&[b"\xff\x84", &message(&[b"\x01\x05\0"]), b"\0"]),
            b"\0",
        ]),
    ]
    .concat();
    let inner = Thing::A(A { value: 5 });
    let value = Holder {
        things: vec![Thing::B(B {
            list: vec![],
            thing: Some(Box::new(inner)),
        })],
        last: 0,
    };
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(
        decoder.decode(&input),
        Ok(Progress::Value {
            value,
            consumed: input.len()
        })
    );
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(
        decoder.skip_value(&input),
        Ok(Progress::Value {
            value: (),
            consumed: input.len()
        })
    );
}

#[test]
fn a_second_definition_is_an_error() {
    let mut input = [message(&[HOLDER]), message(&[HOLDER])].concat();
    let error = Decoder::new(Limits::default())
        .decode::<Holder>(&input)
        .unwrap_err();
    assert_eq!(error.to_string(), "gob: duplicate type received");
    input = [
        message(&[HOLDER]),
        message(&[THINGS]),
        message(&[DEFINE_A]),
        message(&[b"\xff\x80\x01\x04\x03a.A", DEFINE_A]),
    ]
    .concat();
    assert!(matches!(
        Decoder::new(Limits::default()).decode::<Holder>(&input),
        Err(Error::DuplicateType { .. })
    ));
}

#[test]
fn a_failure_says_where_the_next_message_starts() {
    let mut input = message(&[HOLDER]);
    input.extend(message(&[b"\xff\x90\0"]));
    let end = input.len();
    input.extend_from_slice(b"Next.Call\n");
    let mut decoder = Decoder::new(Limits::default());
    assert!(decoder.decode::<Holder>(&input).is_err());
    assert_eq!(decoder.consumed_by_failure(), end);
}

#[test]
fn a_failure_is_the_same_however_the_bytes_arrive() {
    // Where the value goes on there is no message.
    let whole_messages = [stream_start(), message(&[b"\xff\x80\x01\x04\x03a.A", DEFINE_A])].concat();
    let input = [whole_messages.as_slice(), b"\x80"].concat();
    let mut whole = Decoder::new(Limits::default());
    assert_eq!(whole.decode::<Holder>(&input), Err(Error::BadNumber));
    let mut decoder = Decoder::new(Limits::default());
    for end in 0..input.len() {
        let progress = decoder.decode::<Holder>(&input[..end]);
        assert!(matches!(progress, Ok(Progress::NeedMore { .. })), "{end}");
    }
    assert_eq!(decoder.decode::<Holder>(&input), Err(Error::BadNumber));
    assert_eq!(decoder.consumed_by_failure(), whole.consumed_by_failure());
    assert_eq!(decoder.consumed_by_failure(), whole_messages.len());
}

/// The definitions in front of a stream of [`Holder`].
fn stream_start() -> Vec<u8> {
    [message(&[HOLDER]), message(&[THINGS])].concat()
}
