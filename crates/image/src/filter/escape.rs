//! Escapes that stand for one character.

use super::FilterError;
use super::translate::{problem, syntax};

/// A character and what follows its escape.
pub(super) struct Escape<'a> {
    pub(super) character: char,
    pub(super) rest: &'a str,
}

/// Reads the escape at the start of the text, which begins with a backslash.
pub(super) fn escape(text: &str) -> Result<Escape<'_>, FilterError> {
    let mut characters = text.chars();
    characters.next();
    let Some(letter) = characters.next() else {
        return Err(syntax(problem::TRAILING_BACKSLASH, ""));
    };
    let rest = characters.as_str();
    let bad = || syntax(problem::BAD_ESCAPE, &text[..text.len() - rest.len()]);
    let control = match letter {
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hexadecimal(text, rest),
        // One digit other than 0 would refer back to a group, which RE2 does not do.
        '0' => return Ok(octal(&text[1..])),
        '1'..='7' if rest.starts_with(|next: char| next.is_digit(8)) => return Ok(octal(&text[1..])),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
        _ => return Err(bad()),
    };
    Ok(Escape {
        character: control,
        rest,
    })
}

/// Up to three octal digits, of which there is at least one.
fn octal(digits: &str) -> Escape<'_> {
    let count = digits
        .bytes()
        .take(3)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let value = digits
        .bytes()
        .take(count)
        .fold(0, |value, digit| value * 8 + u32::from(digit - b'0'));
    // Three octal digits are below the surrogates.
    Escape {
        character: char::from_u32(value).unwrap_or_default(),
        rest: &digits[count..],
    }
}

/// `\x41` or `\x{1F600}`.
fn hexadecimal<'a>(text: &'a str, after: &'a str) -> Result<Escape<'a>, FilterError> {
    let bad = || syntax(problem::BAD_ESCAPE, text);
    let (digits, rest) = match after.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(bad)?,
        None => after.split_at_checked(2).ok_or_else(bad)?,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let character = u32::from_str_radix(digits, 16)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(bad)?;
    Ok(Escape { character, rest })
}
