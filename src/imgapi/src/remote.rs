//! Other repositories, as far as a request waits for them: manifests, chains of origins (imgapi.md §12.4, §13.2–§13.4).

use repository::json::Value;
use repository::manifest::Record;
use repository::remote::OriginWalk;
use repository::{ApiError, Code, Result, Uuid};
use repository_client::{Auth, Client, ClientError, Image, Options};

use crate::request::Asked;

/// A client of another repository, which is asked without credentials. `account` goes with every call.
///
/// # Errors
/// The address is none, or that of a host from which nothing is fetched.
pub(crate) fn client(
    asked: &Asked,
    source: &str,
    account: Option<Uuid>,
) -> std::result::Result<Client, ClientError> {
    let settings = &asked.settings;
    let own_name = || format!("imgapi/{}", env!("CARGO_PKG_VERSION"));
    let options = Options {
        accepts_any_certificate: settings.allow_insecure,
        proxy: settings.proxy.clone(),
        user_agent: settings.server_name.clone().unwrap_or_else(own_name),
        account,
        request_id: asked.id.to_str().ok().map(str::to_owned),
        ..Options::default()
    };
    let client = Client::with_options(source, Auth::None, options)?;
    let checked = settings.own.check_source_host(client.host().as_deref());
    checked.map_err(ClientError::Address)?;
    Ok(client)
}

/// The manifest of an image at a source.
///
/// # Errors
/// `RemoteSourceError`.
pub(crate) async fn manifest(asked: &Asked, source: &str, uuid: Uuid) -> Result<Value> {
    let client = client(asked, source, None).map_err(|error| no_manifest(uuid, &error))?;
    let image = client
        .get(uuid)
        .await
        .map_err(|error| no_manifest(uuid, &error))?;
    Ok(image.value().clone())
}

fn no_manifest(uuid: Uuid, error: &ClientError) -> ApiError {
    ApiError::no_remote_manifest(uuid, &said(error))
}

/// What goes wrong, in the words of the other repository where there are some.
pub(crate) fn said(error: &ClientError) -> String {
    error
        .refusal()
        .map(|refusal| refusal.message.clone())
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| error.to_string())
}

/// What the other repository says, passed on as it is.
pub(crate) fn passed_on(error: &ClientError) -> ApiError {
    match error.refusal() {
        Some(refusal) if !refusal.code.is_empty() => {
            ApiError::passed_on(refusal.status, refusal.code.as_str(), refusal.message.as_str())
        }
        _ => ApiError::new(Code::RemoteSourceError, said(error)),
    }
}

/// The origins of an image at a source that are not here, oldest first. With an `owner` they must be that account's.
///
/// # Errors
/// One is not active, another's, or not to be had.
pub(crate) async fn missing_origins(
    asked: &Asked,
    client: &Client,
    image: &Image,
    owner: Option<Uuid>,
) -> Result<Vec<Uuid>> {
    let mut walk = OriginWalk::new(image.value(), owner);
    while let Some(origin) = walk.next() {
        if let Some(record) = here(asked, origin).await? {
            walk.is_here(record.state())?;
            continue;
        }
        let there = client.get(origin).await.map_err(|error| match owner {
            Some(_) => passed_on(&error),
            None => no_manifest(origin, &error),
        })?;
        walk.is_there(there.value())?;
    }
    Ok(walk.into_queue())
}

async fn here(asked: &Asked, uuid: Uuid) -> Result<Option<Record>> {
    let stored = asked.state.repository().record(uuid).await;
    let stored = stored.map_err(|error| error.answer())?;
    Ok(stored.map(|stored| stored.record))
}
