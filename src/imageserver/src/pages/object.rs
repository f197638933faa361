//! `/getObject?HEX`: an object as it is, for browsers without a certificate where that is allowed.

use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::{ObjectError, ObjectStore};
use bytes::Bytes;
use futures_util::stream;
use hash::Hash;

/// Streams an object. Nothing about a name that is no hash, or of an object that is damaged, gets as far as a body.
pub(crate) async fn get(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let text = request.query_string().to_owned();
    let hash: Hash = match text.parse() {
        Ok(hash) => hash,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &format!("{error}: {text}")),
    };
    let object = match shared.objects.open_verified(&hash).await {
        Ok(object) => object,
        Err(error @ ObjectError::Unknown(_)) => return plain(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => return plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    };
    let size = object.size();
    let chunks = stream::unfold(Some(object), |object| async move {
        let mut object = object?;
        let chunk = object.next_chunk().await?;
        let failed = chunk.is_err();
        // Ends the connection before the announced length, so that nobody takes what came for the whole.
        Some((chunk.map_err(std::io::Error::other), (!failed).then_some(object)))
    });
    HttpResponse::Ok()
        .content_type("application/octet-stream")
        .body(actix_web::body::SizedStream::new(size, chunks))
}

fn plain(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(format!("{text}\n"))
}

/// Some of an object's content.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) size: u64,
}

/// Objects that are read for a page: a tenth of a second.
const READ_BYTES_MAX: u64 = 64 << 20;

/// Reads the start of an object, up to `bytes_max`; nothing if the object is too large for a page. It is read to its end all the
/// same: nothing of a damaged one is shown.
pub(super) async fn read(
    objects: &ObjectStore,
    hash: Hash,
    bytes_max: u64,
) -> Result<Option<Content>, ObjectError> {
    let mut object = objects.open_verified(&hash).await?;
    let size = object.size();
    if size > READ_BYTES_MAX {
        return Ok(None);
    }
    let wanted = usize::try_from(size.min(bytes_max)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(wanted);
    while let Some(chunk) = object.next_chunk().await {
        let chunk: Bytes = chunk?;
        let rest = (wanted - bytes.len()).min(chunk.len());
        bytes.extend_from_slice(chunk.get(..rest).unwrap_or_default());
    }
    Ok(Some(Content { bytes, size }))
}
