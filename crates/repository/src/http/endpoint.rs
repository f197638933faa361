//! Which endpoint a request is for, and who may ask it (imgapi.md §9).

use crate::error::{ApiError, Result};
use crate::uuid::Uuid;

/// Whether a request has to say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// It has to.
    Strict,
    /// It may; what is said must be true.
    Passive,
    /// It is not looked at.
    Unchecked,
}

macro_rules! endpoints {
    ($($name:ident = $word:literal, $authentication:ident;)*) => {
        /// An endpoint; its name is that of logs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are the specification's")]
        pub enum Endpoint { $($name,)* }

        impl Endpoint {
            /// All of them.
            pub const ALL: &'static [Endpoint] = &[$(Endpoint::$name,)*];

            /// Its name in metrics: lower case.
            pub fn word(self) -> &'static str {
                match self { $(Endpoint::$name => $word,)* }
            }

            /// Whether its requests have to say who asks.
            pub fn authentication(self) -> Authentication {
                match self { $(Endpoint::$name => Authentication::$authentication,)* }
            }
        }
    };
}

// One route of the original stands for several endpoints of the table where only a parameter tells them apart.
endpoints! {
    Ping = "ping", Passive;
    AdminGetState = "admingetstate", Strict;
    AdminUpdateState = "adminupdatestate", Strict;
    ListChannels = "listchannels", Passive;
    ListImages = "listimages", Passive;
    GetImage = "getimage", Passive;
    CreateImage = "createimage", Strict;
    AddImageFile = "addimagefile", Strict;
    AddImageFileFromUrl = "addimagefilefromurl", Strict;
    GetImageFile = "getimagefile", Unchecked;
    AddImageIcon = "addimageicon", Strict;
    GetImageIcon = "getimageicon", Unchecked;
    DeleteImageIcon = "deleteimageicon", Strict;
    UpdateImage = "updateimage", Strict;
    AdminPushDockerImage = "adminpushdockerimage", Strict;
    DeleteImage = "deleteimage", Strict;
    AddImageAcl = "addimageacl", Strict;
    GetImageJobs = "getimagejobs", Unchecked;
    CloneImage = "cloneimage", Strict;
    AdminReloadAuthKeys = "adminreloadauthkeys", Strict;
    ListDatasets = "listdatasets", Unchecked;
    GetDataset = "getdataset", Unchecked;
    PublicDocs = "publicdocs", Unchecked;
    Favicon = "favicon", Unchecked;
    GetJob = "getjob", Unchecked;
}

/// Where an endpoint is: `*` stands for one part of the path.
pub struct Route {
    /// Method of the request.
    pub method: &'static str,
    /// Parts of the path.
    pub path: &'static str,
    /// What is there.
    pub endpoint: Endpoint,
}

const fn at(method: &'static str, path: &'static str, endpoint: Endpoint) -> Route {
    Route {
        method,
        path,
        endpoint,
    }
}

/// All routes, in the order the original names them in `Allow`; `/jobs/*` is this server's own, in place of the original's job service (imgapi.md §15).
pub const ROUTES: &[Route] = &[
    at("GET", "/ping", Endpoint::Ping),
    at("GET", "/state", Endpoint::AdminGetState),
    at("POST", "/state", Endpoint::AdminUpdateState),
    at("GET", "/channels", Endpoint::ListChannels),
    at("GET", "/images", Endpoint::ListImages),
    at("POST", "/images", Endpoint::CreateImage),
    at("GET", "/images/*", Endpoint::GetImage),
    at("POST", "/images/*", Endpoint::UpdateImage),
    at("DELETE", "/images/*", Endpoint::DeleteImage),
    at("PUT", "/images/*/file", Endpoint::AddImageFile),
    at("GET", "/images/*/file", Endpoint::GetImageFile),
    at("POST", "/images/*/file/from-url", Endpoint::AddImageFileFromUrl),
    at("PUT", "/images/*/icon", Endpoint::AddImageIcon),
    at("GET", "/images/*/icon", Endpoint::GetImageIcon),
    at("DELETE", "/images/*/icon", Endpoint::DeleteImageIcon),
    at("POST", "/images/*/acl", Endpoint::AddImageAcl),
    at("POST", "/images/*/clone", Endpoint::CloneImage),
    at("GET", "/images/*/jobs", Endpoint::GetImageJobs),
    at("POST", "/images/*/push", Endpoint::AdminPushDockerImage),
    at("POST", "/authkeys/reload", Endpoint::AdminReloadAuthKeys),
    at("GET", "/datasets", Endpoint::ListDatasets),
    at("GET", "/datasets/*", Endpoint::GetDataset),
    at("GET", "/", Endpoint::PublicDocs),
    at("GET", "/docs", Endpoint::PublicDocs),
    at("GET", "/docs/", Endpoint::PublicDocs),
    at("GET", "/favicon.ico", Endpoint::Favicon),
    at("GET", "/jobs/*", Endpoint::GetJob),
];

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<'a> {
    /// What is there.
    pub endpoint: Endpoint,
    /// What stands in the place of the `*`.
    pub argument: Option<&'a str>,
}

impl Routed<'_> {
    /// The image of a path `/images/UUID…`. Asked after authentication on strict routes.
    ///
    /// # Errors
    /// It is no UUID: 404, with the whole URL of the request.
    pub fn image(&self, url: &str) -> Result<Uuid> {
        self.argument
            .and_then(Uuid::parse)
            .ok_or_else(|| ApiError::no_such_path(url))
    }
}

/// Why a request goes nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrouted {
    /// 404.
    NoSuchPath(ApiError),
    /// 405, with the `Allow` header.
    MethodNotAllowed(ApiError, String),
}

/// Finds the endpoint of a request; `path` without its query. Doubled slashes at the beginning count as one.
/// `is_there` says which endpoints this server has: without channels `/channels` is no path.
///
/// # Errors
/// There is none.
pub fn route<'a>(
    method: &str,
    path: &'a str,
    is_there: impl Fn(Endpoint) -> bool,
) -> std::result::Result<Routed<'a>, Unrouted> {
    let trimmed = path.trim_start_matches('/');
    let matching = ROUTES
        .iter()
        .filter(|route| is_there(route.endpoint))
        .filter_map(|route| {
            let argument = matches(route.path.trim_start_matches('/'), trimmed)?;
            Some((route, argument))
        });
    let matching: Vec<_> = matching.collect();
    if let Some((route, argument)) = matching.iter().find(|(route, _)| route.method == method) {
        return Ok(Routed {
            endpoint: route.endpoint,
            argument: *argument,
        });
    }
    if matching.is_empty() {
        return Err(Unrouted::NoSuchPath(ApiError::no_such_path(path)));
    }
    let methods: Vec<&str> = matching.iter().map(|(route, _)| route.method).collect();
    Err(Unrouted::MethodNotAllowed(
        ApiError::method_not_allowed(method),
        methods.join(", "),
    ))
}

/// What the `*` of a pattern is in a path, if the path fits.
fn matches<'a>(pattern: &str, path: &'a str) -> Option<Option<&'a str>> {
    let mut argument = None;
    let mut parts = path.split('/');
    for pattern in pattern.split('/') {
        let part = parts.next()?;
        if pattern == "*" && !part.is_empty() {
            argument = Some(part);
        } else if pattern != part {
            return None;
        }
    }
    parts.next().is_none().then_some(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";

    #[test]
    fn paths_lead_to_endpoints_and_a_trailing_slash_is_another_path() {
        let path = format!("//images/{UUID}/file");
        let routed = route("PUT", &path, |_| true).unwrap();
        assert_eq!(
            (routed.endpoint, routed.argument),
            (Endpoint::AddImageFile, Some(UUID))
        );
        for path in [
            "/images/",
            "/nosuch",
            &format!("/images/{UUID}/"),
            "/images/a/b",
            "/ping/x",
        ] {
            assert!(
                matches!(route("GET", path, |_| true), Err(Unrouted::NoSuchPath(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn another_method_is_told_which_there_are() {
        let allow = |method: &str, path: &str| match route(method, path, |_| true) {
            Err(Unrouted::MethodNotAllowed(_, allow)) => allow,
            other => panic!("{other:?}"),
        };
        assert_eq!(allow("HEAD", "/images"), "GET, POST");
        assert_eq!(allow("PATCH", "/images/x"), "GET, POST, DELETE");
    }

    #[test]
    fn what_is_not_configured_is_no_path() {
        let without = |endpoint| endpoint != Endpoint::ListChannels;
        assert!(matches!(
            route("GET", "/channels", without),
            Err(Unrouted::NoSuchPath(_))
        ));
    }

    #[test]
    fn everything_that_changes_something_is_strict() {
        for route in ROUTES.iter().filter(|route| route.method != "GET") {
            assert_eq!(
                route.endpoint.authentication(),
                Authentication::Strict,
                "{} {}",
                route.method,
                route.path
            );
        }
    }
}
