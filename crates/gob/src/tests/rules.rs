//! How fields find each other, and what fits what (gob.md §4).

use std::collections::BTreeMap;

use bstr::BString;

use super::{convert, decode};
use crate::{Error, Gob, Time, to_vec};

#[derive(Gob, Debug, PartialEq)]
struct Sent {
    name: String,
    count: u64,
    nested: Inner,
    list: Vec<Inner>,
    map: BTreeMap<String, Inner>,
    time: Time,
    hash: [u8; 4],
    level: i64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct Inner {
    a: u64,
    b: Vec<String>,
}

fn sent() -> Sent {
    let inner = Inner {
        a: 300,
        b: vec!["x".into(), "y".into()],
    };
    Sent {
        name: "name".into(),
        count: 7,
        nested: inner.clone(),
        list: vec![inner.clone(), inner.clone()],
        map: [("k".to_owned(), inner)].into(),
        time: Time::now(),
        hash: [1, 200, 3, 255],
        level: -5,
    }
}

#[test]
fn fields_match_by_name_and_others_are_skipped() {
    #[derive(Gob, Debug, PartialEq)]
    struct Received {
        level: i8,
        other: String,
        name: BString,
    }
    let want = Received {
        level: -5,
        other: String::new(),
        name: "name".into(),
    };
    assert_eq!(convert(&sent()), Ok(want));
}

#[test]
fn nothing_in_common() {
    #[derive(Gob, Debug, PartialEq)]
    #[gob(name = "Stranger")]
    struct Other {
        different: String,
    }
    #[derive(Gob, Debug, PartialEq)]
    struct Empty {}
    #[derive(Gob, Debug, PartialEq)]
    struct Holder {
        inner: Other,
    }
    #[derive(Gob)]
    struct Sender {
        inner: Inner,
    }
    let error = convert::<_, Other>(&sent()).unwrap_err();
    assert_eq!(error, Error::NoFieldsMatched { local: "Stranger" });
    assert_eq!(
        error.to_string(),
        "gob: type mismatch: no fields matched compiling decoder for Stranger"
    );
    assert_eq!(convert(&sent()), Ok(Empty {}));
    assert_eq!(
        convert(&Empty {}),
        Ok(Other {
            different: String::new()
        })
    );
    // Go asks this of whole values only.
    let inner = Inner { a: 1, b: Vec::new() };
    assert_eq!(
        convert(&Sender { inner }),
        Ok(Holder {
            inner: Other {
                different: String::new()
            }
        })
    );
}

macro_rules! one_field {
    ($name:ident, $type:ty) => {
        #[derive(Gob, Debug, PartialEq)]
        struct $name {
            value: $type,
        }
    };
}

one_field!(Uint, u64);
one_field!(Uint8, u8);
one_field!(Int, i64);
one_field!(Int8, i8);
one_field!(Float, f64);
one_field!(Float32, f32);
one_field!(Text, String);
one_field!(Raw, BString);
one_field!(Bytes, Vec<u8>);
one_field!(Three, [u8; 3]);
one_field!(Four, [u8; 4]);
one_field!(Words, [u16; 3]);
one_field!(Pointer, Option<Box<u64>>);
one_field!(Clock, Time);
one_field!(Nested, Inner);

#[test]
fn kinds_must_agree() {
    let wrong = |error: Error| matches!(error, Error::WrongField { field, .. } if field.ends_with(".Value"));
    assert!(wrong(convert::<_, Int>(&Uint { value: 1 }).unwrap_err()));
    assert!(wrong(convert::<_, Uint>(&Int { value: 1 }).unwrap_err()));
    assert!(wrong(convert::<_, Float>(&Int { value: 1 }).unwrap_err()));
    assert!(wrong(
        convert::<_, Bytes>(&Text { value: "x".into() }).unwrap_err()
    ));
    assert!(wrong(convert::<_, Text>(&Bytes { value: vec![1] }).unwrap_err()));
    assert!(wrong(convert::<_, Bytes>(&Three { value: [0; 3] }).unwrap_err()));
    assert!(wrong(convert::<_, Four>(&Three { value: [0; 3] }).unwrap_err()));
    assert!(wrong(convert::<_, Clock>(&Bytes { value: vec![1] }).unwrap_err()));
    assert!(wrong(
        convert::<_, Clock>(&Nested {
            value: Inner { a: 0, b: vec![] }
        })
        .unwrap_err()
    ));
    let error = convert::<_, Nested>(&Clock { value: Time::now() }).unwrap_err();
    assert_eq!(error, Error::NotAStruct { local: "Inner" });
    let error = convert::<_, u64>(&String::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gob: decoding into local type u64, received remote type string"
    );
}

#[test]
fn widths_and_pointers_need_not_agree() {
    assert_eq!(convert(&Uint { value: 255 }), Ok(Uint8 { value: 255 }));
    assert_eq!(convert(&Int { value: -128 }), Ok(Int8 { value: -128 }));
    assert_eq!(
        convert(&Three { value: [1, 128, 255] }),
        Ok(Words { value: [1, 128, 255] })
    );
    assert_eq!(
        convert(&Uint { value: 9 }),
        Ok(Pointer {
            value: Some(Box::new(9))
        })
    );
    assert_eq!(
        convert(&Pointer {
            value: Some(Box::new(9))
        }),
        Ok(Uint { value: 9 })
    );
    assert_eq!(convert(&Float { value: 0.5 }), Ok(Float32 { value: 0.5 }));
    assert_eq!(
        convert(&Float { value: f64::INFINITY }),
        Ok(Float32 { value: f32::INFINITY })
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let text = |error: Error| error.to_string();
    let error = convert::<_, Uint8>(&Uint { value: 256 }).unwrap_err();
    assert_eq!(text(error), "gob: field Uint8.Value: value out of range");
    let error = convert::<_, Int8>(&Int { value: 128 }).unwrap_err();
    assert_eq!(text(error), "gob: field Int8.Value: value out of range");
    let error = convert::<_, Three>(&Words { value: [1, 256, 1] }).unwrap_err();
    assert_eq!(text(error), "gob: field Three.Value: value out of range");
    let error = convert::<_, Float32>(&Float { value: 1e300 }).unwrap_err();
    assert_eq!(text(error), "gob: field Float32.Value: value out of range");
}

#[test]
fn strings_may_be_any_bytes_and_keep_them_where_text_is_wanted() {
    #[derive(Gob, Debug, PartialEq)]
    struct RawList {
        list: Vec<Raw>,
    }
    #[derive(Gob, Debug)]
    struct TextList {
        list: Vec<Text>,
    }
    let raw = Raw {
        value: b"\xff\xfe\0\n".as_slice().into(),
    };
    assert_eq!(convert::<_, Raw>(&raw).as_ref(), Ok(&raw));
    let raw = RawList { list: vec![raw] };
    let text: TextList = convert(&raw).unwrap();
    assert_eq!(text.list[0].value, "\u{10feff}\u{10fefe}\0\n");
    assert_eq!(convert::<_, RawList>(&text).as_ref(), Ok(&raw));
}

#[test]
fn text_that_is_no_gob() {
    let error = decode::<Text>(b"\x03\x50\x00\x00").unwrap_err();
    assert_eq!(error.to_string(), "gob: unknown type id or corrupted data");
    // Value of a basic type where a struct is wanted.
    let error = decode::<Text>(&to_vec(&5_u64)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gob: type mismatch in decoder: want struct type Text; got non-struct"
    );
}
