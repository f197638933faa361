//! `/showDirectedGraph`: which stream is built from which, drawn here (`imaginator-web.md §4`).
//!
//! `output=svg`, `dot`, `text` and `json` give the picture alone, Graphviz's text, an indented text and a list of the same.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::actions::is_of_own_page;
use super::context::{Context, exact, preformatted, since};
use super::{links, state_word};
use crate::state::Shared;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::stream_scheduler::{Dependencies, Snapshot};
use front::page::{Page, Query, empty, escape};
use front::site::Site;
use recipe::graph::{self, Kind, Layout, Look, Place, Relations};

/// Streams that are drawn; a browser can show no more of them.
const DRAWN_MOST: usize = 3_000;
/// Younger data are not made again (`imaginator-web.md §4`).
const FRESH: Duration = Duration::from_secs(2);
/// How long a page waits for new data.
const WAIT_MOST: Duration = Duration::from_secs(60);

/// `GET`: the page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let snapshot = context.shared.scheduler.snapshot();
    let dependencies = &snapshot.dependencies;
    let query = Query::new(context.query);
    let all = |name| {
        query
            .all(name)
            .map(std::borrow::Cow::into_owned)
            .collect::<Vec<_>>()
    };
    let relations = context.shared.relations(dependencies);
    let relations = relations.filtered(&all("exclude"), &all("include"));
    match query.get("output").as_deref() {
        Some("dot") => return plain("text/vnd.graphviz; charset=utf-8", relations.dot()),
        Some("text") => {
            let layout = Layout::of(&relations);
            let word = |name: &str| state_word::of_stream(&snapshot, name).word().to_owned();
            return plain("text/plain; charset=utf-8", layout.text(word));
        }
        Some("svg") => {
            let layout = Layout::of(&relations);
            return plain(
                "image/svg+xml",
                graph::svg(&layout, |place| look(&snapshot, place)),
            );
        }
        Some("json") => return plain("application/json", json(&snapshot, &Layout::of(&relations))),
        _ => {}
    }
    let mut body = quick_links(context);
    body += &body_of(&snapshot, &relations, context.query);
    body += &attempts(dependencies);
    Page::new(context.site, "image stream relationships")
        .crumb("/showDirectedGraph", "graph")
        .command("builder-tool get-digraph")
        .body(body)
        .respond()
}

/// `POST`: makes the data again, unless they are fresh, and shows them. Anybody may, as in the original: the scheduler makes them
/// once for all who ask within two seconds, or longer if that is work. But no page of another site has its readers ask for it.
pub(super) async fn regenerate(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    if !is_of_own_page(request.headers()) {
        return front::page::problem(
            &site,
            StatusCode::FORBIDDEN,
            "not allowed",
            "The request was made by a page of another site.",
            "Use the button below the <a href=\"/showDirectedGraph\">graph</a>, or <code>builder-tool get-dependencies</code>.",
        );
    }
    // Late data are shown as soon as they are there; the page tells how old what it shows is.
    let _ = tokio::time::timeout(WAIT_MOST, shared.scheduler.dependencies(FRESH)).await;
    let query = match request.query_string() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    HttpResponse::Found()
        .insert_header((header::LOCATION, format!("{}{query}", request.path())))
        .finish()
}

fn plain(kind: &'static str, text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(text)
}

fn look(snapshot: &Snapshot, place: &Place) -> Look {
    let is_stream = matches!(place.kind, Kind::Bootstrap | Kind::User);
    Look {
        state: state_word::of_stream(snapshot, &place.name).state,
        link: if is_stream {
            links::stream(&place.name)
        } else {
            String::new()
        },
    }
}

/// The picture, and the same to read.
fn body_of(snapshot: &Snapshot, relations: &Relations, query: &str) -> String {
    if snapshot.dependencies.generated_at.is_none() && relations.names().is_empty() {
        return empty(
            "No data generated yet",
            "They come from the manifests of all streams: ask again in a moment.",
        );
    }
    let layout = Layout::of(relations);
    if layout.places.is_empty() {
        return empty(
            "No stream is left.",
            "<a href=\"/showDirectedGraph\">Show all of them</a>, or exclude fewer: <code>?exclude=NAME&amp;include=NAME</code>",
        );
    }
    let picture = if layout.places.len() > DRAWN_MOST {
        let why = format!("{} streams are too many for a picture.", layout.places.len());
        empty(
            &why,
            "Choose some: <code>?include=NAME</code>; the text below has all of them.",
        )
    } else {
        let svg = graph::svg(&layout, |place| look(snapshot, place));
        format!(
            "{}<div class=\"scroll\" tabindex=\"0\">{svg}</div>",
            graph::svg::legend()
        )
    };
    let joined = match query {
        "" => String::new(),
        query => format!("{}&amp;", escape(query)),
    };
    let link = |form: &str, word: &str| format!("<a href=\"?{joined}output={form}\">{word}</a>");
    format!(
        "{picture}<p class=\"alternatives\">the same as {}, {}, {}, {}</p><details><summary>the same to read</summary>{}</details>",
        link("svg", "picture alone"),
        link("dot", "text for Graphviz"),
        link("text", "text"),
        link("json", "JSON"),
        tree(snapshot, &layout)
    )
}

/// Nested lists: each stream below the one it is built from.
fn tree(snapshot: &Snapshot, layout: &Layout) -> String {
    let mut html = String::from("<ul class=\"stream-tree\">");
    let mut open: usize = 0;
    for place in &layout.places {
        // Lists deeper than any reader follows are as deep as this.
        let layer = place.layer.min(30);
        while open > layer {
            html += "</ul>";
            open -= 1;
        }
        while open < layer {
            html += "<ul>";
            open += 1;
        }
        html += &format!("<li>{}", named(place));
        if place.kind == Kind::User || place.kind == Kind::Bootstrap {
            html += &format!(" {}", state_word::of_stream(snapshot, &place.name).html());
        }
        if place.kind != Kind::User {
            html += &format!(" <span class=\"faint\">({})</span>", place.kind.text());
        }
        if let Some(source) = place.ring.and_then(|source| layout.places.get(source)) {
            html += &format!(
                " <strong class=\"failing\">is built from {}, which makes a ring</strong>",
                escape(&source.name)
            );
        }
        html += "</li>";
    }
    html + &"</ul>".repeat(open + 1)
}

fn named(place: &Place) -> String {
    let name = match place.kind {
        Kind::Bootstrap | Kind::User => links::anchor(&links::stream(&place.name), &place.name),
        Kind::Pattern | Kind::Unbuildable => escape(&place.name),
    };
    if place.is_auto_rebuilt {
        format!("<b>{name}</b>")
    } else {
        name
    }
}

fn json(snapshot: &Snapshot, layout: &Layout) -> String {
    let stream = |place: &Place| {
        let source = place
            .source
            .or(place.ring)
            .and_then(|source| layout.places.get(source));
        serde_json::json!({
            "Image Stream": place.name,
            "Source": source.map(|source| &source.name),
            "Kind": place.kind.text(),
            "State": state_word::of_stream(snapshot, &place.name).word(),
            "Rebuilt by itself": place.is_auto_rebuilt,
        })
    };
    let streams: Vec<_> = layout.places.iter().map(stream).collect();
    serde_json::to_string_pretty(&streams).unwrap_or_default() + "\n"
}

/// Links to parts of the graph, as configured.
fn quick_links(context: &Context<'_>) -> String {
    let current = context.shared.configuration.current();
    let links: Vec<String> = current
        .configuration
        .relationships_quick_links
        .iter()
        .map(|link| links::anchor(&format!("/showDirectedGraph{}", link.url), &link.name))
        .collect();
    if links.is_empty() {
        return String::new();
    }
    format!("<p>Quick links: {}</p>", links.join(", "))
}

/// When the data were made, what was told meanwhile, and the button that makes them again.
fn attempts(dependencies: &Arc<Dependencies>) -> String {
    let mut html = String::new();
    let log = String::from_utf8_lossy(&dependencies.fetch_log);
    if !log.is_empty() {
        let (class, word) = match &dependencies.last_attempt_error {
            Some(_) => ("failing", "Failed fetch log"),
            None => ("faint", "Fetch log"),
        };
        html += &format!(
            "<details><summary class=\"{class}\">{word}</summary>{}</details>",
            preformatted(&log)
        );
    }
    if let Some(generated_at) = dependencies.generated_at {
        html += &format!("<p>Data generated at: {}</p>", exact(generated_at));
    }
    if let (Some(at), Some(error)) = (dependencies.last_attempt_at, &dependencies.last_attempt_error) {
        html += &format!(
            "<p class=\"failing\">Last generation attempt at: {} failed: {}</p>",
            exact(at),
            escape(error)
        );
    }
    let is_fresh = |at: SystemTime| since(at, SystemTime::now()) <= FRESH;
    if !dependencies.generated_at.is_some_and(is_fresh) {
        html += "<form method=\"post\"><button>Regenerate</button></form>";
    }
    html
}
