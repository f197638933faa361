//! A filter ready to match.

use super::expression::LARGEST_BYTES;
use super::{Expression, FilterError, MAXIMUM_LINES};
use crate::Filter;

/// The line that inverts a filter.
const INVERT: &str = "!";

/// A filter ready to match paths; matching means that the path is excluded.
#[derive(Clone, Debug)]
pub struct CompiledFilter {
    expressions: Vec<Expression>,
    inverted: bool,
    unoptimised: Vec<String>,
}

impl CompiledFilter {
    /// Compiles all lines of a filter.
    ///
    /// # Errors
    /// The first line that is no expression.
    pub fn new(filter: &Filter) -> Result<Self, FilterError> {
        Self::from_lines(filter.filter_lines.iter().map(String::as_str))
    }

    /// Compiles lines.
    ///
    /// # Errors
    /// The first line that is no expression.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        Self::compile(lines, Expression::new)
    }

    /// Compiles lines of strangers, which together may take so many bytes, with what the engine puts beside them when it matches. Returns
    /// how many that can be at most, too.
    ///
    /// # Errors
    /// The first line that is no expression; all together take more.
    pub fn within<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        most_bytes: usize,
    ) -> Result<(Self, usize), FilterError> {
        let mut left = most_bytes;
        let compiled = Self::compile(lines, |line| {
            let (expression, bytes) = Expression::measured(line, left).map_err(|error| match error {
                FilterError::Compile { .. } if left < LARGEST_BYTES => {
                    FilterError::TooLargeTogether(most_bytes)
                }
                error => error,
            })?;
            left = left
                .checked_sub(bytes)
                .ok_or(FilterError::TooLargeTogether(most_bytes))?;
            Ok(expression)
        })?;
        Ok((compiled, most_bytes - left))
    }

    fn compile<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        mut expression_of: impl FnMut(&str) -> Result<Expression, FilterError>,
    ) -> Result<Self, FilterError> {
        let mut compiled = Self {
            expressions: Vec::new(),
            inverted: false,
            unoptimised: Vec::new(),
        };
        for line in lines {
            if line == INVERT {
                compiled.inverted = true;
                continue;
            }
            if compiled.expressions.len() >= MAXIMUM_LINES {
                return Err(FilterError::TooManyLines);
            }
            let expression = expression_of(line)?;
            if !expression.is_optimised() {
                compiled.unoptimised.push(line.to_owned());
            }
            compiled.expressions.push(expression);
        }
        Ok(compiled)
    }

    /// Whether a path is excluded. Linear in the length of the path, and in the number of lines.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.expressions.iter().any(|expression| expression.matches(path)) != self.inverted
    }

    /// Whether the line `!` inverts the filter.
    pub fn is_inverted(&self) -> bool {
        self.inverted
    }

    /// The lines that had to be compiled as regular expressions, in their order; operators like to know.
    pub fn unoptimised(&self) -> &[String] {
        &self.unoptimised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverted_filter_excludes_what_no_line_matches() {
        let filter = CompiledFilter::from_lines(["/a", "!", "/b"]).unwrap();
        assert!(!filter.matches(b"/a/x"));
        assert!(!filter.matches(b"/b"));
        assert!(filter.matches(b"/c"));
        assert!(CompiledFilter::from_lines(["!"]).unwrap().matches(b"/anything"));
    }

    #[test]
    fn an_empty_filter_excludes_nothing() {
        assert!(!CompiledFilter::new(&Filter::default()).unwrap().matches(b"/a"));
    }

    #[test]
    fn unoptimised_lines_are_listed() {
        let lines = ["/plain", "/a/.*", "/file.log", "/var/log(|/.*)$", "/x|/y"];
        let filter = CompiledFilter::from_lines(lines).unwrap();
        assert_eq!(filter.unoptimised(), ["/file.log", "/x|/y"]);
    }

    #[test]
    fn a_bad_line_is_an_error() {
        assert_eq!(
            CompiledFilter::from_lines(["/a", ""]).unwrap_err(),
            FilterError::Empty
        );
        assert!(CompiledFilter::from_lines(["/a", "("]).is_err());
    }

    #[test]
    fn lines_of_strangers_share_what_they_may_take() {
        let within = |line: &str, count: usize| {
            let lines = std::iter::repeat_n(line, count);
            CompiledFilter::within(lines, 16 << 20).map(|(_, bytes)| bytes)
        };
        let large = "(a|b)([^x]{900})";
        let one = within(large, 1).unwrap();
        assert!((100 << 10..12 << 20).contains(&one), "{one}");
        assert_eq!(within(large, 64), Err(FilterError::TooLargeTogether(16 << 20)));
        // What manifests have takes little, so that nobody's filter is refused.
        let usual = within(r"/var/lib/[^/]*/.*\.log(|\.[0-9]+)$", 200).unwrap();
        assert!(usual < 12 << 20, "{usual}");
        let plain = within("/var/log/.*", 10_000).unwrap();
        assert!(plain < 4 << 20, "{plain}");
        // Not for being many.
        let error = within("(a|b)([^x]{90000})", 1).unwrap_err();
        assert!(
            matches!(error, FilterError::Syntax { .. } | FilterError::Compile { .. }),
            "{error}"
        );
    }
}
