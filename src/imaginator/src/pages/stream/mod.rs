//! `/showImageStream?STREAM`: what a stream is made from, what became of it, what hangs on it.

mod bootstrap;
mod history;
mod manifest;
mod relatives;
mod user;

use super::context::Context;
use super::{actions, links, state_word};
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::{Output, Query};
use front::site::Site;
use recipe::Found;

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let current = shared.configuration.current();
    // Streams that only fit a pattern are not shown, as in the original.
    let find = |name: &str| match current.configuration.bootstrap_streams.get(name) {
        Some(stream) => Some(Found::Bootstrap(stream.clone())),
        None => {
            let mut streams = current.streams.iter();
            streams
                .find(|(known, _)| *known == name)
                .map(|(_, stream)| Found::User(stream.clone()))
        }
    };
    let name = context.name(|name| find(name).is_some());
    let Some(found) = find(&name) else {
        return context.told("no such stream", &format!("Stream: {name} does not exist!"));
    };
    let snapshot = shared.scheduler.snapshot();
    let table = history::table(&context, &snapshot, &name);
    let page = context
        .page_of(&name, name.clone())
        .command(links::command("build-image", &[&name]));
    if Query::new(context.query).output() != Output::Html {
        return table.respond(&form_of(context.query, &name), page);
    }
    let mut body = actions::who(&context);
    body += &format!("<p>{}</p>", state_word::of_stream(&snapshot, &name).html());
    body += &actions::build_button(&context, &name);
    body += &relatives::facts(&context, &snapshot, &name, &found);
    body += "<h2>Builds</h2>";
    body += &history::strip(&snapshot, &name);
    body += &table.html();
    body += &front::page::Table::alternatives(&front::page::encode(&name));
    body += &match &found {
        Found::Bootstrap(stream) => bootstrap::details(stream),
        Found::User(stream) => user::details(&name, stream) + &manifest::show(&context, &name, stream).await,
    };
    page.body(body).respond()
}

/// The query of another form of the table: the name may hold what looks like a parameter.
fn form_of(query: &str, name: &str) -> String {
    let output = Query::new(query).get("output").unwrap_or_default().into_owned();
    format!("{}&output={output}", front::page::encode(name))
}
