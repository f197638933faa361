//! A filter ready to match.

use super::{Expression, FilterError, MAXIMUM_COMPILED_BYTES, MAXIMUM_LINES};
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
        Self::each_within(lines, MAXIMUM_COMPILED_BYTES)
    }

    /// Compiles lines of strangers: all together may take so many bytes, each its part of it.
    ///
    /// # Errors
    /// The first line that is no expression, or takes more than its part.
    pub fn within(filter: &Filter, most_bytes: usize) -> Result<Self, FilterError> {
        let part = most_bytes / filter.filter_lines.len().max(1);
        let lines = filter.filter_lines.iter().map(String::as_str);
        Self::each_within(lines, part.min(MAXIMUM_COMPILED_BYTES))
    }

    fn each_within<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        most_bytes: usize,
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
            let expression = Expression::within(line, most_bytes)?;
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
        let lines = |count| Filter {
            filter_lines: vec!["(a|b)([^x]{900})".to_owned(); count],
        };
        CompiledFilter::within(&lines(1), 8 << 20).unwrap();
        assert!(matches!(
            CompiledFilter::within(&lines(64), 8 << 20),
            Err(FilterError::Compile { .. })
        ));
    }
}
