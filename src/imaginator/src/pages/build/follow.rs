//! `/build/follow?NUMBER`: the log as it grows and what is said above it, as events.
//!
//! The number of an event is the byte of the log to go on from: a browser whose connection broke says the last one.

use std::sync::Arc;
use std::time::Duration;

use super::{Subject, facts};
use crate::pages::actions::Visitor;
use crate::pages::context::Context;
use crate::pages::log_lines::unnumbered;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::build_runner::{Build, LogFollower};
use front::page::{Event, Query, live_events};
use front::site::Site;
use futures_util::stream;
use srpc::Server;

/// Bytes of the log in one event.
const PIECE_BYTES: usize = 64 << 10;
/// Bytes of a line after which it is sent although it has not ended.
const LINE_BYTES: usize = 64 << 10;
/// Time between two looks at what is said above the log.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the end of a build may come after the end of its log.
const END_AFTER_LOG: Duration = Duration::from_secs(10);

pub(in crate::pages) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    server: web::Data<Server>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let name = Query::new(context.query).raw_name().into_owned();
    let (build, log) = match super::find::by_name(&context, &name) {
        Some(Subject::Live(build)) => (Some(Arc::clone(&build)), Arc::clone(build.log())),
        // It ended while the browser was away: the rest of its log, and the end.
        Some(subject) => (None, Arc::clone(subject.log())),
        None => return gone(),
    };
    let last = request.headers().get("Last-Event-ID");
    let last = last.and_then(|last| last.to_str().ok()?.trim().parse::<u64>().ok());
    let from = context.value("from").parse().ok();
    let from = last.or(from).unwrap_or(0);
    let follower = Follower {
        shared: Shared::clone(&shared),
        site: web::Data::clone(&site),
        visitor: context.visitor,
        build,
        log: log.follow(from),
        carried: Vec::new(),
        sent: from,
        waiting: Vec::new(),
        state: String::new(),
        phases: String::new(),
        looks: tokio::time::interval(LOOK_EVERY),
        has_ended: false,
    };
    live_events(&server, stream::unfold(follower, next))
}

fn gone() -> HttpResponse {
    HttpResponse::build(StatusCode::NOT_FOUND)
        .content_type("text/plain; charset=utf-8")
        .body("no such build\n")
}

struct Follower {
    shared: Shared,
    site: web::Data<Site>,
    visitor: Visitor,
    /// Nothing if it had ended at the beginning.
    build: Option<Arc<Build>>,
    log: LogFollower,
    /// The start of a line whose end has not come.
    carried: Vec<u8>,
    /// Where the last line that was sent ends.
    sent: u64,
    /// Events to be sent, the last first.
    waiting: Vec<Event>,
    /// What was sent last.
    state: String,
    phases: String,
    looks: tokio::time::Interval,
    has_ended: bool,
}

async fn next(mut follower: Follower) -> Option<(Event, Follower)> {
    loop {
        if let Some(event) = follower.waiting.pop() {
            return Some((event, follower));
        }
        if follower.has_ended {
            return None;
        }
        tokio::select! {
            _ = follower.looks.tick() => follower.look(),
            piece = follower.log.next(PIECE_BYTES) => match piece {
                Some(piece) => follower.take(&piece),
                None => follower.end().await,
            },
        }
    }
}

impl Follower {
    /// Whole lines go out, the rest waits.
    fn take(&mut self, piece: &[u8]) {
        self.carried.extend_from_slice(piece);
        let is_long = self.carried.len() > LINE_BYTES;
        let whole = match self.carried.iter().rposition(|&byte| byte == b'\n') {
            Some(last) => last + 1,
            None if is_long => self.carried.len(),
            None => return,
        };
        let rest = self.carried.split_off(whole);
        let lines = std::mem::replace(&mut self.carried, rest);
        self.send(&lines);
    }

    fn send(&mut self, lines: &[u8]) {
        self.sent += lines.len() as u64;
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        let html: String = lines.split(|&byte| byte == b'\n').map(unnumbered).collect();
        self.waiting.insert(0, Event::lines(self.sent, html));
    }

    /// What is said above the log, if it has changed.
    fn look(&mut self) {
        let Some(build) = &self.build else { return };
        let subject = Subject::Live(Arc::clone(build));
        let state = facts::state(&self.shared, &subject);
        let phases = facts::phases_table(&self.shared, &subject);
        if state != self.state {
            self.waiting.insert(0, Event::part("state", &state));
            self.state = state;
        }
        if phases != self.phases {
            self.waiting.insert(0, Event::part("phases", &phases));
            self.phases = phases;
        }
    }

    async fn end(&mut self) {
        let rest = std::mem::take(&mut self.carried);
        if !rest.is_empty() {
            self.send(&rest);
        }
        if let Some(build) = self.build.clone() {
            // Late or not, the page is told what is known then.
            let _ = tokio::time::timeout(END_AFTER_LOG, build.ended()).await;
        }
        self.look();
        if let Some(build) = &self.build {
            let context = Context {
                shared: &self.shared,
                site: &self.site,
                query: "",
                visitor: self.visitor.clone(),
            };
            let buttons = super::buttons(&context, &Subject::Live(Arc::clone(build)));
            self.waiting.insert(0, Event::part("actions", &buttons));
        }
        self.waiting.insert(0, Event::end());
        self.has_ended = true;
    }
}
