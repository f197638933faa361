//! The image server's pages, one file each (`imageserver.md §9`). The frame, tables and what all daemons share are in the front.

mod annotation;
mod compare;
mod context;
pub(crate) mod debug;
mod directories;
mod expiring;
mod file;
mod files;
mod image_cells;
mod images;
mod list_computed_inodes;
mod list_damaged;
mod list_directories;
mod list_filter;
mod list_image;
mod list_images;
mod list_packages;
mod list_triggers;
mod made;
mod object;
mod object_holders;
mod objects;
mod paths;
mod replication;
mod replication_page;
mod scrub;
mod search;
mod show_image;
mod status;

use crate::state::Shared;
use actix_web::guard::{Any, Get, Head};
use actix_web::{HttpRequest, HttpResponse, Route, web};
use context::Context;
use front::site::Site;
use made::Made;

/// Adds the pages to the application.
pub(crate) fn configure(shared: &Shared, app: &mut web::ServiceConfig) {
    app.app_data(web::Data::new(Shared::clone(shared)))
        .route("/", reading().to(status::get))
        .route("/images", heavy(images::page))
        .route("/search", heavy(search::page))
        .route("/expiring", heavy(expiring::page))
        .route("/objects", reading().to(objects::get))
        .route("/object", reading().to(object_holders::get))
        .route("/replication", page(replication_page::page))
        .route("/files", reading().to(files::get))
        .route("/compare", reading().to(compare::get))
        .route("/compareFile", reading().to(compare::file::get))
        .route("/listImages", heavy(list_images::page))
        .route("/listDirectories", heavy(list_directories::page))
        .route("/showImage", heavy(show_image::page))
        .route("/listComputedInodes", page(list_computed_inodes::page))
        .route("/listFilter", page(list_filter::page))
        .route("/listTriggers", page(list_triggers::page))
        .route("/listPackages", page(list_packages::page))
        .route("/listDamaged", reading().to(list_damaged::get))
        .route("/listImage", reading().to(list_image::get))
        .route("/listBuildLog", reading().to(annotation::build_log))
        .route("/listReleaseNotes", reading().to(annotation::release_notes));
    if shared.options.allow_unauthenticated_reads {
        app.route("/getObject", reading().to(object::get));
    }
    if debug::is_allowed() {
        app.route("/debug/panicActor", web::post().to(debug::panic_actor));
    }
}

/// A page that needs no more than the snapshot.
fn page(make: fn(&Context<'_>) -> HttpResponse) -> Route {
    reading().to(
        move |shared: web::Data<Shared>, site: web::Data<Site>, request: HttpRequest| async move {
            make(&Context::of(&shared, &site, &request))
        },
    )
}

/// A page that looks at many images: made as one of few at a time, away from the threads that serve other connections.
fn heavy(make: fn(&Context<'_>) -> HttpResponse) -> Route {
    reading().to(
        move |shared: web::Data<Shared>, site: web::Data<Site>, request: HttpRequest| async move {
            let query = request.query_string().to_owned();
            let (ours, its_site) = (Shared::clone(&shared), web::Data::clone(&site));
            let made = shared.heavy_page(move || {
                let context = Context {
                    shared: &ours,
                    site: &its_site,
                    query: &query,
                };
                Made::of(make(&context))
            });
            match made.await {
                Some(Some(made)) => made.respond(),
                _ => context::busy(&site),
            }
        },
    )
}

/// For those who look, and those who only ask whether there is something to look at.
fn reading() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}
