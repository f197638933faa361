//! Who looks: what he may see, and what he asks for.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use front::page::problem;
use front::site::Site;
use repository::access::{Guarded as _, check_visible};
use repository::catalogue::{Catalogue, Entry, Form, State as ImageState, write_one};
use repository::channels::Scope;
use repository::configuration::Settings;
use repository::http::{ApiVersion, Parameters};
use repository::json::Value;
use repository::list::{ListContext, ListQuery};
use repository::manifest::Mode;
use repository::{ApiError, Uuid};

use crate::client::base_url;
use crate::state::State;

/// A request for a page, by somebody who said nothing about himself.
pub(super) struct Viewer<'a> {
    pub(super) state: &'a State,
    pub(super) site: &'a Site,
    pub(super) settings: Arc<Settings>,
    pub(super) catalogue: Arc<Catalogue>,
    /// What stands behind the question mark, undecoded.
    pub(super) query: &'a str,
    request: &'a HttpRequest,
}

impl<'a> Viewer<'a> {
    pub(super) fn of(state: &'a State, site: &'a Site, request: &'a HttpRequest) -> Self {
        Self {
            state,
            site,
            settings: state.settings(),
            catalogue: state.catalogue(),
            query: request.query_string(),
            request,
        }
    }

    /// Whether this is the operator's network: there is no question of who may see what.
    pub(super) fn is_operator(&self) -> bool {
        self.settings.mode == Mode::Datacenter
    }

    /// All images the viewer may list that the parameters ask for, newest first: the parameters of the API's list, and `q`.
    ///
    /// # Errors
    /// A parameter that the API would refuse.
    pub(super) fn images(&self, query: &str) -> Result<Vec<Arc<Entry>>, ApiError> {
        // What is given comes first and counts; `limit` and `marker` are the API's business.
        let given = Parameters::parse(query);
        let mut defaults = String::from("sort=published_at.desc");
        for (name, value) in [("state", "all"), ("channel", "*")] {
            let is_meant = name == "state" || !self.settings.channels.is_empty();
            if is_meant && given.get_nonempty(name).is_none() {
                defaults += &format!("&{name}={value}");
            }
        }
        let kept = given.iter().filter(|(name, value)| {
            !value.is_empty() && !["limit", "marker", "sort", "inclAdminFields"].contains(name)
        });
        for (name, value) in kept {
            defaults += &format!("&{}={}", front::page::encode(name), front::page::encode(value));
        }
        let context = ListContext {
            mode: self.settings.mode,
            is_authenticated: false,
            channels: &self.settings.channels,
        };
        let mut wanted = ListQuery::new(&Parameters::parse(&defaults), &context)?;
        wanted.limit = usize::MAX;
        let mut found = self.catalogue.select(&wanted)?;
        if let Some(words) = given.get_nonempty("q") {
            let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
            found.retain(|entry| has_all(entry, &words));
        }
        Ok(found)
    }

    /// The image of the path.
    ///
    /// # Errors
    /// There is none for the viewer.
    pub(super) fn image(&self) -> Result<Arc<Entry>, ApiError> {
        let text = self.request.match_info().get("uuid").unwrap_or_default();
        let uuid = Uuid::parse(text).ok_or_else(|| ApiError::no_such_path(self.request.path()))?;
        let entry = self
            .catalogue
            .get(uuid)
            .ok_or_else(|| ApiError::image_not_found(uuid))?;
        let scope = if self.settings.channels.is_empty() {
            Scope::Unused
        } else {
            Scope::All
        };
        check_visible(entry.as_ref(), None, &scope)?;
        if self.is_hidden(entry) {
            return Err(ApiError::image_hidden());
        }
        Ok(Arc::clone(entry))
    }

    /// Whether the configuration hides it from strangers, as from those who ask the API without a signature (imgapi.md §21).
    pub(super) fn is_hidden(&self, entry: &Entry) -> bool {
        self.settings.own.hide_inactive
            && !self.is_operator()
            && !(entry.is_activated() && entry.state() == ImageState::Active)
    }

    /// Where the API is, as the viewer reached this page.
    pub(super) fn api(&self) -> String {
        base_url(self.request, &self.settings)
    }

    /// A page that says why there is nothing else.
    pub(super) fn refuse(&self, error: &ApiError) -> HttpResponse {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let what = if status == StatusCode::NOT_FOUND {
            "not found"
        } else {
            "this cannot be shown"
        };
        let next = "<a href=\"/ui/images\">all images</a>";
        problem(self.site, status, what, error.message(), next)
    }
}

/// Whether all words are somewhere in its manifest, whatever their case.
fn has_all(entry: &Entry, words: &[String]) -> bool {
    let manifest = manifest_text(entry.form()).to_lowercase();
    words.iter().all(|word| manifest.contains(word.as_str()))
}

/// The manifest as the API gives it to everybody.
pub(super) fn manifest_text(form: &Form) -> String {
    let mut text = Vec::new();
    write_one(form, ApiVersion::Two, false, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The same to read fields of.
pub(super) fn manifest(form: &Form) -> Value {
    repository::json::parse(manifest_text(form).as_bytes()).unwrap_or_default()
}
