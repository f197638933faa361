//! `POST /state` (imgapi.md §17): the one action the original has.

use repository::{ApiError, Code, Result};

use crate::answer::Answer;
use crate::request::Asked;

/// Nothing is kept that could be dropped: lists and images are answered from one snapshot, and files by the kernel's cache. What
/// is asked for is so at once.
///
/// # Errors
/// No action, or another.
pub(super) fn answer(asked: &Asked) -> Result<Answer> {
    match asked.parameters.get_nonempty("action").as_deref() {
        Some("dropcaches") => Ok(Answer::empty(202)),
        Some(other) => Err(ApiError::new(
            Code::InvalidArgument,
            format!("\"{other}\" is not a valid action"),
        )),
        None => Err(ApiError::new(Code::MissingParameter, "\"action\" is required")),
    }
}
