//! Each limit holds.

use super::message;
use crate::{Decoder, Encoder, Error, Gob, Limits, from_slice, to_vec};

#[derive(Gob, Debug, Default, PartialEq)]
struct Node {
    next: Option<Box<Node>>,
    other: Vec<Node>,
}

fn chain(len: usize) -> Node {
    (1..len).fold(Node::default(), |node, _| Node {
        next: Some(Box::new(node)),
        other: Vec::new(),
    })
}

fn exceeds<T>(result: Result<T, Error>, counted: &str) -> bool {
    matches!(result, Err(Error::TooLarge { what, .. }) if what.contains(counted))
}

#[test]
fn depth() {
    let limits = Limits {
        max_depth: 10,
        ..Limits::default()
    };
    assert!(from_slice::<Node>(&to_vec(&chain(10)), limits.clone()).is_ok());
    let deeper = to_vec(&chain(11));
    assert!(exceeds(from_slice::<Node>(&deeper, limits.clone()), "nesting"));
    assert!(exceeds(Decoder::new(limits).skip_value(&deeper), "nesting"));
    assert!(exceeds(
        from_slice::<Node>(&to_vec(&chain(5000)), Limits::default()),
        "nesting"
    ));
}

/// A chain of types each holding the next, all fitting one local type.
#[test]
fn depth_of_types() {
    let limits = Limits {
        max_depth: 10,
        ..Limits::default()
    };
    let mut input = Vec::new();
    for id in 64..100_u8 {
        let (this, next) = (id * 2, (id + 1) * 2);
        input.extend(message(&[
            &[0xff, this - 1, 3, 1, 2, 0xff, this, 0, 1, 1],
            b"\x01\x04Next\x01",
            &[0xff, next, 0, 0, 0],
        ]));
    }
    input.extend(message(&[b"\xff\x80\0"]));
    assert!(exceeds(from_slice::<Node>(&input, limits), "nesting of types"));
}

#[test]
fn message_length() {
    let limits = Limits {
        max_message_bytes: 100,
        ..Limits::default()
    };
    assert!(from_slice::<Vec<u8>>(&to_vec(&vec![0_u8; 90]), limits.clone()).is_ok());
    assert!(exceeds(
        from_slice::<Vec<u8>>(&to_vec(&vec![0_u8; 100]), limits.clone()),
        "message"
    ));
    // It is the announcement that is refused.
    assert!(exceeds(
        from_slice::<Vec<u8>>(&[0xfb, 1, 0, 0, 0, 0], limits),
        "message"
    ));
}

#[test]
fn memory() {
    #[derive(Gob, Debug, Clone)]
    struct Big {
        room: [u64; 64],
    }
    #[derive(Gob)]
    struct Small {}
    let limits = Limits {
        max_value_bytes: 100_000,
        ..Limits::default()
    };
    // Each costs one byte of input, and 512 of memory.
    let bytes = to_vec(&(0..1000).map(|_| Small {}).collect::<Vec<_>>());
    assert!(exceeds(
        from_slice::<Vec<Big>>(&bytes, limits.clone()),
        "decoded value"
    ));
    assert!(from_slice::<Vec<Big>>(&bytes, Limits::default()).is_ok());
    let text = to_vec(&"x".repeat(90_000));
    assert!(from_slice::<String>(&text, limits.clone()).is_ok());
    let texts = to_vec(&vec!["x".repeat(40_000); 2]);
    assert!(
        from_slice::<Vec<String>>(
            &texts,
            Limits {
                max_value_bytes: 80_010,
                ..limits.clone()
            }
        )
        .is_err()
    );
}

#[test]
fn types() {
    let limits = Limits {
        max_types: 1,
        ..Limits::default()
    };
    assert!(exceeds(
        from_slice::<Node>(&to_vec(&chain(1)), limits),
        "type definitions"
    ));
}

#[test]
fn continuations() {
    #[derive(Gob, Debug)]
    #[gob(interface)]
    enum Thing {
        #[gob(name = "T")]
        T(u64),
    }
    // The value goes on in a new message after each name, though no type needed to be defined.
    let mut input = message(&[b"\x7f\x02\x01\x02\xff\x80\0\x01\x10\0\0"]);
    input.extend(message(&[b"\xff\x80\0\x03\x01T"]));
    input.extend(message(&[b"\x06\x02\0\x01\x01T"]));
    input.extend(message(&[b"\x06\x02\0\x02\x01T"]));
    input.extend(message(&[b"\x06\x02\0\x03"]));
    let limits = |max_continuations| Limits {
        max_continuations,
        ..Limits::default()
    };
    assert_eq!(from_slice::<Vec<Thing>>(&input, limits(3)).unwrap().0.len(), 3);
    assert!(exceeds(from_slice::<Vec<Thing>>(&input, limits(2)), "messages"));
}

#[test]
fn definitions_are_sent_once() {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode(&chain(1), &mut out);
    let first = out.len();
    encoder.encode(&chain(1), &mut out);
    assert_eq!(out[first..], [3, 0xff, 0x80, 0]);
}
