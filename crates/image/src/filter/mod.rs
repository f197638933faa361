//! Path expressions and the filters made of them (image-manifest.md §6).

mod class;
mod compiled;
mod escape;
mod expression;
mod lines;
mod translate;

pub use compiled::CompiledFilter;
pub use expression::Expression;
pub use lines::{merge, parse_lines};

/// Bytes of one expression, at most.
pub const MAXIMUM_EXPRESSION_BYTES: usize = 64 << 10;

/// Lines of one filter, at most.
pub const MAXIMUM_LINES: usize = 100_000;

/// Bytes one compiled expression may take, which bounds what repetitions blow up to.
pub const MAXIMUM_COMPILED_BYTES: usize = 8 << 20;

/// Groups inside each other in an expression, at most. The engine recurses over them: 240 overflow a stack of 2 MiB.
pub const MAXIMUM_NESTING: u32 = 50;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nothing there: it would match everything, which nobody means.
    #[error("empty regular expression")]
    Empty,
    /// Not RE2 syntax. The words are those of Go where it has words for it.
    #[error("error parsing regexp: {problem}: `{text}`")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// The offending part.
        text: String,
    },
    /// Understood, but the engine refuses it.
    #[error("error compiling regexp: `{expression}`: {cause}")]
    Compile {
        /// The expression.
        expression: String,
        /// What the engine says.
        cause: String,
    },
    /// Longer than [`MAXIMUM_EXPRESSION_BYTES`].
    #[error("regular expression longer than {MAXIMUM_EXPRESSION_BYTES} bytes")]
    TooLong,
    /// The lines of a stranger's filter, together.
    #[error("the lines of the filter take more than {} once compiled", human::bytes(*.0 as u64))]
    TooLargeTogether(usize),
    /// More than [`MAXIMUM_LINES`].
    #[error("filter has more than {MAXIMUM_LINES} lines")]
    TooManyLines,
}
