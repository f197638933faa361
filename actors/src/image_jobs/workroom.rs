//! What the work is done with.

use crate::{Clock, ImageRepository};
use arc_swap::ArcSwap;
use image_client::{Connect, Connections};
use repository::catalogue::Catalogue;
use repository::configuration::{Settings, UserTable};
use repository::manifest::Known;
use repository::{ApiError, Code, Uuid};
use std::sync::Arc;

/// Asks which users there are now; without an answer every owner exists.
pub(super) type Users = Arc<dyn Fn() -> Option<Arc<UserTable>> + Send + Sync>;

/// The repository, the settings, the ways to others. Clones are cheap.
#[derive(Clone)]
pub struct Workroom {
    pub(super) repository: ImageRepository,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) users: Users,
    pub(super) clock: Clock,
    pub(super) image_server: Option<Connect>,
    pub(super) imaginator: Option<Connect>,
}

impl Workroom {
    /// With a repository and its settings, and nobody else.
    pub fn new(repository: ImageRepository, settings: Arc<ArcSwap<Settings>>) -> Workroom {
        Workroom {
            repository,
            settings,
            users: Arc::new(|| None),
            clock: Clock::default(),
            image_server: None,
            imaginator: None,
        }
    }

    /// With the users of the moment, of datacenter mode.
    #[must_use]
    pub fn with_users(
        mut self,
        users: impl Fn() -> Option<Arc<UserTable>> + Send + Sync + 'static,
    ) -> Workroom {
        self.users = Arc::new(users);
        self
    }

    /// With an image server.
    #[must_use]
    pub fn with_image_server(mut self, connect: Option<Connect>) -> Workroom {
        self.image_server = connect;
        self
    }

    /// With an image builder.
    #[must_use]
    pub fn with_imaginator(mut self, connect: Option<Connect>) -> Workroom {
        self.imaginator = connect;
        self
    }

    /// The settings of the moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The images.
    pub fn repository(&self) -> &ImageRepository {
        &self.repository
    }

    /// What the rules of manifests ask.
    pub(super) fn known(&self) -> KnownHere {
        KnownHere {
            catalogue: self.repository.catalogue(),
            users: (self.users)(),
        }
    }

    /// New connections to the image server.
    ///
    /// # Errors
    /// None is configured.
    pub(super) fn image_server(&self) -> Result<Connections, ApiError> {
        match &self.image_server {
            Some(connect) => Ok(Connections::new(connect.clone())),
            None => Err(ApiError::new(
                Code::NotAvailable,
                "no image server is configured: see imageServer",
            )),
        }
    }
}

/// The images and users of the moment.
pub(super) struct KnownHere {
    catalogue: Arc<Catalogue>,
    users: Option<Arc<UserTable>>,
}

impl Known for KnownHere {
    fn has_owner(&self, owner: Uuid) -> bool {
        self.users.as_ref().is_none_or(|users| users.has(owner))
    }

    fn has_image(&self, uuid: Uuid) -> bool {
        self.catalogue.get(uuid).is_some()
    }
}
