//! Path expressions and filters.

use image::Filter;
use image::filter::{self, CompiledFilter, Expression};

use crate::input::Input;

/// One expression and paths, or a whole filter and paths.
pub fn filters(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(4) {
        whole(input);
    } else {
        expression(input);
    }
}

/// An expression and paths, with zero bytes between them.
fn expression(mut input: Input<'_>) {
    let text = String::from_utf8_lossy(input.part()).into_owned();
    let compiled = Expression::new(&text);
    let plain = Expression::unoptimised(&text);
    // An empty one matches everything, which nobody means.
    assert!(
        compiled.is_ok() || plain.is_err() || text.is_empty(),
        "refused for being fast: {text:?}"
    );
    let Ok(compiled) = compiled else { return };
    while !input.is_empty() {
        let path = input.part();
        let matches = compiled.matches(path);
        assert_eq!(matches, compiled.matches(path));
        if let Ok(plain) = &plain
            && has_one_meaning(&text, path)
        {
            assert_eq!(matches, plain.matches(path), "{text:?} {path:?}");
        }
    }
}

/// Where the fast forms mean the same as the expression does. They take bytes for what they are (a line end, a bracket or a
/// backslash in brackets), want absolute paths, and look at what follows a plain beginning as if it stood alone (image-manifest.md §6).
fn has_one_meaning(text: &str, path: &[u8]) -> bool {
    let text = text.strip_suffix("(|/.*)$").unwrap_or(text);
    let is_literal = ["[[]", "[\\]", "[]]"].iter().all(|class| !text.contains(class));
    let stands_alone = ["^", "\\A", "\\b", "\\B"]
        .iter()
        .any(|anchor| text.contains(anchor));
    is_literal && !stands_alone && !has_alternatives(text) && path.starts_with(b"/") && !path.contains(&b'\n')
}

/// Whether it may have alternatives outside of groups.
fn has_alternatives(text: &str) -> bool {
    let mut depth = 0_i32;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => return true,
            // Brackets behind these may be no brackets.
            '[' | '\\' if text.contains('|') => return true,
            _ => {}
        }
    }
    false
}

/// Two paths and a filter's file, with zero bytes between them.
fn whole(mut input: Input<'_>) {
    let paths = [input.part(), input.part()];
    let filter = filter::parse_lines(input.rest());
    assert!(
        filter
            .filter_lines
            .iter()
            .all(|line| !line.is_empty() && !line.contains('\n'))
    );
    let merged = filter::merge([&filter, &filter]);
    assert_eq!(filter::merge([&merged, &filter]), merged);
    let Ok(compiled) = CompiledFilter::new(&filter) else {
        return;
    };
    assert!(compiled.unoptimised().len() <= filter.filter_lines.len());
    let inverse = inverse(&filter);
    let merged = CompiledFilter::new(&merged).unwrap_or_else(|error| panic!("merging broke it: {error}"));
    for path in paths {
        assert_eq!(compiled.matches(path), merged.matches(path));
        if let Ok(inverse) = &inverse
            && !compiled.is_inverted()
        {
            assert_ne!(compiled.matches(path), inverse.matches(path));
        }
    }
}

fn inverse(filter: &Filter) -> Result<CompiledFilter, filter::FilterError> {
    let lines = filter.filter_lines.iter().map(String::as_str);
    CompiledFilter::from_lines(lines.chain(["!"]))
}
