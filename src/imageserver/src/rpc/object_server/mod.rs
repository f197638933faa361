//! The service `ObjectServer` (`imageserver.md §4`).

mod add_objects;
mod check_objects;
mod get_objects;
mod import_objects;
mod test_bandwidth;

use std::sync::Arc;

use crate::state::Shared;
use crate::upstream::Forwarder;
use actors::object_store::Lease;
use srpc::{Call, ServiceBuilder};

/// All methods of the service.
pub(crate) fn service(shared: &Shared) -> ServiceBuilder {
    let shared = || Shared::clone(shared);
    ServiceBuilder::new("ObjectServer")
        .raw(add_objects::AddObjects(shared()))
        .request_reply(check_objects::CheckObjects(shared()))
        .raw(get_objects::GetObjects(shared()))
        .request_reply(import_objects::ImportObjects(shared()))
        .raw(test_bandwidth::TestBandwidth)
}

/// The lease of the caller's connection. It lives as long as the connection, and what it protects a while longer, so that
/// objects added or found in one call are still there for the image added in another.
pub(crate) fn lease(shared: &Shared, call: &Call) -> Arc<Lease> {
    call.connection.get_or_insert_with(|| shared.objects.lease())
}

/// The caller's way to the master; a master has none.
pub(crate) fn forwarder(shared: &Shared, call: &Call) -> Option<Arc<Forwarder>> {
    let replicator = shared.replicator.clone()?;
    Some(call.connection.get_or_insert_with(|| Forwarder::new(replicator)))
}
