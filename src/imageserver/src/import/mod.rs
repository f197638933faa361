//! Objects and trees from an HTTP server: what `ImportObjects` and `ImportTree` share (`imageserver.md §3.21`, `§4.4`).

mod assemble;
mod fetch;
mod tree_text;
mod tree_url;

pub(crate) use assemble::{Assembly, PartKind};
pub(crate) use fetch::{Fetcher, PARALLEL_FETCHES, Wanted};
pub(crate) use tree_url::TreeUrl;

/// Why an import failed. The texts reach the caller in the reply's error field.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The URL is not `BASE/tree/HASH`.
    #[error("not a tree")]
    NotATree,
    /// The last part of the URL is no hash.
    #[error("bad hash in tree URL: {0}")]
    BadHash(String),
    /// The other server answered with something else than the object.
    #[error("{url}: {what}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// The other server could not be asked.
    #[error("{url}: {source}")]
    Http {
        /// What was asked for.
        url: String,
        /// Why it failed.
        source: reqwest::Error,
    },
    /// The object could not be stored.
    #[error("{0}")]
    Store(String),
    /// A line of a tree is not an entry.
    #[error("tree {tree}: line {line}: {what}")]
    BadEntry {
        /// Hash of the tree.
        tree: hash::Hash,
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// More than a bound allows.
    #[error("tree is too large: more than {limit} {what}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}
