//! Buttons: what changes something. A token in the place of a certificate, which a page never sees.
//!
//! A button is a form that posts. Who has given a token before (in a cookie that no script and no other site gets) finds it ready to be
//! pressed; everybody else finds the command that does the same, and a field for a token. A request counts only if it comes from
//! a page of this host and its body has the token, or the proof that only our pages have.

mod authorise;
mod build_now;
mod cancel;
mod forms;
mod switches;
mod visitor;

pub(super) use authorise::is_of_own_page;
pub(super) use build_now::button as build_button;
pub(super) use cancel::button as cancel_button;
pub(super) use forms::who;
use forms::{Button, Field};
pub(super) use switches::buttons as switch_buttons;
pub(super) use visitor::Visitor;

use actix_web::web;

/// Adds what the forms post to.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/buildNow", web::post().to(build_now::post))
        .route("/cancelBuild", web::post().to(cancel::post))
        .route("/startAutoBuilds", web::post().to(switches::start_auto_builds))
        .route(
            "/disableAutoBuilds",
            web::post().to(switches::disable_auto_builds),
        )
        .route(
            "/disableBuildRequests",
            web::post().to(switches::disable_build_requests),
        )
        .route("/forgetToken", web::post().to(authorise::forget));
}
