//! Sends what is stored of an image: files and icons.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use actors::RepositoryError;
use repository::catalogue::Entry;
use repository::http::{ByteRange, Outcome, RangeAnswer, Tagged};
use repository::{ApiError, Code, Result, dates};

use crate::answer::{Answer, Content};
use crate::failures;
use crate::request::Asked;

/// What the catalogue knows of it.
pub(super) struct Stored<'a> {
    /// Its entity tag.
    pub(super) sha1: &'a str,
    /// Base64; records of old fixtures lack it.
    pub(super) md5: Option<&'a str>,
    /// Bytes. That many are sent, though there may be more on the disk (imgapi.md §12.3).
    pub(super) size: u64,
    /// When it was uploaded.
    pub(super) modified: Option<SystemTime>,
    /// What it is.
    pub(super) content_type: &'a str,
}

/// Tries to send what others replace at the same time.
const ATTEMPTS: usize = 8;

/// What `attempt` answers, once what it opened is what its catalogue told of.
///
/// # Errors
/// Those of the attempt; it was replaced at each.
pub(super) async fn settled(
    asked: &Asked,
    attempt: impl AsyncFn() -> Result<Option<Answer>>,
) -> Result<Answer> {
    for _ in 0..ATTEMPTS {
        if let Some(answer) = attempt().await? {
            return Ok(answer);
        }
    }
    Err(failures::always_changed(asked.image()?))
}

/// The answer: all of it, a part of it, or that the client has it already. `open` gives the file and its SHA-1; nothing if that
/// is another's than what was to be sent.
pub(super) async fn send(
    asked: &Asked,
    entry: &Entry,
    stored: &Stored<'_>,
    open: impl Future<Output = std::result::Result<(File, String), RepositoryError>>,
) -> Result<Option<Answer>> {
    let etag = entry.form().entity_tag(asked.version, false);
    let tagged = Tagged {
        etag: &etag,
        content: Some(stored.sha1),
        modified: stored.modified,
    };
    match asked.with_conditions(|conditions| conditions.check(&tagged, true)) {
        Outcome::Go => {}
        Outcome::NotModified => return Ok(Some(described(Answer::empty(304), stored))),
        Outcome::Failed(error) => return Err(error),
    }
    let (status, range) = match range(asked, stored) {
        RangeAnswer::Whole => (200, None),
        RangeAnswer::Part(range) => (206, Some(range)),
        RangeAnswer::Unsatisfiable => return Ok(Some(unsatisfiable(stored.size))),
    };
    let part = range.unwrap_or(ByteRange {
        start: 0,
        length: stored.size,
    });
    let (file, sha1) = match open.await {
        Ok(opened) => opened,
        // Deleted since.
        Err(RepositoryError::Missing(uuid)) => return Err(ApiError::image_not_found(uuid)),
        Err(error) => return Err(unreadable(entry, &error)),
    };
    if sha1 != stored.sha1 {
        return Ok(None);
    }
    check_length(&file, part.start + part.length).map_err(|error| unreadable(entry, &error))?;
    let mut answer = Answer::new(
        status,
        Content::of_file(asked.http.conn_data(), file, part.start, part.length),
    )
    .with_name(CONTENT_TYPE, stored.content_type)
    .with_name(ACCEPT_RANGES, "bytes");
    if let Some(range) = range {
        answer = answer.with_name(CONTENT_RANGE, &range.header(stored.size));
    }
    if let Some(md5) = stored.md5 {
        answer = answer.with("content-md5", md5);
    }
    Ok(Some(described(answer, stored)))
}

/// With what tells whether a client has it already.
fn described(answer: Answer, stored: &Stored<'_>) -> Answer {
    let answer = answer.with_name(ETAG, stored.sha1);
    match stored.modified {
        Some(modified) => answer.with_name(LAST_MODIFIED, &dates::http(modified)),
        None => answer,
    }
}

/// The part asked for; a condition on it that does not hold means everything (RFC 9110 §13.1.5).
fn range(asked: &Asked, stored: &Stored<'_>) -> RangeAnswer {
    let wanted = asked.header("range");
    if let Some(condition) = asked.header("if-range") {
        let tag = condition.trim().trim_matches('"');
        let date = dates::parse(&condition);
        let same_date = || date.is_some() && date == stored.modified.map(whole_seconds);
        if tag != stored.sha1 && !same_date() {
            return RangeAnswer::Whole;
        }
    }
    RangeAnswer::of(wanted.as_deref(), stored.size)
}

/// Headers have no parts of seconds.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

fn unsatisfiable(size: u64) -> Answer {
    let error = ApiError::new(
        Code::RangeNotSatisfiable,
        format!("the file has {size} bytes, none of them in that range"),
    );
    Answer::from(error).with_name(CONTENT_RANGE, &format!("bytes */{size}"))
}

/// Whether it has as many bytes as will be sent: that it is shorter is found out before the answer begins.
fn check_length(file: &File, end: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length < end {
        let message = format!("the file has {length} bytes, {end} are needed");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
    }
    Ok(())
}

fn unreadable(entry: &Entry, error: &dyn std::error::Error) -> ApiError {
    tracing::error!(uuid = %entry.uuid(), %error, "cannot read what is stored of the image");
    let message = format!("cannot read what is stored of image {}: {error}", entry.uuid());
    ApiError::new(Code::InternalError, message)
}
