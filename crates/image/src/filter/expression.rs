//! One path expression: a literal form where it is one, else a regular expression.

use std::borrow::Cow;

use bstr::ByteSlice;
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::translate::{problem, syntax, translate};
use super::{FilterError, MAXIMUM_COMPILED_BYTES, MAXIMUM_EXPRESSION_BYTES, MAXIMUM_NESTING};

/// A path expression: RE2 syntax, anchored at the start of the path and not at its end.
///
/// The `^` that anchors it is glued in front of the text, so in `a|b` only `a` is anchored.
#[derive(Clone, Debug)]
pub struct Expression(Form);

/// What the engine may take for one expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Space {
    compiled_bytes: usize,
    /// When it matches, for one thread.
    matching_bytes: usize,
}

/// Enough for what is ordinary in manifests.
const SMALLEST: Space = Space {
    compiled_bytes: 8 << 10,
    matching_bytes: 32 << 10,
};

/// What anybody's may take; for matching it is the engine's own default.
const LARGEST: Space = Space {
    compiled_bytes: MAXIMUM_COMPILED_BYTES,
    matching_bytes: 2 << 20,
};

/// The most that one line comes to.
pub(super) const LARGEST_BYTES: usize = LARGEST.bytes() + PLAIN_BYTES + 2 * MAXIMUM_EXPRESSION_BYTES;

/// An expression that is none for the engine, without its text.
const PLAIN_BYTES: usize = 128;

impl Space {
    const fn bytes(self) -> usize {
        self.compiled_bytes + self.matching_bytes
    }

    fn larger(self) -> Space {
        let four_times = |bytes: usize, most: usize| bytes.saturating_mul(4).min(most);
        Space {
            compiled_bytes: four_times(self.compiled_bytes, LARGEST.compiled_bytes),
            matching_bytes: four_times(self.matching_bytes, LARGEST.matching_bytes),
        }
    }
}

#[derive(Clone, Debug)]
enum Form {
    /// The path has a slash in front and the text somewhere.
    Contains(Box<memmem::Finder<'static>>),
    /// The path starts with the text.
    Prefix(Vec<u8>),
    /// The path is the text.
    Exact(Vec<u8>),
    /// The path is the text, or is below it.
    Subtree(Vec<u8>),
    /// The path starts with the text, and the expression matches the rest.
    PrefixThen(Vec<u8>, Regex),
    /// None of the above.
    Regular(Regex),
}

impl Expression {
    /// Classifies and compiles an expression (image-manifest.md §6, in the order of its table).
    ///
    /// # Errors
    /// The text is empty, not RE2 syntax, or too large once compiled.
    pub fn new(text: &str) -> Result<Self, FilterError> {
        Self::by(text, |text| compile(text, LARGEST))
    }

    /// The same for a line of a stranger, of at most so many bytes; and how many it may come to take. The engine tells nothing of what it
    /// takes, but keeps to what it may: so that is small, and made larger where it is not enough.
    pub(super) fn measured(text: &str, most_bytes: usize) -> Result<(Self, usize), FilterError> {
        let mut taken = PLAIN_BYTES + 2 * text.len();
        let expression = Self::by(text, |text| {
            let mut space = SMALLEST;
            loop {
                let compiled = compile(text, space);
                let larger = space.larger();
                match compiled {
                    Err(FilterError::Compile { .. }) if space != LARGEST && larger.bytes() <= most_bytes => {
                        space = larger;
                    }
                    compiled => {
                        taken += space.bytes();
                        return compiled;
                    }
                }
            }
        })?;
        Ok((expression, taken))
    }

    fn by(text: &str, compile: impl FnOnce(&str) -> Result<Regex, FilterError>) -> Result<Self, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        if text.len() > MAXIMUM_EXPRESSION_BYTES {
            return Err(FilterError::TooLong);
        }
        if gob::text::has_bytes(text) {
            return Err(syntax(problem::NOT_UTF8, text));
        }
        Ok(Self(match literal_form(text) {
            Some(form) => form,
            None => split_form(text, compile)?,
        }))
    }

    /// For fuzz targets: the same without a look for faster forms.
    ///
    /// # Errors
    /// As [`Expression::new`].
    #[cfg(feature = "fuzzing")]
    #[doc(hidden)]
    pub fn unoptimised(text: &str) -> Result<Self, FilterError> {
        compile(text, LARGEST).map(|regex| Self(Form::Regular(regex)))
    }

    /// Whether a path matches. Matches on bytes; what is not UTF-8 counts as one replacement character a byte, as in Go.
    pub fn matches(&self, path: &[u8]) -> bool {
        match &self.0 {
            Form::Contains(finder) => path.starts_with(b"/") && finder.find(path).is_some(),
            Form::Prefix(text) => path.starts_with(text),
            Form::Exact(text) => path == text,
            Form::Subtree(text) => path
                .strip_prefix(text.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")),
            Form::PrefixThen(text, regex) => path
                .strip_prefix(text.as_slice())
                .is_some_and(|rest| regex.is_match(&as_go_sees_it(rest))),
            Form::Regular(regex) => regex.is_match(&as_go_sees_it(path)),
        }
    }

    /// Whether a form faster than a regular expression was found for the whole or for its start.
    pub fn is_optimised(&self) -> bool {
        !matches!(self.0, Form::Regular(_))
    }
}

fn literal_form(text: &str) -> Option<Form> {
    // At least two characters between the wildcards.
    const SHORTEST_CONTAINS: usize = 7;
    if text.len() >= SHORTEST_CONTAINS
        && let Some(inner) = text.strip_suffix(".*")
    {
        let middle = inner
            .strip_prefix("/.*")
            .or_else(|| inner.strip_prefix(".*").filter(|rest| rest.starts_with('/')));
        if let Some(middle) = middle.and_then(all_plain) {
            return Some(Form::Contains(Box::new(
                memmem::Finder::new(&middle).into_owned(),
            )));
        }
    }
    if let Some(plain) = all_plain(text) {
        return Some(Form::Prefix(plain));
    }
    if let Some(plain) = text.strip_suffix("(|/.*)$").and_then(all_plain)
        && !plain.is_empty()
    {
        return Some(Form::Subtree(plain));
    }
    if let Some(plain) = text.strip_suffix('$').and_then(all_plain) {
        return Some(Form::Exact(plain));
    }
    text.strip_suffix(".*").and_then(all_plain).map(Form::Prefix)
}

fn split_form(
    text: &str,
    compile: impl FnOnce(&str) -> Result<Regex, FilterError>,
) -> Result<Form, FilterError> {
    // Fewer plain characters in front are not worth two steps.
    const SHORTEST_PREFIX: usize = 2;
    let (plain, rest) = leading_plain(text);
    if plain.len() >= SHORTEST_PREFIX && rest.starts_with(".*") {
        return Ok(Form::PrefixThen(plain, compile(rest)?));
    }
    compile(text).map(Form::Regular)
}

/// The literal a text stands for, if it has only plain characters.
fn all_plain(text: &str) -> Option<Vec<u8>> {
    let (plain, rest) = leading_plain(text);
    rest.is_empty().then_some(plain)
}

/// The plain characters in front and what follows. Plain are `0-9 A-Z a-z - / _` and classes of one character such as
/// `[.]`.
fn leading_plain(text: &str) -> (Vec<u8>, &str) {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest.as_bytes() {
            [byte, ..] if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_') => {
                plain.push(*byte);
                rest = &rest[1..];
            }
            // Observed: even a backslash or a bracket between brackets is taken for itself.
            [b'[', byte, b']', ..] if byte.is_ascii() && *byte != b'^' => {
                plain.push(*byte);
                rest = &rest[3..];
            }
            _ => return (plain, rest),
        }
    }
}

fn compile(text: &str, space: Space) -> Result<Regex, FilterError> {
    // A group that is repeated counts twice for the engine.
    const NEST_LIMIT: u32 = 2 * MAXIMUM_NESTING + 8;
    let anchored = format!("^{text}");
    RegexBuilder::new(&translate(&anchored)?)
        .size_limit(space.compiled_bytes)
        .dfa_size_limit(space.matching_bytes)
        .nest_limit(NEST_LIMIT)
        .build()
        .map_err(|error| FilterError::Compile {
            expression: text.to_owned(),
            cause: error.to_string(),
        })
}

/// Go reads a string as characters and takes each byte that is part of none for U+FFFD.
fn as_go_sees_it(text: &[u8]) -> Cow<'_, [u8]> {
    match crate::go_json::lossy(text.as_bstr()) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(text: &str, paths: &[&str]) -> Vec<bool> {
        let expression = Expression::new(text).unwrap();
        paths
            .iter()
            .map(|path| expression.matches(path.as_bytes()))
            .collect()
    }

    #[test]
    fn each_form_means_what_its_row_says() {
        let cases: &[(&str, bool, &[&str], &[&str])] = &[
            (
                "/etc/fstab",
                true,
                &["/etc/fstab", "/etc/fstab.bak"],
                &["/etc/fsta", "/x/etc/fstab", ""],
            ),
            (
                "/etc/fstab$",
                true,
                &["/etc/fstab"],
                &["/etc/fstab.bak", "/etc/fstab\n"],
            ),
            (
                "/tmp/.*",
                true,
                &["/tmp/", "/tmp/a/b", "/tmp/a\nb"],
                &["/tmp", "/tmpx"],
            ),
            (
                "/var/log(|/.*)$",
                true,
                &["/var/log", "/var/log/", "/var/log/a/b"],
                &["/var/logs", "/var/lo"],
            ),
            (
                "/.*[.]bak.*",
                true,
                &["/a.bak", "/x/y.bak.gz", "/.bak"],
                &["a.bak", "/abak"],
            ),
            (
                ".*/cache.*",
                true,
                &["/cache", "/x/cached"],
                &["x/cache", "/xcache"],
            ),
            ("/.*x.*", false, &["/ax", "/x"], &["ax", "/a"]),
            (
                "/etc/ssh/host_.*_key(|.pub)$",
                true,
                &["/etc/ssh/host_rsa_key", "/etc/ssh/host__key.pub"],
                &["/etc/ssh/host_rsa_keys", "/x/etc/ssh/host_a_key"],
            ),
            ("/ab.*c|d", true, &["/abxxc", "/ab/zzd"], &["/d", "d"]),
            (
                "/file.log",
                false,
                &["/file.log", "/filexlog", "/file.logs"],
                &["/filelog"],
            ),
            ("/a|/b", false, &["/a", "/ax", "x/b", "/x/b"], &["x/a"]),
            ("[.]a", true, &[".a", ".ab"], &["xa"]),
            ("[[]a", true, &["[a"], &["a"]),
            ("[^]a", false, &[], &[]),
            ("dev/.*", true, &["dev/x"], &["/dev/x"]),
            (".*", true, &["", "/a"], &[]),
            ("[a]b*", false, &["a", "abb"], &["b"]),
        ];
        for (text, optimised, matching, others) in cases {
            let Ok(expression) = Expression::new(text) else {
                assert!(matching.is_empty(), "{text} is refused");
                continue;
            };
            for path in *matching {
                assert!(expression.matches(path.as_bytes()), "{text} matches {path:?}");
            }
            for path in *others {
                assert!(
                    !expression.matches(path.as_bytes()),
                    "{text} does not match {path:?}"
                );
            }
            // `/.*x.*` is six bytes: a prefix `/` is too short to be split off, too.
            assert_eq!(expression.is_optimised(), *optimised, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_count_as_one_character_each() {
        let expression = Expression::new("/a.b$|/c[^x]{2}d$").unwrap();
        assert!(expression.matches(b"/a\xffb"));
        assert!(!expression.matches(b"/a\xff\xfeb"));
        assert!(expression.matches("/aéb".as_bytes()));
        assert!(expression.matches(b"/c\xff\xfed"));
        assert!(
            Expression::new("/tmp/\u{e9}")
                .unwrap()
                .matches("/tmp/é".as_bytes())
        );
        assert!(!Expression::new("/tmp/\\xe9").unwrap().matches(b"/tmp/\xe9"));
    }

    #[test]
    fn hostile_expressions_cost_neither_memory_nor_stack() {
        assert!(matches!(
            Expression::new(r"/(\pL{1000}|x)(\pN{1000}|y)*z"),
            Err(FilterError::Compile { .. })
        ));
        assert!(Expression::new(&"(".repeat(10_000)).is_err());
        let nested = format!("{}a{}", "(".repeat(50), ")*".repeat(50));
        let small_stack = std::thread::Builder::new().stack_size(1 << 20);
        let compiled = small_stack
            .spawn(move || Expression::new(&nested).is_ok())
            .unwrap()
            .join();
        assert!(compiled.unwrap());
        assert_eq!(
            Expression::new(&"a".repeat(70_000)).unwrap_err(),
            FilterError::TooLong
        );
        // Exponential for engines that back-track.
        let evil = matching("/x(a|a)*(a|a)*(a|a)*b$", &[&format!("/x{}", "a".repeat(5000))]);
        assert_eq!(evil, [false]);
    }
}
