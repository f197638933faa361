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

/// Something that happened, for those who follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Where to go on after it: a follower whose connection broke says the last one (`Last-Event-ID`). Nothing if empty.
    pub id: String,
    /// What kind of event; a plain message if empty.
    pub name: &'static str,
    /// Text of any number of lines.
    pub data: String,
}

impl Event {
    /// HTML that takes the place of what is in the element of this id. In the page, `data-follow="/path"` on any element asks for
    /// such events.
    pub fn part(id: &str, html: &str) -> Self {
        Self {
            name: "part",
            data: serde_json::json!({ "id": id, "html": html }).to_string(),
            ..Self::default()
        }
    }

    /// HTML of further lines for the element with `data-follow`; `id` is where to go on.
    pub fn lines(id: impl ToString, html: impl Into<String>) -> Self {
        Self {
            id: id.to_string(),
            name: "lines",
            data: html.into(),
        }
    }

    /// Nothing more will happen: the follower leaves for good.
    pub fn end() -> Self {
        Self {
            name: "end",
            ..Self::default()
        }
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 64);
        if !self.id.is_empty() {
            text += &format!("id: {}\n", self.id);
        }
        if !self.name.is_empty() {
            text += &format!("event: {}\n", self.name);
        }
        // A carriage return ends a line of the stream as well.
        for line in self.data.split(['\n', '\r']) {
            text += "data: ";
            text += line;
            text.push('\n');
        }
        text.push('\n');
        text
    }
}

/// Answers with one event per item till the items end, the follower leaves, or the server drains. In the page an element
/// `<pre data-live="/path">` gets each event as a line.
pub fn live(server: &srpc::Server, items: impl Stream<Item = String> + 'static) -> HttpResponse {
    let message = |item: String| Event {
        data: item.trim_end_matches(['\n', '\r']).replace("\r\n", "\n"),
        ..Event::default()
    };
    live_events(server, items.map(message))
}

/// The same for events of any kind.
pub fn live_events(server: &srpc::Server, items: impl Stream<Item = Event> + 'static) -> HttpResponse {
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
    items: Pin<Box<dyn Stream<Item = Event>>>,
    draining: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

async fn next(mut state: State) -> Option<(Result<Bytes, Infallible>, State)> {
    let text = tokio::select! {
        biased;
        () = state.draining.cancelled() => return None,
        item = state.items.next() => item?.text(),
        () = tokio::time::sleep(SIGN_OF_LIFE_EVERY) => ":\n\n".to_owned(),
    };
    Some((Ok(Bytes::from(text)), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_several_lines_is_one_event() {
        let message = Event {
            data: "a\nb".to_owned(),
            ..Event::default()
        };
        assert_eq!(message.text(), "data: a\ndata: b\n\n");
    }

    #[test]
    fn no_text_begins_an_event_of_its_own() {
        let lines = Event::lines(7, "<b>\r\nevent: end\r\rdata: x</b>\n");
        assert_eq!(
            lines.text(),
            "id: 7\nevent: lines\ndata: <b>\ndata: \ndata: event: end\ndata: \ndata: data: x</b>\ndata: \n\n"
        );
        assert_eq!(Event::end().text(), "event: end\ndata: \n\n");
        let part = Event::part("x", "a\nb");
        assert_eq!(
            part.text(),
            "event: part\ndata: {\"id\":\"x\",\"html\":\"a\\nb\"}\n\n"
        );
    }
}
