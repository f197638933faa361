//! A request as endpoints see it: routed, of a version, from a caller who is known.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use repository::access::{Guarded as _, check_visible};
use repository::catalogue::{Catalogue, Entry, State};
use repository::channels::Scope;
use repository::configuration::Settings;
use repository::http::{ApiVersion, Body, Conditions, Endpoint, Parameters};
use repository::manifest::Mode;
use repository::signature::User;
use repository::{ApiError, Result, Uuid};

use crate::client::base_url;
use crate::incoming::{Incoming, announced};
use crate::state::Shared;

/// What an endpoint is given.
pub(crate) struct Asked {
    /// What all requests share.
    pub(crate) state: Shared,
    /// The settings this request is answered by, from its beginning to its end.
    pub(crate) settings: Arc<Settings>,
    /// Which endpoint it is for.
    pub(crate) endpoint: Endpoint,
    /// The version its answer is made for.
    pub(crate) version: ApiVersion,
    /// Who asks, proven; nobody where no signature is asked for.
    pub(crate) caller: Option<User>,
    /// What stands behind the question mark.
    pub(crate) parameters: Parameters,
    /// The name of the request in logs, in names of uploads, towards other repositories.
    pub(crate) id: HeaderValue,
    /// The part of the path that the route leaves open.
    pub(crate) argument: Option<String>,
    /// Its head.
    pub(crate) http: HttpRequest,
    /// Its body.
    pub(crate) body: Incoming,
}

impl Asked {
    /// Path and query as they were sent.
    pub(crate) fn url(&self) -> &str {
        url(&self.http)
    }

    /// A header by its lower-case name; several of one name joined by `, `. Nothing where it is no text.
    pub(crate) fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        header(&self.http, name)
    }

    /// The body as a value (imgapi.md §3).
    ///
    /// # Errors
    /// It is not what its headers say, too long, or does not arrive.
    pub(crate) async fn value(&mut self) -> Result<Body> {
        self.body.value(&self.http).await
    }

    /// The length that the head announces for the body.
    pub(crate) fn announced_length(&self) -> Option<u64> {
        announced(&self.http)
    }

    /// The address by which the client came here: where it finds its jobs.
    pub(crate) fn own_url(&self) -> String {
        base_url(&self.http, &self.settings)
    }

    /// The image of the path.
    ///
    /// # Errors
    /// It is no UUID: 404.
    pub(crate) fn image(&self) -> Result<Uuid> {
        let uuid = self.argument.as_deref().and_then(Uuid::parse);
        uuid.ok_or_else(|| ApiError::no_such_path(self.url()))
    }

    /// Which part of the repository it is about; `may_be_all` where `channel=*` is allowed (imgapi.md §8).
    ///
    /// # Errors
    /// No such channel.
    pub(crate) fn scope(&self, may_be_all: bool) -> Result<Scope> {
        self.settings.channels.scope(&self.parameters, may_be_all)
    }

    /// The entry of the path's image, if the caller sees it: what every reading endpoint begins with (imgapi.md §10.1).
    ///
    /// # Errors
    /// The channel or the account is wrong, or there is no such image for the caller.
    pub(crate) fn visible(&self, catalogue: &Catalogue) -> Result<Arc<Entry>> {
        let entry = self.visible_in(catalogue, true)?;
        if self.is_stranger() && !(entry.is_activated() && entry.state() == State::Active) {
            return Err(ApiError::image_hidden());
        }
        Ok(entry)
    }

    /// Whether images that are not active are hidden from who asks: only where the configuration says so (imgapi.md §21).
    fn is_stranger(&self) -> bool {
        let settings = &self.settings;
        settings.own.hide_inactive && settings.mode != Mode::Datacenter && self.caller.is_none()
    }

    /// The same for endpoints that change something, which take `channel=*` for a channel there is not.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn visible_in(&self, catalogue: &Catalogue, may_be_all: bool) -> Result<Arc<Entry>> {
        let uuid = self.image()?;
        let scope = self.scope(may_be_all)?;
        let account = self.parameters.account()?;
        let entry = catalogue
            .get(uuid)
            .ok_or_else(|| ApiError::image_not_found(uuid))?;
        check_visible(entry.as_ref(), account, &scope)?;
        Ok(Arc::clone(entry))
    }

    /// Gives what it states as conditions to `check`.
    pub(crate) fn with_conditions<T>(&self, check: impl FnOnce(&Conditions<'_>) -> T) -> T {
        let header = |name| self.header(name);
        let [matched, none, since, unmodified] = [
            "if-match",
            "if-none-match",
            "if-modified-since",
            "if-unmodified-since",
        ]
        .map(header);
        check(&Conditions {
            if_match: matched.as_deref(),
            if_none_match: none.as_deref(),
            if_modified_since: since.as_deref(),
            if_unmodified_since: unmodified.as_deref(),
        })
    }
}

/// Path and query as they were sent.
pub(crate) fn url(http: &HttpRequest) -> &str {
    let uri = http.uri();
    uri.path_and_query().map_or(uri.path(), |url| url.as_str())
}

/// A header by its lower-case name; several of one name joined by `, `. Nothing where it is no text.
pub(crate) fn header<'a>(http: &'a HttpRequest, name: &str) -> Option<Cow<'a, str>> {
    let mut values = http.headers().get_all(name);
    let first = values.next()?.to_str().ok()?;
    let mut all = Cow::Borrowed(first);
    for value in values {
        let joined = all.to_mut();
        joined.push_str(", ");
        joined.push_str(value.to_str().ok()?);
    }
    Some(all)
}
