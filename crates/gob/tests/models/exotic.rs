//! What the image types lack: every kind of value in every kind of place.

use std::collections::{BTreeMap, HashMap};

use bstr::BString;
use gob::{Duration, Gob, Time};

use super::Hash;
use super::sample::Random;

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Exotic {
    pub flag: bool,
    pub tiny: i8,
    pub short: i16,
    pub long: i64,
    pub word: u16,
    pub double: f64,
    pub single: f32,
    pub bytes: Vec<u8>,
    pub text: BString,
    pub span: Duration,
    pub grid: [[u8; 3]; 2],
    pub triple: [i32; 3],
    pub flags: [bool; 2],
    pub hashes: Vec<Hash>,
    pub lists: Vec<Vec<u64>>,
    pub blobs: Vec<Vec<u8>>,
    pub times: Vec<Time>,
    pub empties: Vec<Empty>,
    pub usage: BTreeMap<u64, u32>,
    pub attributes: HashMap<String, Vec<String>>,
    pub nested: BTreeMap<i16, BTreeMap<String, Hash>>,
    pub maybe_map: Option<BTreeMap<u64, String>>,
    pub pointer: Option<u64>,
    pub hash: Option<Hash>,
    pub empty: Option<Empty>,
    pub shape: Option<Shape>,
    pub shapes: Vec<Option<Shape>>,
    pub named_shapes: BTreeMap<String, Shape>,
    pub tree: Option<Box<Node>>,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Empty {}

/// A type that contains itself in three ways.
#[derive(Gob, Clone, Debug, PartialEq, Default)]
pub struct Node {
    pub value: u64,
    pub next: Option<Box<Node>>,
    pub children: Vec<Node>,
    pub named: BTreeMap<String, Node>,
}

/// Implementers that are structs and that are not, and one that holds the interface again.
#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(interface)]
pub enum Shape {
    #[gob(name = "shape.Point")]
    Point(Point),
    #[gob(name = "shape.Count")]
    Count(u64),
    #[gob(name = "shape.Label")]
    Label(String),
    #[gob(name = "shape.Path")]
    Path(Path),
    #[gob(name = "*shape.Group")]
    Group(Group),
    #[gob(name = "shape.At")]
    At(Time),
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Point {
    pub x: i64,
    pub y: i64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(transparent, name = "Path")]
pub struct Path(pub Vec<Point>);

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub members: Vec<Option<Shape>>,
    pub first: Option<Box<Shape>>,
}

impl Exotic {
    pub fn random(random: &mut Random) -> Self {
        Self {
            flag: random.flag(),
            tiny: random.number() as i8,
            short: random.number() as i16,
            long: random.number() as i64,
            word: random.number() as u16,
            double: random.number() as i64 as f64 / 7.0,
            single: random.number() as f32 / 7.0,
            bytes: random.bytes(),
            text: random.bytes().into(),
            span: Duration(random.number() as i64),
            grid: std::array::from_fn(|_| std::array::from_fn(|_| random.next() as u8)),
            triple: std::array::from_fn(|_| random.number() as i32),
            flags: std::array::from_fn(|_| random.flag()),
            hashes: random.list(Random::hash),
            lists: random.list(|random| random.list(Random::number)),
            blobs: random.list(Random::bytes),
            times: random.list(Random::time),
            empties: random.list(|_| Empty {}),
            usage: random
                .list(|random| (random.number(), random.number() as u32))
                .into_iter()
                .collect(),
            attributes: random
                .list(|random| (random.text(), random.list(Random::text)))
                .into_iter()
                .collect(),
            nested: random
                .list(|random| {
                    let inner = random.list(|random| (random.text(), random.hash()));
                    (random.number() as i16, inner.into_iter().collect())
                })
                .into_iter()
                .collect(),
            maybe_map: random.maybe(|random| random.list(|r| (r.number(), r.text())).into_iter().collect()),
            // Go does not send pointers to zero numbers.
            pointer: random.maybe(|random| random.number().max(1)),
            hash: random.maybe(Random::hash),
            empty: random.maybe(|_| Empty {}),
            shape: random.maybe(|random| shape(random, 3)),
            shapes: random.list(|random| random.maybe(|random| shape(random, 3))),
            named_shapes: random
                .list(|random| (random.text(), shape(random, 2)))
                .into_iter()
                .collect(),
            tree: random.maybe(|random| Box::new(node(random, 3))),
        }
    }
}

fn node(random: &mut Random, depth: u32) -> Node {
    let value = random.number();
    if depth == 0 {
        return Node {
            value,
            ..Node::default()
        };
    }
    Node {
        value,
        next: random.maybe(|random| Box::new(node(random, depth - 1))),
        children: random.list(|random| node(random, depth - 1)),
        named: random
            .list(|random| (random.text(), node(random, depth - 1)))
            .into_iter()
            .collect(),
    }
}

fn shape(random: &mut Random, depth: u32) -> Shape {
    let kinds = if depth == 0 { 5 } else { 6 };
    match random.below(kinds) {
        0 => Shape::Point(Point {
            x: random.number() as i64,
            y: random.number() as i64,
        }),
        1 => Shape::Count(random.number()),
        2 => Shape::Label(random.text()),
        3 => Shape::Path(Path(random.list(|random| Point {
            x: random.number() as i64,
            y: -(random.number() as i32 as i64),
        }))),
        4 => Shape::At(random.time()),
        _ => Shape::Group(Group {
            name: random.text(),
            members: random.list(|random| random.maybe(|random| shape(random, depth - 1))),
            first: random.maybe(|random| Box::new(shape(random, depth - 1))),
        }),
    }
}
