//! What the rules of manifests ask others: which images there are, which owners.

use std::sync::Arc;

use repository::Uuid;
use repository::catalogue::Catalogue;
use repository::configuration::UserTable;
use repository::manifest::Known;

use crate::request::Asked;

/// The images and the users of the moment.
pub(crate) struct KnownHere {
    catalogue: Arc<Catalogue>,
    /// Without a table every owner exists.
    users: Option<Arc<UserTable>>,
}

impl KnownHere {
    /// For a request.
    pub(crate) fn new(asked: &Asked) -> Self {
        Self {
            catalogue: asked.state.catalogue(),
            users: asked.state.users(),
        }
    }
}

impl Known for KnownHere {
    fn has_owner(&self, owner: Uuid) -> bool {
        self.users.as_ref().is_none_or(|users| users.has(owner))
    }

    fn has_image(&self, uuid: Uuid) -> bool {
        self.catalogue.get(uuid).is_some()
    }
}
