//! Another repository, as this one asks it: without credentials, as `serverName`, through the configured proxy (imgapi.md §13.2).

use repository::configuration::Settings;
use repository::json::{self, Value};
use repository::{ApiError, Code, Uuid};
use repository_client::{Auth, Client, ClientError, Image, Options};

/// How this program names itself where the settings do not.
const USER_AGENT: &str = concat!("imagewright/", env!("CARGO_PKG_VERSION"));

/// Another repository.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) client: Client,
}

impl Remote {
    /// At an address, which may carry `?channel=NAME`. The name of the request is passed on; with an account it is asked on
    /// its behalf.
    ///
    /// # Errors
    /// The address is none, or that of a host from which nothing is fetched.
    pub(super) fn new(
        settings: &Settings,
        source: &str,
        request_id: Option<&str>,
        account: Option<Uuid>,
    ) -> Result<Remote, ApiError> {
        let options = Options {
            user_agent: settings.server_name.clone().unwrap_or(USER_AGENT.to_owned()),
            accepts_any_certificate: settings.allow_insecure,
            proxy: settings.proxy.clone(),
            request_id: request_id.map(str::to_owned),
            account,
            ..Options::default()
        };
        let client = Client::with_options(source, Auth::None, options).map_err(|error| match error {
            ClientError::Address(what) => ApiError::invalid_parameter("source", "Invalid", what),
            error => ApiError::new(Code::InternalError, error.to_string()),
        })?;
        let host = client.host();
        let checked = settings.own.check_source_host(host.as_deref());
        checked.map_err(|message| ApiError::invalid_parameter("source", "Invalid", message))?;
        Ok(Remote { client })
    }

    /// The manifest of an image there.
    ///
    /// # Errors
    /// `RemoteSourceError`: there is none, nobody answers, or what is answered is another's.
    pub(super) async fn manifest(&self, uuid: Uuid) -> Result<Value, ApiError> {
        let image = self.client.get(uuid).await;
        let image = image.map_err(|error| ApiError::no_remote_manifest(uuid, &told(&error)))?;
        own(image, uuid)
    }
}

/// A repository that answers with another image's manifest is not to be believed.
fn own(image: Image, uuid: Uuid) -> Result<Value, ApiError> {
    if image.uuid() == uuid {
        return Ok(Value::Object(image.into_object()));
    }
    let said = format!("the manifest is that of image {}", image.uuid());
    Err(ApiError::no_remote_manifest(uuid, &said))
}

/// What is told of a failure: the other's message alone, where it has one.
pub(super) fn told(error: &ClientError) -> String {
    match error {
        ClientError::Refused(refusal) if !refusal.message.is_empty() => refusal.message.clone(),
        error => error.to_string(),
    }
}

/// A text of a job's parameters; empty if it is not there.
pub(super) fn text(parameters: &json::Object, key: &str) -> String {
    let text = parameters.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
