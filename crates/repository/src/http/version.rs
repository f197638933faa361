//! `Accept-Version` (imgapi.md §3.2).

use crate::error::{ApiError, Code, Result};

/// Version of the interface an answer is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// Without channels in manifests.
    One,
    /// With them.
    Two,
}

/// A version as ranges compare it.
type Version = [u64; 3];

/// The version of an answer: the greater of those there are that the range admits; no header counts as `~1`.
///
/// # Errors
/// None is in the range: `method` and `path` (without its query) are in the message.
pub fn api_version(header: Option<&str>, method: &str, path: &str) -> Result<ApiVersion> {
    let Some(range) = header else {
        return Ok(ApiVersion::One);
    };
    if admits(range, [2, 0, 0]) {
        return Ok(ApiVersion::Two);
    }
    if admits(range, [1, 0, 0]) {
        return Ok(ApiVersion::One);
    }
    let message = format!("{range} is not supported by {method} {path}");
    Err(ApiError::new(Code::InvalidVersion, message))
}

/// Whether a range of npm's admits a version: alternatives with `||`, of comparisons side by side or `a - b`.
fn admits(range: &str, version: Version) -> bool {
    range
        .split("||")
        .any(|alternative| admits_all(alternative.trim(), version).unwrap_or(false))
}

/// `None` for what is no range.
fn admits_all(text: &str, version: Version) -> Option<bool> {
    if let Some((from, to)) = text.split_once(" - ") {
        let (from, to) = (Partial::parse(from.trim())?, Partial::parse(to.trim())?);
        return Some(version >= from.least() && to.after().is_none_or(|after| version < after));
    }
    let mut admits = true;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        // An operator may stand apart from its version.
        let is_operator = word.chars().all(|c| "<>=~^".contains(c));
        let joined = if is_operator {
            format!("{word}{}", words.next()?)
        } else {
            word.to_owned()
        };
        admits &= compare(&joined, version)?;
    }
    Some(admits)
}

fn compare(text: &str, version: Version) -> Option<bool> {
    let at = text.find(|c: char| !"<>=~^".contains(c)).unwrap_or(text.len());
    let (operator, rest) = text.split_at(at);
    let partial = Partial::parse(rest)?;
    let below = |after: Option<Version>| after.is_none_or(|after| version < after);
    Some(match operator {
        "" | "=" => version >= partial.least() && below(partial.after()),
        "~" | "~>" => version >= partial.least() && below(partial.after_tilde()),
        "^" => version >= partial.least() && below(partial.after_caret()),
        ">=" => version >= partial.least(),
        "<" => version < partial.least(),
        ">" => partial.after().is_some_and(|after| version >= after),
        "<=" => below(partial.after()),
        _ => return None,
    })
}

/// A version some of whose parts may be left open.
struct Partial {
    parts: Vec<u64>,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', '=']).unwrap_or(text);
        let mut parts = Vec::new();
        let mut is_open = text.is_empty();
        for part in text.split('.').filter(|_| !text.is_empty()) {
            if matches!(part, "*" | "x" | "X") {
                is_open = true;
            } else if parts.len() == 3 || part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            } else if !is_open {
                parts.push(part.parse().ok()?);
            }
        }
        Some(Self { parts })
    }

    fn least(&self) -> Version {
        let part = |index: usize| self.parts.get(index).copied().unwrap_or(0);
        [part(0), part(1), part(2)]
    }

    /// The first version above all that fit; `None` if all do.
    fn after(&self) -> Option<Version> {
        self.bumped(self.parts.len().checked_sub(1)?)
    }

    fn after_tilde(&self) -> Option<Version> {
        self.bumped(self.parts.len().checked_sub(1)?.min(1))
    }

    fn after_caret(&self) -> Option<Version> {
        let last = self.parts.len().checked_sub(1)?;
        let first = self.parts.iter().position(|&part| part != 0).unwrap_or(last);
        self.bumped(first)
    }

    fn bumped(&self, index: usize) -> Option<Version> {
        let mut version = self.least();
        version[index] = version[index].checked_add(1)?;
        version[index + 1..].fill(0);
        Some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_choose_the_version_the_original_chooses() {
        let one = [
            "~1",
            "1.0.0",
            "^1",
            "<2",
            "1",
            "1.x",
            "<=1.0.0",
            "<2.0.0 >=1",
            "= 1.0.0",
        ];
        let two = [
            "*",
            "",
            "~2",
            "2.0.0",
            ">=2",
            ">=1",
            "^2.0.0",
            "1 || 2",
            "1.0.0 - 2.0.0",
            "x",
            "2.x.x",
            "~2.0",
            ">1.5",
        ];
        let none = [
            "~99", "~2.1", "garbage", "~3", "1.0.1", "^2.0.1", ">2", "2.0.0.0", "~", "><1", "1..0",
        ];
        for range in one {
            assert_eq!(
                api_version(Some(range), "GET", "/images"),
                Ok(ApiVersion::One),
                "{range:?}"
            );
        }
        for range in two {
            assert_eq!(
                api_version(Some(range), "GET", "/images"),
                Ok(ApiVersion::Two),
                "{range:?}"
            );
        }
        for range in none.iter().filter(|range| **range != "~") {
            let error = api_version(Some(range), "GET", "/images").unwrap_err();
            assert_eq!(
                error.message(),
                format!("{range} is not supported by GET /images")
            );
            assert_eq!(error.status(), 400);
        }
        assert_eq!(api_version(None, "GET", "/images"), Ok(ApiVersion::One));
    }

    proptest! {
        #[test]
        fn no_range_makes_it_panic(range in ".{0,40}", parts in "[~^<>=0-9.xX* |v-]{0,40}") {
            let _ = api_version(Some(&range), "GET", "/");
            let _ = api_version(Some(&parts), "GET", "/");
        }
    }
}
