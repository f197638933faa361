//! Every kind of type and value, byte by byte (gob.md §2, §3.1, §3.2).

use std::collections::BTreeMap;

use super::{decode, message};
use crate::{Gob, Time, Zone, to_vec};

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(interface)]
enum Thing {
    #[gob(name = "T")]
    T(u64),
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct Basic {
    flag: bool,
    int: i64,
    uint: u64,
    float: f64,
    bytes: Vec<u8>,
    text: String,
    thing: Option<Thing>,
}

#[test]
fn every_basic_kind_has_its_type_id_and_its_bytes() {
    let definition: &[u8] = b"\x7f\x03\x01\x01\x05Basic\x01\xff\x80\0\x01\x07\
        \x01\x04Flag\x01\x02\0\
        \x01\x03Int\x01\x04\0\
        \x01\x04Uint\x01\x06\0\
        \x01\x05Float\x01\x08\0\
        \x01\x05Bytes\x01\x0a\0\
        \x01\x04Text\x01\x0c\0\
        \x01\x05Thing\x01\x10\0\
        \0\0";
    for (value, bytes) in [
        (
            Basic {
                flag: true,
                int: -129,
                uint: 256,
                float: 17.0,
                bytes: vec![1, 0xff],
                text: "é".into(),
                thing: Some(Thing::T(3)),
            },
            &b"\xff\x80\x01\x01\x01\xfe\x01\x01\x01\xfe\x01\0\x01\xfe\x31\x40\x01\x02\x01\xff\x01\x02\xc3\xa9\
               \x01\x01T\x06\x02\0\x03\0"[..],
        ),
        (
            Basic {
                flag: false,
                int: 64,
                uint: 127,
                float: -0.5,
                bytes: vec![],
                text: String::new(),
                thing: None,
            },
            b"\xff\x80\x02\xff\x80\x01\x7f\x01\xfe\xe0\xbf\0",
        ),
    ] {
        let stream = [message(&[definition]), message(&[bytes])].concat();
        assert_eq!(to_vec(&value), stream);
        assert_eq!(decode(&stream), Ok(value));
    }
}

#[derive(Gob, Debug, PartialEq)]
struct Inner {
    a: bool,
}

#[derive(Gob, Debug, PartialEq)]
struct Composite {
    array: [u8; 2],
    list: Vec<u64>,
    map: BTreeMap<String, u64>,
    nested: Inner,
    time: Time,
}

const COMPOSITE_VALUE: &[u8] = b"\x01\x02\x01\xff\xc8\
    \x01\x02\0\xfe\x01\x2c\
    \x01\x01\x01k\0\
    \x01\x01\x01\0\
    \x01\x0f\x01\0\0\0\x0e\xdc\xe5\xe8\0\x07\x5b\xcd\x15\xff\xff";

fn composite() -> Composite {
    Composite {
        array: [1, 200],
        list: vec![0, 300],
        map: [("k".to_owned(), 0)].into(),
        nested: Inner { a: true },
        time: Time::new(1_700_000_000, 123_456_789, Zone::Utc),
    }
}

#[test]
fn composite_values_are_their_parts_in_order() {
    let value = message(&[b"\xff\x80", COMPOSITE_VALUE, b"\0"]);
    assert!(to_vec(&composite()).ends_with(&value));
}

/// All seven kinds of definitions, with the least they can say; the last two, and complex numbers, are for peers to
/// come: they are passed over.
#[test]
fn every_kind_of_definition_is_understood() {
    let fields: &[u8] = b"\x7f\x03\x01\x02\xff\x80\0\x01\x08\
        \x01\x05Array\x01\xff\x82\0\
        \x01\x04List\x01\xff\x84\0\
        \x01\x03Map\x01\xff\x86\0\
        \x01\x06Nested\x01\xff\x88\0\
        \x01\x04Time\x01\xff\x8a\0\
        \x01\x06Binary\x01\xff\x8c\0\
        \x01\x04Text\x01\xff\x8e\0\
        \x01\x07Complex\x01\x0e\0\
        \0\0";
    let stream = [
        message(&[fields]),
        message(&[b"\xff\x81\x01\x01\x02\xff\x82\0\x01\x06\x01\x04\0\0"]),
        message(&[b"\xff\x83\x02\x01\x02\xff\x84\0\x01\x06\0\0"]),
        message(&[b"\xff\x85\x04\x01\x02\xff\x86\0\x01\x0c\x01\x06\0\0"]),
        message(&[b"\xff\x87\x03\x01\x02\xff\x88\0\x01\x01\x01\x01A\x01\x02\0\0\0"]),
        message(&[b"\xff\x89\x05\x01\x02\xff\x8a\0\0\0"]),
        message(&[b"\xff\x8b\x06\x01\x02\xff\x8c\0\0\0"]),
        message(&[b"\xff\x8d\x07\x01\x02\xff\x8e\0\0\0"]),
        message(&[
            b"\xff\x80",
            COMPOSITE_VALUE,
            b"\x01\x02\x07\x08\x01\x01x\x01\xfe\x31\x40\0\0",
        ]),
    ]
    .concat();
    assert_eq!(decode(&stream), Ok(composite()));
    let skipped = crate::Decoder::new(crate::Limits::default()).skip_value(&stream);
    let consumed = stream.len();
    assert_eq!(skipped, Ok(crate::Progress::Value { value: (), consumed }));
}
