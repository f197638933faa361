//! The image builder's pages, one file each (`imaginator-web.md`). The frame, tables and what all daemons share are in the front.

use crate::state::Shared;
use actix_web::web;

/// Adds the pages to the application.
pub(crate) fn configure(shared: &Shared, app: &mut web::ServiceConfig) {
    app.app_data(web::Data::new(Shared::clone(shared)));
}
