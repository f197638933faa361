//! Interface values (gob.md §5).

use std::collections::BTreeMap;

use super::{convert, decode, message};
use crate::{Error, Gob, Time, to_vec};

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(interface)]
enum Shape {
    #[gob(name = "shape.Circle")]
    Circle(Circle),
    #[gob(name = "shape.Name")]
    Name(String),
    #[gob(name = "*shape.Group")]
    Group(Box<Group>),
    #[gob(name = "shape.When")]
    When(Time),
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct Circle {
    radius: u64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct Group {
    members: Vec<Option<Shape>>,
    first: Option<Shape>,
    must: Shape,
}

#[derive(Gob, Clone, Debug, PartialEq)]
struct Drawing {
    shapes: BTreeMap<u64, Shape>,
    maybe: Option<Shape>,
    boxed: Option<Box<Shape>>,
}

#[test]
fn round_trip() {
    let group = Group {
        members: vec![
            None,
            Some(Shape::Circle(Circle { radius: 0 })),
            Some(Shape::Name(String::new())),
        ],
        first: Some(Shape::When(Time::now())),
        must: Shape::Circle(Circle { radius: 500 }),
    };
    let drawing = Drawing {
        shapes: [
            (1, Shape::Group(Box::new(group))),
            (2, Shape::Name("x".repeat(300))),
        ]
        .into(),
        maybe: None,
        boxed: Some(Box::new(Shape::Circle(Circle { radius: 1 }))),
    };
    assert_eq!(convert(&drawing), Ok(drawing));
}

#[test]
fn unknown_names_are_errors_that_name_them() {
    #[derive(Gob, Debug, PartialEq)]
    #[gob(interface)]
    enum Fewer {
        #[gob(name = "shape.Name")]
        Name(String),
    }
    #[derive(Gob, Debug, PartialEq)]
    struct Received {
        maybe: Option<Fewer>,
    }
    let drawing = Drawing {
        shapes: [(1, Shape::Circle(Circle { radius: 1 }))].into(),
        maybe: Some(Shape::Name("known".into())),
        boxed: Some(Box::new(Shape::When(Time::now()))),
    };
    // Unknown names do not matter where nobody wants the value.
    assert_eq!(
        convert(&drawing),
        Ok(Received {
            maybe: Some(Fewer::Name("known".into()))
        })
    );
    let unknown = Drawing {
        maybe: Some(Shape::Circle(Circle { radius: 1 })),
        ..drawing
    };
    let error = convert::<_, Received>(&unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gob: name not registered for interface: \"shape.Circle\""
    );
}

#[test]
fn nil_is_none_or_an_error() {
    #[derive(Gob)]
    struct Sender {
        list: Vec<Option<Shape>>,
    }
    #[derive(Gob, Debug, PartialEq)]
    struct Strict {
        list: Vec<Shape>,
    }
    let error = convert::<_, Strict>(&Sender { list: vec![None] }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gob: field Strict.List: nil value for interface Shape"
    );

    #[derive(Gob, Debug)]
    struct Must {
        must: Shape,
    }
    #[derive(Gob)]
    struct May {
        must: Option<Shape>,
    }
    let error = convert::<_, Must>(&May { must: None }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gob: field Must.Must: nil value for interface Shape"
    );
}

#[test]
fn the_concrete_type_is_checked() {
    // Sent under a name that means something else here.
    #[derive(Gob, Clone, Debug, PartialEq)]
    #[gob(interface)]
    enum Liar {
        #[gob(name = "shape.Circle")]
        Circle(Named),
        #[gob(name = "shape.Name")]
        Name(u64),
    }
    #[derive(Gob, Clone, Debug, PartialEq)]
    struct Named {
        name: String,
    }
    #[derive(Gob)]
    struct Sender {
        maybe: Option<Liar>,
    }
    let error = convert::<_, Drawing>(&Sender {
        maybe: Some(Liar::Circle(Named { name: "x".into() })),
    });
    assert_eq!(error, Err(Error::NoFieldsMatched { local: "Circle" }));
    let error = convert::<_, Drawing>(&Sender {
        maybe: Some(Liar::Name(1)),
    })
    .unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }));
}

#[test]
fn at_the_top() {
    let shape = Shape::Circle(Circle { radius: 3 });
    assert_eq!(convert(&shape), Ok(shape.clone()));
    assert_eq!(convert(&shape), Ok(Some(shape)));
    assert_eq!(convert(&None::<Shape>), Ok(None::<Shape>));
}

/// The byte count before an interface's value proves nothing: neither a short nor a huge one does any harm.
#[test]
fn byte_counts_are_not_believed() {
    #[derive(Gob, Debug, PartialEq)]
    #[gob(interface)]
    enum Shape {
        #[gob(name = "shape.Name")]
        Name(String),
    }
    let honest = to_vec(&Shape::Name("abc".into()));
    // length, interface, 0, name, type string, count, 0, value
    assert_eq!(honest, message(&[b"\x10\0\x0ashape.Name\x0c\x05\0\x03abc"]));
    for count in [&b"\x00"[..], b"\x7f", b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff"] {
        let lying = message(&[b"\x10\0\x0ashape.Name\x0c", count, b"\0\x03abc"]);
        assert_eq!(decode(&lying), Ok(Shape::Name("abc".into())));
        let skipped = crate::Decoder::new(crate::Limits::default()).skip_value(&lying);
        assert_eq!(
            skipped,
            Ok(crate::Progress::Value {
                value: (),
                consumed: lying.len()
            })
        );
    }
}
