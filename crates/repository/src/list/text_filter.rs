//! Filters on texts.

use crate::manifest::TYPES;
use memchr::memmem;

/// A filter on a name or version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFilter {
    /// All.
    Any,
    /// This text.
    Exact(String),
    /// Texts this one is a part of, in the same case.
    Contains(String),
    /// None: the parameter was repeated, and no text is a list.
    Nothing,
}

impl TextFilter {
    /// Of a parameter: `~` before it asks for a part.
    pub fn new(value: Option<&str>, is_repeated: bool) -> Self {
        match value {
            _ if is_repeated => Self::Nothing,
            None | Some("") => Self::Any,
            Some(value) => match value.strip_prefix('~') {
                Some(part) => Self::Contains(part.to_owned()),
                None => Self::Exact(value.to_owned()),
            },
        }
    }

    /// Whether a text passes.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == text,
            Self::Contains(part) => memmem::find(text.as_bytes(), part.as_bytes()).is_some(),
            Self::Nothing => false,
        }
    }
}

/// A filter on types of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeFilter {
    /// Which of [`TYPES`]; `None` for a type there is not.
    pub(crate) index: Option<usize>,
    /// Whether all others are asked for.
    pub(crate) is_inverted: bool,
}

impl TypeFilter {
    /// Of a parameter: `!` before it asks for all others.
    pub fn new(value: &str) -> Self {
        let (value, is_inverted) = value
            .strip_prefix('!')
            .map_or((value, false), |value| (value, true));
        Self {
            index: TYPES.iter().position(|kind| *kind == value),
            is_inverted,
        }
    }
}
