//! `POST /buildNow`: asks for a build.

use std::collections::BTreeMap;
use std::time::Duration;

use super::authorise::{Sent, authorise};
use super::{Button, Field};
use crate::pages::context::Context;
use crate::pages::links;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::stream_scheduler::{BuildRequest, BuildRequester};
use builder::Delivery;
use front::site::Site;

const METHOD: &str = "BuildImage";
/// Life times to choose from, in hours; the first is proposed.
const LIVES_HOURS: [u64; 4] = [24, 1, 7 * 24, 28 * 24];
/// Bytes of a branch.
const BRANCH_MOST: usize = 1_024;

/// The button of a stream.
pub(in crate::pages) fn button(context: &Context<'_>, stream: &str) -> String {
    let bounds = context.shared.options.expiration;
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let lives = LIVES_HOURS
        .iter()
        .copied()
        .filter(|&life| (bounds.least..=bounds.most_privileged).contains(&hours(life)));
    let lives: Vec<(String, String)> = lives
        .map(|life| ((life * 3_600).to_string(), human::duration(hours(life))))
        .collect();
    let mut fields = vec![Field::Hidden("stream", stream.to_owned())];
    if !lives.is_empty() {
        fields.push(Field::Choice("expires_in", "expires in", lives));
    }
    fields.push(Field::Text("branch", "branch"));
    Button {
        label: "build now",
        path: "/buildNow",
        method: METHOD,
        fields,
        command: links::command("build-image", &[stream]),
    }
    .html(context)
}

pub(super) async fn post(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
    sent: Sent,
) -> HttpResponse {
    let allowed = match authorise(&shared, &site, &request, &sent, METHOD) {
        Ok(allowed) => allowed,
        Err(response) => return *response,
    };
    let value = |name: &str| sent.get(name).map(|value| value.trim()).unwrap_or_default();
    let seconds = value("expires_in").parse().ok().map(Duration::from_secs);
    let stream = value("stream").to_owned();
    let branch: String = value("branch").chars().take(BRANCH_MOST).collect();
    let asked = BuildRequest {
        stream: stream.clone(),
        variables: BTreeMap::new(),
        branch,
        max_source_age: None,
        expires_in: seconds.unwrap_or(shared.options.expiration.least),
        maximum_duration: Duration::ZERO,
        delivery: Delivery::Publish,
        disable_recursive_build: false,
        // The page does not wait for it.
        cancel_on_disconnect: false,
        requester: BuildRequester {
            username: allowed.username.clone(),
            groups: Default::default(),
            // A token is good only for what its owner has powers for.
            is_privileged: true,
        },
    };
    match shared.scheduler.request(asked).await {
        Ok(ticket) => {
            tracing::info!("buildNow({}): {stream}", allowed.username);
            let number = ticket.number();
            // Who pressed the button waits for it, wherever he looks meanwhile.
            actix_rt::spawn(async move {
                ticket.ended().await;
            });
            allowed.go_to(&links::build(number))
        }
        Err(error) => front::page::problem(
            &site,
            StatusCode::CONFLICT,
            "no build was begun",
            &error.to_string(),
            &links::anchor(&links::stream(&stream), &stream),
        ),
    }
}
