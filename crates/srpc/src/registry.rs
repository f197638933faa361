//! The services of a program: their methods, granters and blockers, looked up by `Service.Method`.

mod erased;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::blocker::Blocker;
use crate::call::Caller;
use crate::method::{Access, Raw, RequestReply};
use crate::server::statistics::MethodStatistics;
use crate::server::upgrade::{LOCAL_UPGRADE_TO_UNIX, LocalUpgradeToUnix, Upgrade};

pub(crate) use erased::{Erased, Inside, Outcome};

/// A service's own rule for granting powers: caller and method name in, verdict out (srpc.md §7.3 rule 2).
pub type Granter = Arc<dyn Fn(&Caller, &str) -> bool + Send + Sync>;

/// Collects the methods of one service.
pub struct ServiceBuilder {
    name: &'static str,
    methods: BTreeMap<&'static str, Method>,
    blocker: Option<Arc<dyn Blocker>>,
    granter: Option<Granter>,
}

impl ServiceBuilder {
    /// A service without methods. The name goes before the dot of method lines.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            methods: BTreeMap::new(),
            blocker: None,
            granter: None,
        }
    }

    /// Adds a request-reply method. A second one of the same name replaces the first.
    pub fn request_reply<M: RequestReply>(mut self, method: M) -> Self {
        let access = method.access();
        self.insert(
            M::NAME,
            access,
            true,
            Box::new(erased::ErasedRequestReply(method)),
        );
        self
    }

    /// Adds a raw method. A second one of the same name replaces the first.
    pub fn raw<M: Raw>(mut self, method: M) -> Self {
        let access = method.access();
        self.insert(M::NAME, access, false, Box::new(erased::ErasedRaw(method)));
        self
    }

    /// Sets the veto on permitted calls.
    pub fn blocker(mut self, blocker: impl Blocker) -> Self {
        self.blocker = Some(Arc::new(blocker));
        self
    }

    /// Sets the rule that grants powers beside certificates.
    pub fn granter(mut self, granter: impl Fn(&Caller, &str) -> bool + Send + Sync + 'static) -> Self {
        self.granter = Some(Arc::new(granter));
        self
    }

    fn insert(
        &mut self,
        name: &'static str,
        access: Access,
        is_request_reply: bool,
        erased: Box<dyn Erased>,
    ) {
        let full_name: Arc<str> = format!("{}.{}", self.name, name).into();
        let statistics = MethodStatistics::new(Arc::clone(&full_name), is_request_reply);
        self.methods.insert(
            name,
            Method {
                name,
                full_name,
                access,
                erased,
                statistics,
            },
        );
    }
}

pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) full_name: Arc<str>,
    pub(crate) access: Access,
    pub(crate) erased: Box<dyn Erased>,
    pub(crate) statistics: MethodStatistics,
}

pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) methods: BTreeMap<&'static str, Method>,
    pub(crate) blocker: Option<Arc<dyn Blocker>>,
    pub(crate) granter: Option<Granter>,
}

/// All services of a program. Immutable once built; the built-in service "" is always there.
pub struct Registry {
    services: BTreeMap<&'static str, Service>,
    has_unauthenticated_methods: bool,
    upgrade: Arc<Upgrade>,
}

impl Registry {
    /// Starts with the built-in service only.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder {
            services: BTreeMap::new(),
        }
    }

    /// All `Service.Method` names, sorted bytewise.
    pub fn method_names(&self) -> Vec<String> {
        self.names(|_| true)
    }

    /// The names of the public methods, sorted bytewise.
    pub fn public_method_names(&self) -> Vec<String> {
        self.names(|method| method.access.public)
    }

    /// Whether any method is open to callers without a certificate, the built-in one aside (srpc.md §2.3 row 3).
    pub fn has_unauthenticated_methods(&self) -> bool {
        self.has_unauthenticated_methods
    }

    pub(crate) fn upgrade(&self) -> &Upgrade {
        &self.upgrade
    }

    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.services
            .values()
            .flat_map(|service| service.methods.values().map(move |method| (service, method)))
    }

    fn names(&self, wanted: impl Fn(&Method) -> bool) -> Vec<String> {
        let mut names: Vec<String> = self
            .methods()
            .filter(|(_, method)| wanted(method))
            .map(|(_, method)| method.full_name.to_string())
            .collect();
        names.sort_unstable();
        names
    }
}

/// Collects services.
pub struct RegistryBuilder {
    services: BTreeMap<&'static str, Service>,
}

impl RegistryBuilder {
    /// Adds a service. A second one of the same name replaces the first.
    pub fn service(mut self, service: ServiceBuilder) -> Self {
        let ServiceBuilder {
            name,
            methods,
            blocker,
            granter,
        } = service;
        self.services.insert(
            name,
            Service {
                name,
                methods,
                blocker,
                granter,
            },
        );
        self
    }

    /// Done.
    pub fn build(self) -> Arc<Registry> {
        let has_unauthenticated_methods = self.services.values().any(|service| {
            service
                .methods
                .values()
                .any(|method| method.access.unauthenticated)
        });
        let upgrade = Arc::<Upgrade>::default();
        let built_in = ServiceBuilder::new("")
            .raw(LocalUpgradeToUnix(Arc::clone(&upgrade)))
            .granter(|_, name| name == LOCAL_UPGRADE_TO_UNIX);
        let services = self.service(built_in).services;
        Arc::new(Registry {
            services,
            has_unauthenticated_methods,
            upgrade,
        })
    }
}
