//! Where a JSON value ends.

use serde::de::IgnoredAny;
use srpc::fuzzing;

use crate::input::{Input, Pieces};

/// The pieces, then the bytes.
pub(super) fn end(mut input: Input<'_>) {
    let mut pieces = Pieces::new(input.byte());
    let bytes = input.rest();
    let whole = fuzzing::scan(bytes, [bytes.len()]);
    let mut arrived = 0;
    let ends = std::iter::from_fn(|| {
        (arrived < bytes.len()).then(|| {
            arrived = (arrived + pieces.next()).min(bytes.len());
            arrived
        })
    });
    let pieced = fuzzing::scan(bytes, ends);
    match (whole, pieced) {
        // A character may be cut.
        (Err(_), Err(_)) => {}
        (whole, pieced) => assert_eq!(whole, pieced, "the pieces matter"),
    }
    // Where a parser finds a value, it ends at the same place.
    let mut parser = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    if let Some(Ok(_)) = parser.next() {
        let found = match whole {
            Ok(Some(end)) => end,
            // A number or a word at the very end could go on.
            Ok(None) => bytes.len(),
            Err(character) => panic!("no value starts with {character:?}?"),
        };
        // What goes on right behind a number, as in `2{`, is refused with it.
        let refused = serde_json::from_slice::<IgnoredAny>(&bytes[..found]).is_err();
        assert!(found == parser.byte_offset() || refused, "ends at {found}");
    }
}
