//! The image builder's pages, one file each (`imaginator-web.md`). The frame, tables and what all daemons share are in the front.

mod actions;
mod archive;
mod build;
mod context;
mod graph;
mod links;
mod log_lines;
mod state_word;
mod status;
mod stream;
mod streams;

use crate::state::Shared;
use actix_web::guard::{Any, Get, Head};
use actix_web::{HttpRequest, HttpResponse, Route, web};
use context::Context;
use front::site::Site;

/// Adds the pages to the application.
pub(crate) fn configure(shared: &Shared, app: &mut web::ServiceConfig) {
    app.app_data(web::Data::new(Shared::clone(shared)))
        .route("/", reading().to(status::get))
        .route("/status/follow", web::get().to(status::follow))
        .route("/showImageStreams", page(streams::page))
        .route("/showImageStream", reading().to(stream::get))
        .route("/showCurrentBuildLog", reading().to(build::current_log))
        .route("/showLastBuildLog", reading().to(build::last_log))
        .route("/build", reading().to(build::get))
        .route("/build/follow", web::get().to(build::follow))
        .route("/showDirectedGraph", page(graph::page))
        .route("/showDirectedGraph", web::post().to(graph::regenerate))
        .route("/showBuildLogArchive", page(archive::counts))
        .route("/showAllBuilds", page(archive::all))
        .route("/showGoodBuilds", page(archive::good))
        .route("/showErrorBuilds", page(archive::error))
        .route("/showStreamAllBuilds", page(archive::stream_all))
        .route("/showStreamGoodBuilds", page(archive::stream_good))
        .route("/showStreamErrorBuilds", page(archive::stream_error))
        .route("/showRequestorAllBuilds", page(archive::requestor_all))
        .route("/showRequestorGoodBuilds", page(archive::requestor_good))
        .route("/showRequestorErrorBuilds", page(archive::requestor_error))
        .route("/showBuildLog", reading().to(archive::log))
        .route("/searchBuildLogs", reading().to(archive::search))
        .configure(actions::configure);
}

/// A page that needs no more than snapshots.
fn page(make: fn(&Context<'_>) -> HttpResponse) -> Route {
    reading().to(
        move |shared: web::Data<Shared>, site: web::Data<Site>, request: HttpRequest| async move {
            make(&Context::of(&shared, &site, &request))
        },
    )
}

/// For those who look, and those who only ask whether there is something to look at.
fn reading() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}
