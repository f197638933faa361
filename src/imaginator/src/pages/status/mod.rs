//! `/`: what is being built, what waits, what failed, what is built next (`imaginator-web.md §1`).
//!
//! `table=building|queue|failed|good|automatic` with `output=` gives one of the tables to programs.

mod automatic;
mod now;
mod results;

use std::time::{Duration, SystemTime};

use super::context::{Context, exact, since};
use super::{actions, links};
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::stream_scheduler::Snapshot;
use askama::Template;
use front::page::{Event, Output, Page, Query, Table, escape, live_events};
use front::site::Site;
use front::status_tables;
use futures_util::stream;
use srpc::Server;

/// Log lines that are shown; all that are in memory are a link away.
const LOG_LINES_SHOWN: usize = 100;
/// Time between two looks at what has changed, for those who follow.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Where a health agent of this host listens (`imaginator-web.md §1`).
const HEALTH_AGENT_PORT: u16 = 6910;

#[derive(Template)]
#[template(path = "status.html")]
struct Body {
    who: String,
    problems: Vec<String>,
    streams: usize,
    running: usize,
    places: usize,
    queued: usize,
    failed: usize,
    image_server: String,
    health_agent: String,
    switches: String,
    now: String,
    results: String,
    automatic: String,
    has_archive: bool,
    counts: String,
    crashed_calls: u64,
    calls: String,
    process: String,
    actors: String,
    panicked: bool,
    log: Vec<String>,
}

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    server: web::Data<Server>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let snapshot = shared.scheduler.snapshot();
    let page = Page::new(&site, "imaginator status page").command("builder-tool get-dependencies");
    let query = Query::new(context.query);
    if query.output() != Output::Html {
        return table(&context, &snapshot, &query.get("table").unwrap_or_default())
            .respond(context.query, page);
    }
    let host = request.connection_info().host().to_owned();
    match body(&context, &snapshot, &server, &host).render() {
        Ok(body) => page.body(body).respond(),
        Err(error) => context.failed(&error),
    }
}

fn table(context: &Context<'_>, snapshot: &Snapshot, name: &str) -> Table {
    match name {
        "queue" => now::queue(snapshot),
        "failed" => results::failed(snapshot),
        "good" => results::good(context.shared, snapshot),
        "automatic" => automatic::table(snapshot),
        _ => now::building(context.shared, snapshot),
    }
}

fn body(context: &Context<'_>, snapshot: &Snapshot, server: &Server, host: &str) -> Body {
    let (shared, site) = (context.shared, context.site);
    let transport = server.statistics();
    let lines = site.logs().recent();
    let first = lines.len().saturating_sub(LOG_LINES_SHOWN);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    Body {
        who: actions::who(context),
        problems: shared.configuration.current().problems(),
        streams: snapshot.stream_count(),
        running: snapshot.running.len(),
        places: snapshot.places,
        queued: snapshot.queued.len(),
        failed: results::failures(snapshot).len(),
        image_server: shared.options.image_server.clone(),
        health_agent: format!("http://{host}:{HEALTH_AGENT_PORT}/"),
        switches: actions::switch_buttons(context, snapshot),
        now: now_part(shared, snapshot),
        results: results_part(shared, snapshot),
        automatic: automatic::html(snapshot),
        has_archive: shared.archive.is_some(),
        counts: counts(snapshot),
        crashed_calls: transport.panics,
        calls: status_tables::calls(&transport).html(),
        process: status_tables::process(site).html(),
        actors: status_tables::actors(&shared.healths()).html(),
        panicked: site.logs().previous_run_panicked(),
        log: lines
            .iter()
            .skip(first)
            .map(|line| line.full().to_owned())
            .collect(),
    }
}

/// What changes all the time.
fn now_part(shared: &Shared, snapshot: &Snapshot) -> String {
    let mut html = String::new();
    let now = SystemTime::now();
    for (what, until) in [
        ("Build requests", snapshot.requests_disabled_until),
        ("Automatic rebuilds", snapshot.auto.disabled_until),
    ] {
        if let Some(until) = until.filter(|until| *until > now) {
            html += &format!(
                "<p class=\"notice\" role=\"status\">{what} disabled until {} ({})</p>",
                escape(&exact(until)),
                human::duration(Duration::from_secs(since(now, until).as_secs()))
            );
        }
    }
    html += "<h2>Current image builds</h2>";
    html += &now::building(shared, snapshot).html();
    if !snapshot.stuck.is_empty() {
        html += "<h2>Builds that do not end</h2>";
        html += &now::stuck(snapshot).html();
    }
    if !snapshot.queued.is_empty() {
        html += "<h2>Waiting</h2>";
        html += &now::queue(snapshot).html();
    }
    html
}

/// What changes when a build ends.
fn results_part(shared: &Shared, snapshot: &Snapshot) -> String {
    let mut html = format!("<h2>Failed image builds{}</h2>", results::last_failure(snapshot));
    html += &results::failed(snapshot).html();
    html += "<h2>Successful image builds</h2>";
    html += &results::good(shared, snapshot).html();
    html
}

fn counts(snapshot: &Snapshot) -> String {
    let counts = &snapshot.counts;
    format!(
        "Since the start: {} builds begun, {} went well, {} failed, {} were cancelled; {} requests joined a build, {} were refused.",
        counts.started, counts.succeeded, counts.failed, counts.cancelled, counts.joined, counts.refused
    )
}

/// `/status/follow`: the parts of the page that change, as events.
pub(super) async fn follow(shared: web::Data<Shared>, server: web::Data<Server>) -> HttpResponse {
    let follower = Follower {
        shared: Shared::clone(&shared),
        looks: tokio::time::interval(LOOK_EVERY),
        now: String::new(),
        ended: None,
        waiting: Vec::new(),
    };
    live_events(&server, stream::unfold(follower, next))
}

struct Follower {
    shared: Shared,
    looks: tokio::time::Interval,
    /// What was sent last.
    now: String,
    /// How many builds had ended then.
    ended: Option<u64>,
    waiting: Vec<Event>,
}

async fn next(mut follower: Follower) -> Option<(Event, Follower)> {
    loop {
        if let Some(event) = follower.waiting.pop() {
            return Some((event, follower));
        }
        follower.looks.tick().await;
        let snapshot = follower.shared.scheduler.snapshot();
        let now = now_part(&follower.shared, &snapshot);
        if now != follower.now {
            follower.waiting.push(Event::part("now", &now));
            follower.now = now;
        }
        let counts = &snapshot.counts;
        let ended = Some(counts.succeeded + counts.failed + counts.cancelled);
        // Tables stay as a reader has sorted them until there is something new in them.
        if ended != follower.ended && follower.ended.is_some() {
            follower
                .waiting
                .push(Event::part("results", &results_part(&follower.shared, &snapshot)));
        }
        follower.ended = ended;
    }
}

/// The log of a stream's last build, as a cell.
fn last_log(stream: &str) -> front::page::Cell {
    let link = links::of_name("showLastBuildLog", stream);
    front::page::Cell::html(links::anchor(&link, "log"), link)
}
