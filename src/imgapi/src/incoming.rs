//! The body of a request.

use actix_web::http::header::TRANSFER_ENCODING;
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
        let rest = announced(http);
        // A head that says neither has no body: what follows a `CONNECT` or an upgrade never ends.
        let has_body = rest.is_some() || http.headers().contains_key(TRANSFER_ENCODING);
        Self {
            payload,
            rest,
            is_over: !has_body,
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

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::BoxedPayloadStream;
    use actix_web::dev::Payload as Source;
    use actix_web::test::TestRequest;
    use actix_web::{FromRequest as _, http::header::CONTENT_LENGTH};
    use futures_util::{Stream, stream};
    use std::time::Duration;

    /// A request's body whose bytes are those of `pieces`, whatever its head says.
    async fn incoming(http: &HttpRequest, pieces: impl Stream<Item = Bytes> + 'static) -> Incoming {
        let pieces: BoxedPayloadStream = Box::pin(pieces.map(Ok));
        let payload = Payload::from_request(http, &mut Source::Stream { payload: pieces }).await;
        Incoming::new(http, payload.unwrap())
    }

    /// The head of one that announces 1000 bytes.
    fn head() -> HttpRequest {
        TestRequest::default()
            .insert_header((CONTENT_LENGTH, "1000"))
            .to_http_request()
    }

    /// A hundred bytes each time that much time has passed, then nothing more.
    fn every(pause: Duration, count: u32) -> impl Stream<Item = Bytes> {
        let pieces = stream::unfold(0, move |number| async move {
            tokio::time::sleep(pause).await;
            (number < count).then(|| (Bytes::from_static(&[7; 100]), number + 1))
        });
        pieces.chain(stream::pending())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_cut_off_and_a_slow_one_is_not() {
        let begun = Instant::now();
        let nearly = BODY_STALL - Duration::from_secs(1);
        let mut body = incoming(&head(), every(nearly, 10)).await;
        for _ in 0..10 {
            assert_eq!(body.next().await.unwrap().map(|piece| piece.len()), Some(100));
        }
        assert_eq!(begun.elapsed(), nearly * 10);
        let mut body = incoming(&head(), every(nearly, 2)).await;
        let begun = Instant::now();
        assert!(body.next().await.is_ok() && body.next().await.is_ok());
        let cut = body.next().await.unwrap_err();
        assert_eq!((cut.status(), cut.word()), (400, "Upload"));
        assert!(cut.message().contains("arrived for 120 s"), "{}", cut.message());
        assert_eq!(begun.elapsed(), nearly * 2 + BODY_STALL);
        // And that is its end.
        assert!(body.next().await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wants_is_waited_for_a_short_time_and_no_longer() {
        let begun = Instant::now();
        let mut body = incoming(&head(), every(Duration::from_secs(1), 1000)).await;
        body.drain().await;
        assert_eq!(begun.elapsed(), DRAIN_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_a_head_that_announces_nothing_is_no_body() {
        let http = TestRequest::default().to_http_request();
        let begun = Instant::now();
        let mut body = incoming(&http, stream::pending()).await;
        body.drain().await;
        assert!(body.next().await.unwrap().is_none());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
