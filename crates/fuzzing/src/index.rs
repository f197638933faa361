//! The files from which a server starts without reading everything.

use actors::fuzzing as images;
use storage::{frame, fuzzing as objects};

use crate::input::Input;

/// Which index, then its payload, or a whole file.
pub fn index(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    let bytes = input.rest();
    let of_images = choice & 1 == 0;
    let kind = if of_images {
        images::INDEX_KIND
    } else {
        objects::INDEX_KIND
    };
    // The checksum keeps accidents out; most of these bytes get a right one.
    let sealed = if choice & 2 == 0 {
        frame::seal(kind, bytes)
    } else {
        bytes.to_vec()
    };
    if choice & 2 == 0 {
        assert_eq!(frame::open(kind, &sealed), Ok(bytes));
    }
    if of_images {
        if let Ok(rewritten) = images::rewrite_index(&sealed) {
            let again = images::rewrite_index(&rewritten);
            assert!(again.as_ref() == Ok(&rewritten), "what was written is not read");
        }
    } else if let Ok(length) = objects::read_index(sealed, 7) {
        assert!(length <= bytes.len(), "more objects than bytes");
    }
}
