//! `POST /cancelBuild`: ends a build that waits or runs.

use super::authorise::{Sent, authorise};
use super::{Button, Field};
use crate::pages::context::Context;
use crate::pages::links;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use front::site::Site;

const METHOD: &str = "CancelBuild";

/// The button of a build.
pub(in crate::pages) fn button(context: &Context<'_>, number: u64) -> String {
    Button {
        label: "cancel",
        path: "/cancelBuild",
        method: METHOD,
        fields: vec![Field::Hidden("build", number.to_string())],
        command: links::command("cancel", &[&number.to_string()]),
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
    let number = sent
        .get("build")
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0);
    match shared.scheduler.cancel(number, &allowed.username).await {
        Ok(()) => {
            tracing::info!("cancelBuild({}): {number}", allowed.username);
            allowed.go_to(&links::build(number))
        }
        Err(error) => {
            let next = links::anchor(&links::build(number), "the build");
            front::page::problem(
                &site,
                StatusCode::CONFLICT,
                "nothing was cancelled",
                &error.to_string(),
                &next,
            )
        }
    }
}
