//! The way of every request, in the order of `imgapi.md §3`: path, method, version, who asks, endpoint, answer.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::FutureExt as _;
use repository::configuration::Settings;
use repository::http::{Authentication, Endpoint, Parameters, Routed, Unrouted, api_version, route};
use repository::manifest::Mode;
use repository::{ApiError, Code, Uuid};

use crate::accept;
use crate::answer::Answer;
use crate::audit::{Audit, Audited};
use crate::authenticate::caller;
use crate::incoming::Incoming;
use crate::request::{Asked, header, url};
use crate::request_id::request_id;
use crate::routes;
use crate::state::{Shared, State};

/// Answers one request.
pub(crate) async fn serve(http: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse<Audited> {
    let begun = Instant::now();
    let state = state.into_inner();
    let settings = state.settings();
    let id = request_id(&http);
    let mut audit = Audit::new(&state, &settings, &http, &id, begun);
    let answer = match routed(&http, &settings) {
        Ok(routed) => {
            let endpoint = routed.endpoint;
            let argument = routed.argument.map(str::to_owned);
            let call = Call {
                http: http.clone(),
                payload,
                endpoint,
                argument,
                id: id.clone(),
            };
            let (answer, user) = answered(call, &state, settings.clone()).await;
            audit.went_to(Some(endpoint), user);
            answer
        }
        Err(answer) => {
            Incoming::new(&http, payload).drain().await;
            answer
        }
    };
    let duration = begun.elapsed();
    audit.of(answer.into_response(http.conn_data(), &state, &settings, id, duration))
}

/// Its endpoint, or why there is none.
fn routed<'a>(http: &'a HttpRequest, settings: &Settings) -> Result<Routed<'a>, Answer> {
    let is_there = |endpoint| match endpoint {
        Endpoint::ListChannels => !settings.channels.is_empty(),
        Endpoint::CloneImage => settings.mode == Mode::Datacenter,
        _ => true,
    };
    route(http.method().as_str(), http.uri().path(), is_there).map_err(|error| match error {
        Unrouted::NoSuchPath(error) => error.into(),
        Unrouted::MethodNotAllowed(error, allow) => Answer::from(error).with("allow", &allow),
    })
}

/// A request on its way to its endpoint.
struct Call {
    http: HttpRequest,
    payload: Payload,
    endpoint: Endpoint,
    argument: Option<String>,
    id: HeaderValue,
}

/// Whether the client takes the form of the answer; files, pictures and ways to other places are not JSON.
fn is_acceptable(http: &HttpRequest, endpoint: Endpoint) -> bool {
    let is_json = !matches!(
        endpoint,
        Endpoint::GetImageFile
            | Endpoint::GetImageIcon
            | Endpoint::ListDatasets
            | Endpoint::GetDataset
            | Endpoint::PublicDocs
            | Endpoint::Favicon
    );
    !is_json || accept::is_acceptable(header(http, "accept").as_deref())
}

/// The answer, and who asked.
async fn answered(
    call: Call,
    state: &Shared,
    settings: std::sync::Arc<Settings>,
) -> (Answer, Option<String>) {
    let mut body = Incoming::new(&call.http, call.payload);
    let is_read = call.http.method() == actix_web::http::Method::GET;
    if !is_acceptable(&call.http, call.endpoint) {
        body.drain().await;
        return (Answer::empty(406), None);
    }
    let prepared = prepare(
        &call.http,
        call.endpoint,
        call.argument.as_deref(),
        state,
        &settings,
    );
    let (version, caller) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            body.drain().await;
            return (error.into(), None);
        }
    };
    let user = caller.as_ref().map(|caller| caller.name.clone());
    let parameters = call.http.uri().query().map(Parameters::parse).unwrap_or_default();
    let mut asked = Asked {
        state: Shared::clone(state),
        settings,
        endpoint: call.endpoint,
        version,
        caller,
        parameters,
        id: call.id,
        argument: call.argument,
        http: call.http,
        body,
    };
    // A panic ends this request only: it was about what this client sent.
    let answer = AssertUnwindSafe(routes::answer(&mut asked)).catch_unwind().await;
    if !is_read {
        asked.body.drain().await;
    }
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => error.into(),
        Err(_) => {
            tracing::error!(id = ?asked.id, url = asked.url(), "panicked while it answered; the log has the place");
            ApiError::new(
                Code::InternalError,
                "the server failed to answer; its log says where",
            )
            .into()
        }
    };
    (answer, user)
}

/// Version and caller, checked. That a path names an image is checked before who asks where it is read, behind it where it
/// is changed (imgapi.md §4, §10.1).
fn prepare(
    http: &HttpRequest,
    endpoint: Endpoint,
    argument: Option<&str>,
    state: &Shared,
    settings: &Settings,
) -> repository::Result<(repository::http::ApiVersion, Option<repository::signature::User>)> {
    let method = http.method().as_str();
    let version = api_version(
        header(http, "accept-version").as_deref(),
        method,
        http.uri().path(),
    )?;
    let url = url(http);
    if endpoint == Endpoint::GetImage && argument.and_then(Uuid::parse).is_none() {
        return Err(ApiError::no_such_path(url));
    }
    let kind = match endpoint.authentication() {
        // Who may see more has to be known.
        Authentication::Unchecked if settings.own.hide_inactive => Authentication::Passive,
        kind => kind,
    };
    let caller = caller(state, settings, kind, http, url)?;
    Ok((version, caller))
}
