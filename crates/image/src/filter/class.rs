//! Character classes: in brackets, Perl's, POSIX's and Unicode's.

use super::FilterError;
use super::escape::{Escape, escape};
use super::translate::{problem, push_literal, syntax};

/// The names of POSIX classes, all of them ASCII.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Translates the class at the start of the text, which begins with `[`. Returns what follows it.
pub(super) fn class<'a>(text: &'a str, out: &mut String) -> Result<&'a str, FilterError> {
    let missing = || syntax(problem::BAD_CLASS, text);
    let mut rest = &text[1..];
    out.push('[');
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    let mut first = true;
    loop {
        // A closing bracket in front is a member.
        if !first && let Some(after) = rest.strip_prefix(']') {
            out.push(']');
            return Ok(after);
        }
        first = false;
        if let Some(after) = posix(rest, out)? {
            rest = after;
            continue;
        }
        if let Some(after) = perl_or_property(rest, out, true)? {
            rest = after;
            continue;
        }
        let range = rest;
        let (low, after) = member(rest).ok_or_else(missing)??;
        rest = after;
        push_literal(out, low);
        // A minus before the closing bracket is a member.
        if let Some(after) = rest.strip_prefix('-')
            && !after.starts_with(']')
            && !after.is_empty()
        {
            let (high, after) = member(after).ok_or_else(missing)??;
            rest = after;
            if high < low {
                return Err(syntax(problem::BAD_RANGE, &range[..range.len() - rest.len()]));
            }
            out.push('-');
            push_literal(out, high);
        }
    }
}

/// One character of a class and what follows; `None` at the end of the text.
fn member(text: &str) -> Option<Result<(char, &str), FilterError>> {
    let character = text.chars().next()?;
    if character == '\\' {
        return Some(escape(text).map(|Escape { character, rest }| (character, rest)));
    }
    Some(Ok((character, &text[character.len_utf8()..])))
}

/// Translates `[:name:]` or `[:^name:]`; `None` if there is none.
fn posix<'a>(text: &'a str, out: &mut String) -> Result<Option<&'a str>, FilterError> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|inside| inside.split_once(":]")) else {
        return Ok(None);
    };
    let known = name.strip_prefix('^').unwrap_or(name);
    if !POSIX.contains(&known) {
        return Err(syntax(problem::BAD_RANGE, &text[..text.len() - rest.len()]));
    }
    out.push_str("[:");
    out.push_str(name);
    out.push_str(":]");
    Ok(Some(rest))
}

/// Translates `\d`, `\D`, `\s`, `\S`, `\w`, `\W`, `\pN`, `\p{Name}`, `\P..`; `None` if there is none. Perl's classes are
/// ASCII in RE2.
pub(super) fn perl_or_property<'a>(
    text: &'a str,
    out: &mut String,
    in_class: bool,
) -> Result<Option<&'a str>, FilterError> {
    let Some(escaped) = text.strip_prefix('\\') else {
        return Ok(None);
    };
    let (members, negated) = match escaped.as_bytes().first() {
        Some(b'd') => ("0-9", false),
        Some(b'D') => ("0-9", true),
        Some(b's') => ("\\t\\n\\f\\r\\x20", false),
        Some(b'S') => ("\\t\\n\\f\\r\\x20", true),
        Some(b'w') => ("0-9A-Za-z_", false),
        Some(b'W') => ("0-9A-Za-z_", true),
        Some(b'p' | b'P') => return property(text, out).map(Some),
        _ => return Ok(None),
    };
    match (in_class, negated) {
        (true, false) => out.push_str(members),
        (_, negated) => {
            out.push_str(if negated { "[^" } else { "[" });
            out.push_str(members);
            out.push(']');
        }
    }
    Ok(Some(&escaped[1..]))
}

/// Translates the property at the start of the text.
fn property<'a>(text: &'a str, out: &mut String) -> Result<&'a str, FilterError> {
    let mut negated = text.as_bytes().get(1) == Some(&b'P');
    let after = &text[2..];
    let (mut name, rest) = match after.strip_prefix('{') {
        Some(inside) => inside
            .split_once('}')
            .ok_or_else(|| syntax(problem::BAD_RANGE, text))?,
        None => {
            let length = after.chars().next().map_or(0, char::len_utf8);
            after.split_at(length)
        }
    };
    let whole = &text[..text.len() - rest.len()];
    if let Some(inverse) = name.strip_prefix('^') {
        negated = !negated;
        name = inverse;
    }
    // Only plain names: the engine would take `sc=Greek` and the like, too.
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(syntax(problem::BAD_RANGE, whole));
    }
    out.push_str(if negated { "\\P{" } else { "\\p{" });
    out.push_str(name);
    out.push('}');
    Ok(rest)
}
