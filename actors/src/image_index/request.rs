//! What callers say.

use image::Image;

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requester {
    /// Empty in insecure mode and for the daemon itself.
    pub username: String,
    /// Groups the user is a member of.
    pub groups: Vec<String>,
    /// The certificate has the power for the method called (`srpc.md §7.3`).
    pub method_access: bool,
    /// There is any authentication information at all.
    pub authenticated: bool,
}

impl Requester {
    /// The daemon itself: the replicator, start-up.
    pub fn internal() -> Requester {
        Requester {
            method_access: true,
            authenticated: true,
            ..Requester::default()
        }
    }

    pub(crate) fn is_member(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// An image to be added.
#[derive(Debug, Clone)]
pub struct AddRequest {
    /// Name.
    pub name: String,
    /// The image with its tree.
    pub image: Image,
    /// Who adds it.
    pub requester: Requester,
    /// Keep creator and time of creation as they are (`AddImageTrusted`).
    pub trusted: bool,
}
