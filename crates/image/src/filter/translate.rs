//! RE2 syntax, as Go reads it, into the syntax of the `regex` crate.
//!
//! The two look alike and differ in many corners: here `[[]`, `[a&&b]`, `{,3}`, `\Q..\E`, octal escapes or `\pN` mean
//! something else or nothing at all, and `\d`, `\w`, `\s`, `\b` know more than ASCII. So every character is read by Go's
//! rules and written in a form that leaves nothing to interpretation: literals as `\x{..}`, groups without names,
//! repetitions without preference (matching is only ever yes or no).

use std::fmt::Write;

use super::class::{class, perl_or_property};
use super::escape::{Escape, escape};
use super::{FilterError, MAXIMUM_NESTING};

/// Repetitions count to this, those inside each other multiplied, as in RE2.
const MAXIMUM_REPEAT: u32 = 1000;

/// What an error's words are; Go's where there are any.
pub(super) mod problem {
    pub(crate) const BAD_CLASS: &str = "missing closing ]";
    pub(crate) const BAD_RANGE: &str = "invalid character class range";
    pub(crate) const BAD_ESCAPE: &str = "invalid escape sequence";
    pub(crate) const BAD_GROUP: &str = "invalid or unsupported Perl syntax";
    pub(crate) const BAD_NAME: &str = "invalid named capture";
    pub(crate) const DUPLICATE_NAME: &str = "duplicate capture group name";
    pub(crate) const MISSING_PAREN: &str = "missing closing )";
    pub(crate) const UNEXPECTED_PAREN: &str = "unexpected )";
    pub(crate) const MISSING_ARGUMENT: &str = "missing argument to repetition operator";
    pub(crate) const NESTED_REPEAT: &str = "invalid nested repetition operator";
    pub(crate) const REPEAT_SIZE: &str = "invalid repeat count";
    pub(crate) const TRAILING_BACKSLASH: &str = "trailing backslash at end of expression";
    pub(crate) const SINGLE_BYTE: &str = "\\C (any byte) is not supported";
    pub(crate) const NOT_UTF8: &str = "invalid UTF-8";
    pub(crate) const TOO_DEEP: &str = "expression nests too deeply";
}

pub(super) fn syntax(problem: &'static str, text: &str) -> FilterError {
    FilterError::Syntax {
        problem,
        text: text.to_owned(),
    }
}

/// Writes a character so that it stands for itself anywhere, inside classes too.
pub(super) fn push_literal(out: &mut String, character: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\x{{{:x}}}", u32::from(character));
}

/// What stands before the place that is read, for what may follow.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing a repetition could repeat.
    Nothing,
    /// An item.
    Item,
    /// A repeated item, which cannot be repeated again.
    Repeated,
}

/// Translates an expression.
///
/// # Errors
/// What is not RE2 syntax, and `\C`.
pub(super) fn translate(text: &str) -> Result<String, FilterError> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    let mut before = Before::Nothing;
    let mut depth = 0_u32;
    let mut names: Vec<&str> = Vec::new();
    // Where a repetition goes: Go looks through flags at the item before them, the engine does not.
    let mut item_end = 0;
    // Copies that counted repetitions inside each other make of a piece: of the last item, and at most per open group.
    let mut copies = 1;
    let mut levels = vec![1_u64];
    while let Some(character) = rest.chars().next() {
        let here = rest;
        rest = &rest[character.len_utf8()..];
        before = match character {
            '(' => {
                depth += 1;
                if depth > MAXIMUM_NESTING {
                    return Err(syntax(problem::TOO_DEEP, text));
                }
                let group = group(here, &mut out, &mut names)?;
                rest = group.rest;
                if group.flags_only {
                    depth -= 1;
                    before = if before == Before::Repeated {
                        Before::Item
                    } else {
                        before
                    };
                    continue;
                }
                levels.push(1);
                Before::Nothing
            }
            ')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| syntax(problem::UNEXPECTED_PAREN, text))?;
                out.push(')');
                item_end = out.len();
                copies = levels.pop().unwrap_or(1);
                note_copies(&mut levels, copies);
                before = Before::Item;
                continue;
            }
            '|' => {
                out.push('|');
                Before::Nothing
            }
            '^' | '$' | '.' => {
                out.push(character);
                Before::Item
            }
            '[' => {
                rest = class(here, &mut out)?;
                Before::Item
            }
            '*' | '+' | '?' => {
                rest = repeated(before, here, rest)?;
                let counts = match character {
                    '*' => (0, None),
                    '+' => (1, None),
                    _ => (0, Some(1)),
                };
                item_end += insert_repetition(&mut out, item_end, counts);
                before = Before::Repeated;
                continue;
            }
            '{' => match counts(rest) {
                Some((counts, after)) => {
                    let operator = &here[..here.len() - after.len()];
                    rest = repeated(before, here, after)?;
                    check_counts(counts, operator)?;
                    copies *= counts.1.unwrap_or(counts.0).max(1);
                    if copies > u64::from(MAXIMUM_REPEAT) {
                        return Err(syntax(problem::REPEAT_SIZE, operator));
                    }
                    note_copies(&mut levels, copies);
                    item_end += insert_repetition(&mut out, item_end, counts);
                    before = Before::Repeated;
                    continue;
                }
                None => {
                    push_literal(&mut out, '{');
                    Before::Item
                }
            },
            '\\' => {
                let (after, item) = backslash(here, &mut out)?;
                rest = after;
                if !item {
                    continue;
                }
                Before::Item
            }
            literal => {
                push_literal(&mut out, literal);
                Before::Item
            }
        };
        item_end = out.len();
        copies = 1;
    }
    if depth > 0 {
        return Err(syntax(problem::MISSING_PAREN, text));
    }
    Ok(out)
}

/// Remembers for the group that is open what its repetitions multiply to.
fn note_copies(levels: &mut [u64], copies: u64) {
    if let Some(level) = levels.last_mut() {
        *level = copies.max(*level);
    }
}

/// Handles what follows a repetition operator: a `?` for preference is dropped, another operator is refused.
fn repeated<'a>(before: Before, here: &str, after: &'a str) -> Result<&'a str, FilterError> {
    let rest = after.strip_prefix('?').unwrap_or(after);
    let operator = &here[..here.len() - rest.len()];
    match before {
        Before::Nothing => Err(syntax(problem::MISSING_ARGUMENT, operator)),
        Before::Repeated => Err(syntax(problem::NESTED_REPEAT, operator)),
        Before::Item => Ok(rest),
    }
}

/// Reads `n}`, `n,}` or `n,m}`; anything else makes the brace before it a literal.
fn counts(text: &str) -> Option<((u64, Option<u64>), &str)> {
    let (low, rest) = number(text)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some(((low, Some(low)), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some(((low, None), rest));
    }
    let (high, rest) = number(rest)?;
    Some(((low, Some(high)), rest.strip_prefix('}')?))
}

/// Reads a decimal number without leading zeros; one too large to matter is as large as can be.
fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() || number.len() > 1 && number.starts_with('0') {
        return None;
    }
    Some((number.parse().unwrap_or(u64::MAX), rest))
}

fn check_counts((low, high): (u64, Option<u64>), operator: &str) -> Result<(), FilterError> {
    let limit = u64::from(MAXIMUM_REPEAT);
    if low > limit || high.is_some_and(|high| high > limit || high < low) {
        return Err(syntax(problem::REPEAT_SIZE, operator));
    }
    Ok(())
}

/// Puts a repetition after an item and returns its length. Always in braces: after another repetition, which is what
/// remains of `a{2}(?i)?`, a question mark would only speak of preference.
fn insert_repetition(out: &mut String, item_end: usize, (low, high): (u64, Option<u64>)) -> usize {
    let repetition = match high {
        Some(high) => format!("{{{low},{high}}}"),
        None => format!("{{{low},}}"),
    };
    out.insert_str(item_end, &repetition);
    repetition.len()
}

/// Where reading goes on after the start of a group.
struct Group<'a> {
    rest: &'a str,
    /// It only set flags: `(?i)`.
    flags_only: bool,
}

/// Reads the start of a group: `(`, `(?:`, `(?flags:`, `(?flags)`, `(?P<name>`, `(?<name>`.
fn group<'a>(here: &'a str, out: &mut String, names: &mut Vec<&'a str>) -> Result<Group<'a>, FilterError> {
    let Some(inside) = here.strip_prefix("(?") else {
        out.push_str("(?:");
        return Ok(Group {
            rest: &here[1..],
            flags_only: false,
        });
    };
    if let Some(named) = inside.strip_prefix("P<").or_else(|| inside.strip_prefix('<')) {
        let (name, rest) = named
            .split_once('>')
            .ok_or_else(|| syntax(problem::BAD_NAME, here))?;
        let whole = &here[..here.len() - rest.len()];
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(syntax(problem::BAD_NAME, whole));
        }
        if names.contains(&name) {
            return Err(syntax(problem::DUPLICATE_NAME, name));
        }
        names.push(name);
        out.push_str("(?:");
        return Ok(Group {
            rest,
            flags_only: false,
        });
    }
    flags(here, inside, out)
}

fn flags<'a>(here: &'a str, inside: &'a str, out: &mut String) -> Result<Group<'a>, FilterError> {
    let bad = || syntax(problem::BAD_GROUP, here);
    let end = inside.find([':', ')']).ok_or_else(bad)?;
    let (flags, rest) = inside.split_at(end);
    let (set, cleared) = match flags.split_once('-') {
        Some((_, "")) => return Err(bad()),
        Some(split) => split,
        None => (flags, ""),
    };
    if !set
        .chars()
        .chain(cleared.chars())
        .all(|flag| "imsU".contains(flag))
    {
        return Err(bad());
    }
    // U swaps preferences, which do not matter here. A flag given twice would be refused by the engine.
    let mut kept = String::new();
    for flag in ['i', 'm', 's'] {
        if set.contains(flag) && !cleared.contains(flag) {
            kept.push(flag);
        }
    }
    if cleared.contains(['i', 'm', 's']) {
        kept.push('-');
        kept.extend(['i', 'm', 's'].into_iter().filter(|&flag| cleared.contains(flag)));
    }
    let flags_only = rest.starts_with(')');
    if flags_only && kept.is_empty() {
        return Ok(Group {
            rest: &rest[1..],
            flags_only,
        });
    }
    out.push_str("(?");
    out.push_str(&kept);
    out.push(if flags_only { ')' } else { ':' });
    Ok(Group {
        rest: &rest[1..],
        flags_only,
    })
}

/// Reads a backslash outside of classes. Returns what follows, and whether there is something to repeat now.
fn backslash<'a>(here: &'a str, out: &mut String) -> Result<(&'a str, bool), FilterError> {
    if let Some(quoted) = here.strip_prefix("\\Q") {
        let (literal, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        literal.chars().for_each(|character| push_literal(out, character));
        return Ok((rest, !literal.is_empty()));
    }
    if let Some(rest) = perl_or_property(here, out, false)? {
        return Ok((rest, true));
    }
    let assertion = match here.as_bytes().get(1) {
        Some(b'A') => "\\A",
        Some(b'z') => "\\z",
        Some(b'b') => "(?-u:\\b)",
        Some(b'B') => "(?-u:\\B)",
        Some(b'C') => return Err(syntax(problem::SINGLE_BYTE, here)),
        _ => {
            let Escape { character, rest } = escape(here)?;
            push_literal(out, character);
            return Ok((rest, true));
        }
    };
    out.push_str(assertion);
    Ok((&here[2..], true))
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;

    /// An expression, what it matches and what not, as Go has it.
    const MEANINGS: &[(&str, &[&str], &[&str])] = &[
        (r"^\Qa.b*\E$", &["a.b*"], &["axb*"]),
        (r"^\Qa.b", &["a.b"], &["axb"]),
        (r"^a\Q\Eb$", &["ab"], &["a"]),
        (r"^[[]$", &["["], &["]"]),
        (r"^[]]$", &["]"], &["["]),
        (r"^[]a-]+$", &["]a-"], &["b"]),
        (r"^[^]a]$", &["b"], &["]", "a"]),
        (r"^[a&&b]+$", &["a&b"], &["c"]),
        (r"^[!--b]+$", &["-!b"], &["c"]),
        (r"^[+--]$", &["+", ",", "-"], &["."]),
        (r"^[a~~b]+$", &["a~b"], &["c"]),
        (r"^[a[b]+$", &["a[b"], &["]"]),
        (r"^[[:alpha:]_[:^ascii:]]+$", &["aé_"], &["1"]),
        (r"^[[:space:]]$", &["\u{b}", " "], &["\u{a0}"]),
        (r"^[[:a]$", &[":", "[", "a"], &["b"]),
        (r"^a{$", &["a{"], &["a"]),
        (r"^a{,3}$", &["a{,3}"], &["aaa"]),
        (r"^a{01}$", &["a{01}"], &["a"]),
        (r"^a{2,3}b{1}c{1,}$", &["aabc", "aaabccc"], &["abc", "aabbc"]),
        (r"^}]$", &["}]"], &[]),
        (r"^\101\60\0x$", &["A0\0x"], &["101"]),
        (r"^\x41\x{1F600}$", &["A😀"], &[]),
        (r"^\a\f\t\v\_\.\-\/$", &["\u{7}\u{c}\t\u{b}_.-/"], &[]),
        (r"^\d\D$", &["1a", "1\u{661}"], &["\u{661}a"]),
        (r"^\w+$", &["aZ_9"], &["é"]),
        (r"^\W$", &["é"], &["a"]),
        (r"^\s$", &[" ", "\t"], &["\u{b}", "\u{a0}"]),
        (r"^[\d\s]+[^\w]$", &["1 é"], &["1 a"]),
        (r"^[\D]$", &["a"], &["1"]),
        (r"^x\b.$", &["xé", "x-"], &["xy"]),
        (r"^x\B.$", &["xy"], &["xé", "x-"]),
        (r"^\pL\p{Lu}\PL\p{^L}\P{^L}$", &["aB1!c", "éÉ. x"], &["abcde"]),
        (r"^\p{Greek}[\p{Latin}1]$", &["αa", "α1"], &["aa"]),
        (r"^.$", &["a", "é", "\r"], &["\n", ""]),
        (r"(?s)^.$", &["\n"], &[]),
        (r"^a$", &["a"], &["a\n"]),
        (r"(?m)^a$", &["a\n", "b\na\nb"], &["ab"]),
        (r"^a\z", &["a"], &["ab"]),
        (r"\Aa", &["ab"], &["ba"]),
        (r"(?i)^aB[c-d]$", &["AbD"], &["abe"]),
        (r"^a(?i)b(?-i)c$", &["aBc"], &["ABc", "aBC"]),
        (r"^a(?i:b)c$", &["aBc"], &["aBC"]),
        (r"^(?U)a+?b(?i-i)C$", &["aabC"], &["aabc"]),
        (r"^(?)a$", &["a"], &["b"]),
        (r"^(?P<name>a)(?<other>b)(?:c)$", &["abc"], &["ab"]),
        (r"^(?P<1>a)$", &["a"], &[]),
        (r"^(|a)b$", &["b", "ab"], &["aab"]),
        (r"^*a", &["a", "xa"], &["b"]),
        (r"^a*?b+?c??$", &["b", "aabbc"], &["a"]),
        (r"^a(?i)+b$", &["aaB", "ab"], &["Aab"]),
        (r"^a*(?i){2}b$", &["aaaB", "b"], &["Aab"]),
        (r"^((a{10}){10}b{10}){10}$", &[], &["a"]),
        (r"^a|b$", &["ax", "xb"], &["xa"]),
        (r"^ #x$", &[" #x"], &["x"]),
        (r"^[^\x00-\x{10FFFF}]", &[], &["a"]),
        (r"^[a-]b[-a]$", &["-b-"], &["bb"]),
    ];

    #[test]
    fn expressions_mean_what_they_mean_to_go() {
        for (text, matching, others) in MEANINGS {
            let translated = translate(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let regex =
                Regex::new(&translated).unwrap_or_else(|error| panic!("{text}: {translated}: {error}"));
            for sample in *matching {
                assert!(
                    regex.is_match(sample.as_bytes()),
                    "{text} as {translated} matches {sample:?}"
                );
            }
            for sample in *others {
                assert!(
                    !regex.is_match(sample.as_bytes()),
                    "{text} as {translated} does not match {sample:?}"
                );
            }
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        let cases = [
            (r"\C", problem::SINGLE_BYTE),
            (r"a\", problem::TRAILING_BACKSLASH),
            (r"\1", problem::BAD_ESCAPE),
            (r"\8", problem::BAD_ESCAPE),
            (r"\y", problem::BAD_ESCAPE),
            (r"\Z", problem::BAD_ESCAPE),
            (r"\é", problem::BAD_ESCAPE),
            (r"\x4", problem::BAD_ESCAPE),
            (r"\x{}", problem::BAD_ESCAPE),
            (r"\x{110000}", problem::BAD_ESCAPE),
            (r"[a", problem::BAD_CLASS),
            (r"[]", problem::BAD_CLASS),
            (r"[a-", problem::BAD_CLASS),
            (r"[b-a]", problem::BAD_RANGE),
            (r"[a-\d]", problem::BAD_ESCAPE),
            (r"[\b]", problem::BAD_ESCAPE),
            (r"[[:no:]]", problem::BAD_RANGE),
            (r"\p{sc=Greek}", problem::BAD_RANGE),
            (r"\p", problem::BAD_RANGE),
            (r"(a", problem::MISSING_PAREN),
            (r"a)", problem::UNEXPECTED_PAREN),
            (r"(?=a)", problem::BAD_GROUP),
            (r"(?x)a", problem::BAD_GROUP),
            (r"(?i-)a", problem::BAD_GROUP),
            (r"(?i", problem::BAD_GROUP),
            (r"(?P<a", problem::BAD_NAME),
            (r"(?P<a-b>x)", problem::BAD_NAME),
            (r"(?P<a>x)(?P<a>y)", problem::DUPLICATE_NAME),
            (r"*", problem::MISSING_ARGUMENT),
            (r"(*)", problem::MISSING_ARGUMENT),
            (r"a|+", problem::MISSING_ARGUMENT),
            (r"(?i)?", problem::MISSING_ARGUMENT),
            (r"(a|(?i)+)", problem::MISSING_ARGUMENT),
            (r"a**", problem::NESTED_REPEAT),
            (r"a*?+", problem::NESTED_REPEAT),
            (r"a{2}{3}", problem::NESTED_REPEAT),
            (r"a{1001}", problem::REPEAT_SIZE),
            (r"a{3,2}", problem::REPEAT_SIZE),
            (r"(a{100}){100}", problem::REPEAT_SIZE),
            (r"((a{10}b|c){10}){11,}", problem::REPEAT_SIZE),
            (r"a{99999999999999999999}", problem::REPEAT_SIZE),
        ];
        for (text, expected) in cases {
            match translate(text) {
                Err(FilterError::Syntax { problem, .. }) => assert_eq!(problem, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
