//! The files that hold images, and what is done with the trees in them.

mod build;
mod files;
mod metadata;
mod tree;

use crate::input::Input;

/// What kind of file, then its bytes.
pub fn image(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 5 {
        0 => files::image_file(input.rest(), false),
        1 => files::image_file(input.rest(), true),
        2 => files::metadata_file(input.rest()),
        3 => files::archive(input.rest()),
        _ => {
            let tree = build::tree(&mut input);
            files::travels(&tree);
            tree::everything(&tree);
        }
    }
}
