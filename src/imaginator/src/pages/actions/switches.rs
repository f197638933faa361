//! `POST /startAutoBuilds`, `/disableAutoBuilds`, `/disableBuildRequests`: what concerns all builds.

use std::time::{Duration, SystemTime};

use super::authorise::{Sent, authorise};
use super::{Button, Field};
use crate::pages::context::Context;
use crate::pages::links;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::stream_scheduler::{Snapshot, SwitchError};
use front::site::Site;

/// For how long something may be disabled here, in minutes; the first is proposed.
const MINUTES: [u64; 4] = [60, 5, 6 * 60, 24 * 60];

/// The buttons.
pub(in crate::pages) fn buttons(context: &Context<'_>, snapshot: &Snapshot) -> String {
    let now = SystemTime::now();
    let is_disabled = |until: Option<SystemTime>| until.is_some_and(|until| until > now);
    let start = Button {
        label: "start automatic rebuilds",
        path: "/startAutoBuilds",
        method: "StartAutoBuilds",
        fields: Vec::new(),
        command: links::command("start-auto-builds", &[]),
    };
    let auto = if is_disabled(snapshot.auto.disabled_until) {
        enable(
            "enable automatic rebuilds",
            "/disableAutoBuilds",
            "DisableAutoBuilds",
            "-disableFor=0s disable-auto-builds",
        )
    } else {
        disable(
            "disable automatic rebuilds",
            "/disableAutoBuilds",
            "DisableAutoBuilds",
            "disable-auto-builds",
        )
    };
    let requests = if is_disabled(snapshot.requests_disabled_until) {
        enable(
            "enable build requests",
            "/disableBuildRequests",
            "DisableBuildRequests",
            "enable-build-requests",
        )
    } else {
        disable(
            "disable build requests",
            "/disableBuildRequests",
            "DisableBuildRequests",
            "disable-build-requests",
        )
    };
    [start, auto, requests]
        .map(|button| button.html(context))
        .concat()
}

fn disable(label: &'static str, path: &'static str, method: &'static str, verb: &str) -> Button {
    let choices = MINUTES.map(|minutes| {
        let seconds = minutes * 60;
        (seconds.to_string(), human::duration(Duration::from_secs(seconds)))
    });
    Button {
        label,
        path,
        method,
        fields: vec![Field::Choice("seconds", "for", choices.into())],
        command: links::command(&format!("-disableFor=1h {verb}"), &[]),
    }
}

fn enable(label: &'static str, path: &'static str, method: &'static str, words: &str) -> Button {
    Button {
        label,
        path,
        method,
        fields: vec![Field::Hidden("seconds", "0".to_owned())],
        command: links::command(words, &[]),
    }
}

pub(super) async fn start_auto_builds(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
    sent: Sent,
) -> HttpResponse {
    let allowed = match authorise(&shared, &site, &request, &sent, "StartAutoBuilds") {
        Ok(allowed) => allowed,
        Err(response) => return *response,
    };
    match shared
        .scheduler
        .start_auto_builds(&allowed.username, false, false)
        .await
    {
        Ok(()) => allowed.go_to("/"),
        Err(error) => refused(&site, &error),
    }
}

pub(super) async fn disable_auto_builds(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
    sent: Sent,
) -> HttpResponse {
    let allowed = match authorise(&shared, &site, &request, &sent, "DisableAutoBuilds") {
        Ok(allowed) => allowed,
        Err(response) => return *response,
    };
    let span = span(&sent);
    match shared
        .scheduler
        .disable_auto_builds(&allowed.username, span)
        .await
    {
        Ok(_) => allowed.go_to("/"),
        Err(error) => refused(&site, &error),
    }
}

pub(super) async fn disable_build_requests(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
    sent: Sent,
) -> HttpResponse {
    let allowed = match authorise(&shared, &site, &request, &sent, "DisableBuildRequests") {
        Ok(allowed) => allowed,
        Err(response) => return *response,
    };
    let span = span(&sent);
    match shared
        .scheduler
        .disable_build_requests(&allowed.username, span)
        .await
    {
        Ok(_) => allowed.go_to("/"),
        Err(error) => refused(&site, &error),
    }
}

fn span(sent: &Sent) -> Duration {
    let seconds = sent
        .get("seconds")
        .and_then(|seconds| seconds.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

fn refused(site: &Site, error: &SwitchError) -> HttpResponse {
    front::page::problem(
        site,
        StatusCode::CONFLICT,
        "nothing was changed",
        &error.to_string(),
        "",
    )
}
