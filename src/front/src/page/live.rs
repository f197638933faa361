//! Parts of pages that follow what happens, by server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Followers at a time, over all pages of a process.
const FOLLOWERS_MOST: usize = 512;
/// A sign of life this often, so that followers who left are noticed.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(15);

/// Answers with one event per item till the items end, the follower leaves, or the server drains. In the page an element
/// `<pre data-live="/path">` gets each event as a line.
pub fn live(server: &srpc::Server, items: impl Stream<Item = String> + 'static) -> HttpResponse {
    static FOLLOWERS: std::sync::LazyLock<Arc<Semaphore>> =
        std::sync::LazyLock::new(|| Arc::new(Semaphore::new(FOLLOWERS_MOST)));
    let Ok(permit) = Arc::clone(&FOLLOWERS).try_acquire_owned() else {
        return HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
            .content_type("text/plain; charset=utf-8")
            .body("too many followers: reload the page later\n");
    };
    let state = State {
        items: Box::pin(items),
        draining: server.draining().clone(),
        _permit: permit,
    };
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would hold events back.
        .insert_header((CONTENT_ENCODING, "identity"))
        .streaming(stream::unfold(state, next))
}

struct State {
    items: Pin<Box<dyn Stream<Item = String>>>,
    draining: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

async fn next(mut state: State) -> Option<(Result<Bytes, Infallible>, State)> {
    let text = tokio::select! {
        biased;
        () = state.draining.cancelled() => return None,
        item = state.items.next() => event(&item?),
        () = tokio::time::sleep(SIGN_OF_LIFE_EVERY) => ":\n\n".to_owned(),
    };
    Some((Ok(Bytes::from(text)), state))
}

fn event(item: &str) -> String {
    let mut text: String = item.lines().map(|line| format!("data: {line}\n")).collect();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_several_lines_is_one_event() {
        assert_eq!(event("a\nb"), "data: a\ndata: b\n\n");
    }
}
