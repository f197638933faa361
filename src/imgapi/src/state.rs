//! What all requests share.

use std::sync::{Arc, OnceLock};

use actix_web::http::header::HeaderValue;
use actors::{Health, ImageRepository, Jobs, KeyRing, Publisher, RepositorySystem, SettingsWatcher};
use arc_swap::{ArcSwap, ArcSwapOption};
use front::health::Condition;
use front::site::Site;
use repository::catalogue::Catalogue;
use repository::configuration::{Settings, UserTable};
use repository::signature::KeyTable;

use crate::listener::Certificate;
use crate::metrics::Requests;

/// The shared state, cheap to clone.
pub(crate) type Shared = Arc<State>;

/// What clients are told: the release whose interface this is.
pub(crate) const INTERFACE_VERSION: &str = "4.13.1";

/// See the module's text.
pub(crate) struct State {
    repository: ImageRepository,
    keys: KeyRing,
    jobs: Jobs,
    publisher: OnceLock<Publisher>,
    settings: Arc<ArcSwap<Settings>>,
    watcher: SettingsWatcher,
    requests: Requests,
    certificate: ArcSwapOption<Certificate>,
    site: Arc<Site>,
    host_name: HeaderValue,
}

impl State {
    pub(crate) fn new(system: &RepositorySystem, watcher: SettingsWatcher, site: Site) -> Shared {
        let host = rustix::system::uname().nodename().to_bytes().to_vec();
        let (keys, jobs, settings) = (system.keys.clone(), system.jobs.clone(), watcher.clone());
        let images = system.repository.clone();
        let health = site.health();
        health.check("images", move || Condition::from(&images.health()));
        health.check("keys", move || Condition::from(&keys.health()));
        health.check("jobs", move || Condition::from(&jobs.health()));
        health.check("configuration", move || Condition::from(&settings.health()));
        Arc::new(Self {
            repository: system.repository.clone(),
            keys: system.keys.clone(),
            jobs: system.jobs.clone(),
            publisher: OnceLock::new(),
            settings: watcher.settings(),
            watcher,
            requests: Requests::default(),
            certificate: ArcSwapOption::empty(),
            site: Arc::new(site),
            host_name: HeaderValue::from_bytes(&host).unwrap_or_else(|_| HeaderValue::from_static("unknown")),
        })
    }

    /// The settings of the moment: one request uses one of them from its beginning to its end.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The images of the moment.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.repository.catalogue()
    }

    /// Records, files and icons: for whoever changes them.
    pub(crate) fn repository(&self) -> &ImageRepository {
        &self.repository
    }

    /// The keys of the moment.
    pub(crate) fn keys(&self) -> Arc<KeyTable> {
        self.keys.table()
    }

    /// The keys' owner: for whoever changes them.
    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }

    /// Jobs.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Who follows an image server, if one is followed.
    pub(crate) fn publisher(&self) -> Option<&Publisher> {
        self.publisher.get()
    }

    /// From now on this one follows an image server. Said once, before a port opens.
    pub(crate) fn set_publisher(&self, publisher: Publisher) {
        let (checked, health) = (publisher.clone(), self.site.health());
        if self.publisher.set(publisher).is_ok() {
            health.check("publisher", move || Condition::from(&checked.health()));
        }
    }

    /// The users there are, if a file tells them; without one every owner exists.
    pub(crate) fn users(&self) -> Option<Arc<UserTable>> {
        self.watcher.users()
    }

    /// What is counted of requests.
    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// The certificate of the port with TLS.
    pub(crate) fn set_certificate(&self, certificate: Certificate) {
        self.certificate.store(Some(Arc::new(certificate)));
    }

    /// What is wrong with configuration, keys and certificate, although it serves: for people.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.watcher.problems();
        problems.extend(self.keys.problems().iter().map(ToString::to_string));
        let certificate = self.certificate.load();
        let of_certificate = certificate.as_ref().and_then(|certificate| certificate.problem());
        problems.extend(of_certificate.map(|problem| problem.to_string()));
        problems
    }

    /// How the actors are.
    pub(crate) fn healths(&self) -> Vec<Health> {
        let mut healths = Vec::from([
            self.repository.health(),
            self.keys.health(),
            self.jobs.health(),
            self.watcher.health(),
        ]);
        healths.extend(self.publisher().map(Publisher::health));
        healths
    }

    /// What the pages share.
    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The header `x-server-name`.
    pub(crate) fn host_name(&self) -> &HeaderValue {
        &self.host_name
    }
}
