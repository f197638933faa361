//! `POST /images/UUID?action=take-in`: an image's file, an archive of a root file system, becomes an image of the image server
//! (imgapi.md §22.3). An addition; done by a job.

use repository::access::check_operator;
use repository::job::JobKind;
use repository::json::Object;
use repository::manifest::Record;
use repository::{ApiError, Result};

use super::publish::{check_image_server, submitted};
use crate::answer::Answer;
use crate::request::Asked;

/// The names of image and job. Who asks again is told the same.
pub(super) async fn answer(asked: &Asked, record: &Record) -> Result<Answer> {
    check_operator(asked.parameters.account()?)?;
    check_image_server(asked)?;
    if !record.is_activated() {
        let message = "image is not active";
        return Err(ApiError::validation_failed("active", "Invalid", message));
    }
    submitted(asked, JobKind::TakeIn, record.uuid(), Object::new()).await
}
