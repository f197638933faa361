//! `?action=change-stor` (imgapi.md §13.7).

use repository::access::check_operator;
use repository::http::ApiVersion;
use repository::manifest::Record;
use repository::{ApiError, Code, Result};

use crate::answer::Answer;
use crate::change::{Change, entry};
use crate::request::Asked;

/// The image with the place of its file. There is one place here, so that nothing is ever moved.
pub(super) async fn answer(asked: &Asked, change: &Change, record: &Record) -> Result<Answer> {
    check_operator(change.account)?;
    let invalid = |code, message: String| Err(ApiError::validation_failed("stor", code, message));
    let not_implemented = |message| Err(ApiError::new(Code::NotImplemented, message));
    match asked.parameters.get_nonempty("stor").as_deref() {
        None => return invalid("MissingParameter", "missing \"stor\" query parameter".to_owned()),
        Some("local") => {}
        Some(other) => return invalid("Invalid", format!("unknown storage type \"{other}\"")),
    }
    if record.icon().is_some() {
        return not_implemented("cannot change stor for images with an icon");
    }
    if record.file_count() > 1 {
        return not_implemented("cannot change stor for images with multiple files");
    }
    if record.file(0).is_some_and(|file| file.stor != "local") {
        // A record of the original, whose file is in its object store.
        return Err(ApiError::new(
            Code::StorageUnsupported,
            "storage type is unsupported",
        ));
    }
    Ok(Answer::image_without_tag(
        &entry(asked, record),
        ApiVersion::Two,
        true,
    ))
}
