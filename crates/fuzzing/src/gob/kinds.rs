//! What the messages lack: the other kinds of values, and types inside themselves.

use std::collections::BTreeMap;

use bstr::BString;
use gob::{Duration, Gob, Time, Zone};

#[derive(Gob)]
pub(super) struct Kinds {
    flag: bool,
    tiny: i8,
    short: i16,
    word: u16,
    long: i64,
    double: f64,
    single: f32,
    text: BString,
    span: Duration,
    grid: [[u8; 3]; 2],
    triple: [i32; 3],
    lists: Vec<Vec<u64>>,
    blobs: Vec<Vec<u8>>,
    times: Vec<Time>,
    empties: Vec<Empty>,
    nested: BTreeMap<i16, BTreeMap<String, u8>>,
    maybe_map: Option<BTreeMap<u64, String>>,
    pointer: Option<u64>,
    shape: Option<Shape>,
    shapes: Vec<Option<Shape>>,
    named_shapes: BTreeMap<String, Shape>,
    node: Option<Box<Node>>,
}

#[derive(Gob)]
struct Empty {}

#[derive(Gob)]
struct Node {
    value: u64,
    next: Option<Box<Node>>,
    children: Vec<Node>,
}

#[derive(Gob)]
#[gob(interface)]
enum Shape {
    #[gob(name = "shape.Point")]
    Point(Point),
    #[gob(name = "shape.Count")]
    Count(u64),
    #[gob(name = "*shape.Group")]
    Group(Group),
    #[gob(name = "shape.At")]
    At(Time),
}

#[derive(Gob)]
struct Point {
    x: i64,
    y: i64,
}

#[derive(Gob)]
struct Group {
    name: String,
    members: Vec<Option<Shape>>,
    first: Option<Box<Shape>>,
}

impl Kinds {
    /// With something in every field.
    pub(super) fn sample() -> Self {
        let time = Time::new(1_700_000_000, 123, Zone::Offset(3600));
        let group = || {
            Shape::Group(Group {
                name: "g".into(),
                members: vec![Some(Shape::Count(7)), None],
                first: Some(Box::new(Shape::At(time))),
            })
        };
        let leaf = Node {
            value: 1,
            next: None,
            children: Vec::new(),
        };
        Self {
            flag: true,
            tiny: -1,
            short: 300,
            word: 65_535,
            long: i64::MIN,
            double: 1.5,
            single: -0.25,
            text: b"\xfftext".into(),
            span: Duration(5),
            grid: [[1, 2, 200], [0, 0, 1]],
            triple: [-1, 0, 1],
            lists: vec![vec![1, 2], vec![]],
            blobs: vec![b"ab".to_vec()],
            times: vec![time],
            empties: vec![Empty {}],
            nested: [(-1, [("k".to_owned(), 9)].into())].into(),
            maybe_map: Some([(1, "v".to_owned())].into()),
            pointer: Some(0),
            shape: Some(Shape::Point(Point { x: 1, y: -2 })),
            shapes: vec![None, Some(group())],
            named_shapes: [("n".to_owned(), group())].into(),
            node: Some(Box::new(Node {
                value: 2,
                next: Some(Box::new(leaf)),
                children: Vec::new(),
            })),
        }
    }
}
