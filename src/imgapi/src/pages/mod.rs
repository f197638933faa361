//! Pages for people, below `/ui`: what somebody who says nothing about himself may read through the API, and no more.
//!
//! In dc mode, where the network is trusted, that is everything, jobs and actors included. Tables can be had as text, JSON and CSV.

mod channels;
mod front_page;
mod image;
mod image_cells;
mod images;
mod jobs;
mod publisher;
mod viewer;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, Route, guard, web};
use front::assets;
use front::page::{headers, not_found};
use front::site::Site;
use repository::configuration::Settings;
use repository::manifest::Mode;

use crate::state::State;
use viewer::Viewer;

/// Where the pages are.
pub(crate) const BASE: &str = "/ui";

/// All pages, for the application of the API.
pub(crate) fn scope(state: &web::Data<State>) -> impl actix_web::dev::HttpServiceFactory + use<> {
    web::scope(BASE)
        .app_data(web::Data::from(Arc::clone(state.site())))
        .wrap(headers())
        .configure(assets::configure)
        .route("", page(front_page::page))
        .route("/", page(front_page::page))
        .route("/images", page(images::page))
        .route("/images/{uuid}", page(image::page))
        .route("/channels", page(channels::page))
        .route("/jobs", page(jobs::page))
        .route("/publisher", page(publisher::page))
        .default_service(web::to(not_found))
}

/// What the frame says: name, links, the search field.
pub(crate) fn frame(site: Site, settings: &Settings) -> Site {
    let site = site
        .below(BASE)
        .link("/ui/images", "images")
        .search("/ui/images", "q", "images");
    let site = match settings.channels.is_empty() {
        true => site,
        false => site.link("/ui/channels", "channels"),
    };
    // Elsewhere neither is for everybody who looks.
    match (settings.mode, settings.join.image_server.is_some()) {
        (Mode::Datacenter, true) => site.link("/ui/jobs", "jobs").link("/ui/publisher", "publisher"),
        (Mode::Datacenter, false) => site.link("/ui/jobs", "jobs"),
        (Mode::Public | Mode::Private, _) => site,
    }
}

/// A page that needs no more than snapshots.
fn page(make: fn(&Viewer<'_>) -> HttpResponse) -> Route {
    let reading = web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    reading.to(
        move |state: web::Data<State>, site: web::Data<Site>, request: HttpRequest| async move {
            make(&Viewer::of(&state, &site, &request))
        },
    )
}
