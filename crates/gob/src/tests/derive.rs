//! What the derive macro makes of its attributes.

use std::collections::BTreeMap;

use super::convert;
use crate::{Gob, to_vec};

#[derive(Gob, Debug, Default, PartialEq)]
#[gob(name = "Renamed")]
struct Attributes {
    image_name: String,
    #[gob(name = "URL")]
    url: String,
    #[gob(skip)]
    local: u8,
    r#type: u64,
}

#[test]
fn names() {
    let value = Attributes {
        image_name: "a".into(),
        url: "b".into(),
        local: 7,
        r#type: 1,
    };
    let bytes = to_vec(&value);
    for name in ["Renamed", "ImageName", "URL", "Type"] {
        assert!(
            bytes.windows(name.len()).any(|window| window == name.as_bytes()),
            "{name}"
        );
    }
    assert!(
        !bytes
            .windows(5)
            .any(|window| window.eq_ignore_ascii_case(b"local"))
    );
    assert_eq!(convert(&value), Ok(Attributes { local: 0, ..value }));
}

#[derive(Gob, Debug, PartialEq)]
struct Unit;

#[test]
fn unit_structs_are_empty_structs() {
    assert_eq!(convert(&Unit), Ok(Unit));
    assert_eq!(convert(&Attributes::default()), Ok(Unit));
}

/// Keeps its pairs sorted, the last of two equal keys winning.
#[derive(Gob, Debug, Default, PartialEq)]
#[gob(map)]
struct Table(Vec<(u64, String)>);

impl From<Vec<(u64, String)>> for Table {
    fn from(mut pairs: Vec<(u64, String)>) -> Self {
        pairs.sort_by_key(|(key, _)| *key);
        Self(pairs)
    }
}

#[derive(Gob, Debug, PartialEq)]
struct AsTable {
    table: Table,
}

#[derive(Gob, Debug, PartialEq)]
struct AsMap {
    table: Option<BTreeMap<u64, String>>,
}

#[test]
fn lists_of_pairs_are_maps() {
    let unsorted = AsTable {
        table: Table(vec![(300, "b".into()), (1, String::new())]),
    };
    let map = AsMap {
        table: Some([(1, String::new()), (300, "b".into())].into()),
    };
    assert_eq!(convert(&unsorted), Ok(map));
    let sorted = AsTable {
        table: Table(vec![(1, String::new()), (300, "b".into())]),
    };
    assert_eq!(convert(&unsorted), Ok(sorted));
    assert_eq!(
        convert(&AsTable {
            table: Table::default()
        }),
        Ok(AsMap { table: None })
    );
    assert_eq!(
        convert(&AsMap {
            table: Some(BTreeMap::new())
        }),
        Ok(AsTable {
            table: Table::default()
        })
    );
}

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(transparent, name = "Word")]
struct Word(String);

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(transparent, name = "Words")]
struct Words {
    list: Vec<Word>,
}

/// A type that is nothing but a list of itself.
#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(transparent)]
struct Forest(Vec<Forest>);

#[test]
fn newtypes_are_what_they_hold() {
    let words = Words {
        list: vec![Word("a".into()), Word(String::new())],
    };
    assert_eq!(convert(&words), Ok(vec!["a".to_owned(), String::new()]));
    assert_eq!(convert(&words), Ok(words));
    let forest = Forest(vec![Forest(vec![]), Forest(vec![Forest(vec![])])]);
    assert_eq!(convert(&forest), Ok(forest));
}
