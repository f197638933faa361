//! One build: what is done and was done, and its log, while it happens and afterwards.
//!
//! `/build?NUMBER` for builds of this life of the daemon, `/build?STREAM/TIMESTAMP` for those in the archive. Where scripts run, the log
//! and what is above it follow the build by events; where they do not, the page asks again.

mod facts;
mod find;
mod follow;
mod log;

pub(super) use facts::{phases_table, progress};
pub(super) use find::{Subject, of_stream_last, of_stream_now};
pub(super) use follow::get as follow;

use std::convert::Infallible;

use super::actions;
use super::context::Context;
use super::links;
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::{Output, Query};
use front::site::Site;
use futures_util::stream;

/// Bytes of a log sent at a time.
const TEXT_PIECE_BYTES: usize = 256 << 10;
/// Seconds after which the page of a build that has not ended asks again, without scripts (`imaginator-web.md §2`).
const REFRESH_SECONDS: u32 = 2;

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let mut context = Context::of(&shared, &site, &request);
    let of_form = log::of_form(context.query);
    if let Some(query) = &of_form {
        context.query = query;
    }
    let name = Query::new(context.query).raw_name().into_owned();
    match find::by_name(&context, &name) {
        Some(subject) if Query::new(context.query).output() == Output::Text => text(subject),
        Some(subject) => page(&context, subject).await,
        None => context.not_found(
            "no such build",
            &format!(
                "There is no build {name} in the queue, running, among the last results or in the archive."
            ),
            "<a href=\"/\">what is being built</a>",
        ),
    }
}

/// The log as it is, as far as it has got.
pub(super) fn text(subject: Subject) -> HttpResponse {
    let log = std::sync::Arc::clone(subject.log());
    let pieces = stream::unfold(0, move |at| {
        let log = std::sync::Arc::clone(&log);
        async move {
            let read = web::block(move || log.read(at, TEXT_PIECE_BYTES)).await;
            let piece = read.ok().filter(|piece| !piece.is_empty())?;
            let next = at + piece.len() as u64;
            Some((Ok::<_, Infallible>(piece), next))
        }
    });
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming(pieces)
}

/// `/showCurrentBuildLog?STREAM`.
pub(super) async fn current_log(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let stream = context.name(|name| of_stream_now(&context, name).is_some());
    match of_stream_now(&context, &stream) {
        Some(subject) => page(&context, subject).await,
        None => context.told("no build is running", &format!("unknown image: {stream}")),
    }
}

/// `/showLastBuildLog?STREAM`.
pub(super) async fn last_log(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let stream = context.name(|name| of_stream_last(&context, name).is_some());
    match of_stream_last(&context, &stream) {
        Some(subject) => page(&context, subject).await,
        None => context.told("no build has ended", &format!("unknown image: {stream}")),
    }
}

/// The page of a build, wherever it was found.
async fn page(context: &Context<'_>, subject: Subject) -> HttpResponse {
    let asked = log::Asked::of(context.query);
    let (subject, shown) = match log::show(subject, asked).await {
        Ok(shown) => shown,
        Err(error) => return context.failed(&error),
    };
    let stream = subject.stream().to_owned();
    let mut body = actions::who(context);
    body += &format!(
        "<div id=\"state\">{}</div>",
        facts::state(context.shared, &subject)
    );
    body += &format!("<div id=\"actions\">{}</div>", buttons(context, &subject));
    body += &format!(
        "<h2>Phases</h2><div id=\"phases\">{}</div><h2>Log</h2>{}",
        phases_table(context.shared, &subject),
        shown
    );
    let mut page = context
        .page_of(&stream, format!("build of {stream}"))
        .crumb(subject.link(), subject.short_name())
        .command(links::command("-alwaysShowBuildLog build-image", &[&stream]))
        .body(body);
    if !subject.has_ended() {
        page = page.refresh_without_scripts(REFRESH_SECONDS);
    }
    page.respond()
}

/// What can be done about it.
fn buttons(context: &Context<'_>, subject: &Subject) -> String {
    match subject.to_be_cancelled() {
        Some(number) => actions::cancel_button(context, number),
        None if subject.has_ended() => actions::build_button(context, subject.stream()),
        None => String::new(),
    }
}
