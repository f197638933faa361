//! The body of a request.

use actix_web::web::Payload;
use actix_web::{HttpRequest, error::PayloadError};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use repository::http::{Body, check_content_md5, decode_body};
use repository::manifest::MAXIMUM_BODY_BYTES;
use repository::{ApiError, Code, Result};
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{BODY_STALL, DRAIN_TIME, DRAINED_BYTES_MOST};
use crate::request::header;

/// A body that is read by whoever wants it, once.
pub(crate) struct Incoming {
    payload: Payload,
    /// Bytes that are to come, where the head says so.
    rest: Option<u64>,
    is_over: bool,
}

impl Incoming {
    pub(crate) fn new(http: &HttpRequest, payload: Payload) -> Self {
        Self {
            payload,
            rest: announced(http),
            is_over: false,
        }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or the client sends nothing for [`BODY_STALL`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.is_over {
            return Ok(None);
        }
        let next = timeout(BODY_STALL, self.payload.next()).await;
        let next = next
            .map_err(|_| stalled())
            .and_then(|next| next.transpose().map_err(|error| broken(&error)));
        match &next {
            Ok(Some(chunk)) => self.came(chunk.len()),
            _ => self.is_over = true,
        }
        next
    }

    fn came(&mut self, length: usize) {
        self.rest = self.rest.map(|rest| rest.saturating_sub(length as u64));
    }

    /// All of it as a value: JSON or a form, of which `http` is the head (imgapi.md §3).
    ///
    /// # Errors
    /// It is longer than 16 MiB, is not what its headers say, or does not arrive.
    pub(crate) async fn value(&mut self, http: &HttpRequest) -> Result<Body> {
        let too_long = || {
            let message = format!("request body is longer than {MAXIMUM_BODY_BYTES} bytes");
            ApiError::new(Code::RequestEntityTooLarge, message)
        };
        if announced(http).is_some_and(|length| length > MAXIMUM_BODY_BYTES as u64) {
            return Err(too_long());
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            if bytes.len() + chunk.len() > MAXIMUM_BODY_BYTES {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        let kind = header(http, "content-type");
        if kind
            .as_ref()
            .is_some_and(|kind| kind.starts_with("application/json"))
        {
            check_content_md5(&bytes, header(http, "content-md5").as_deref())?;
        }
        let is_gzip =
            header(http, "content-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("gzip"));
        decode_body(&bytes, kind.as_deref(), is_gzip)
    }

    /// Reads what nobody wanted, so that the next request on the connection is found; a long rest is left, and the connection
    /// closed behind the answer.
    pub(crate) async fn drain(&mut self) {
        // At once: who has much to send would wait for the answer till all of it is sent.
        if self.rest.is_some_and(|rest| rest > DRAINED_BYTES_MOST as u64) {
            return;
        }
        let deadline = Instant::now() + DRAIN_TIME;
        let mut drained = 0;
        while !self.is_over && drained < DRAINED_BYTES_MOST {
            match timeout_at(deadline, self.payload.next()).await {
                Ok(Some(Ok(chunk))) => drained += chunk.len(),
                Ok(Some(Err(_)) | None) => self.is_over = true,
                Err(_) => return,
            }
        }
    }
}

/// The length that a head announces for its body.
pub(crate) fn announced(http: &HttpRequest) -> Option<u64> {
    header(http, "content-length").and_then(|length| length.trim().parse().ok())
}

fn stalled() -> ApiError {
    let message = format!(
        "nothing of the request body arrived for {} s",
        BODY_STALL.as_secs()
    );
    ApiError::new(Code::Upload, message)
}

fn broken(error: &PayloadError) -> ApiError {
    ApiError::new(Code::Upload, format!("the request body does not arrive: {error}"))
}
