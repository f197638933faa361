//! The small texts that people and peers write: lists, JSON with comments, sizes, times, names, flags.

mod command_line;
mod json;
mod lists;
mod numbers;

use crate::input::Input;

/// What kind of text, then the text.
pub fn texts(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 16;
    if kind == 0 {
        return command_line::whole(input);
    }
    let bytes = input.rest();
    let text = String::from_utf8_lossy(bytes);
    match kind {
        1 | 2 => json::triggers(bytes),
        3 => json::tags(bytes),
        4 => json::computed_files(bytes),
        5 => json::messages(bytes),
        6 => lists::tags(&text),
        7 => lists::required_paths(&text),
        8 => lists::computed_files(bytes),
        9 => lists::names(&text),
        10 => numbers::sizes(&text),
        11 => numbers::durations(&text),
        12 => numbers::times(&text),
        13 => numbers::hashes(bytes),
        14 => numbers::versions(bytes),
        _ => command_line::values(&text),
    }
}
