//! From a request to its endpoint.

use crate::model::conversation::Request;
use crate::model::{Answer, Minted, Model};
use repository::catalogue::write_list;
use repository::error::sample;
use repository::http::ApiVersion;
use repository::http::{
    Body, Endpoint, Parameters, Unrouted, api_version, check_content_md5, decode_body, route,
};
use repository::json::{self, Value};
use repository::list::ListContext;
use repository::list::ListQuery;
use repository::manifest::{Mode, create};
use repository::{ApiError, Code, Result, Uuid};

/// What a handler gets.
pub struct Call<'a> {
    pub request: &'a Request,
    pub parameters: Parameters,
    pub version: ApiVersion,
    pub minted: Minted,
}

impl Call<'_> {
    pub fn body(&self) -> Result<Body> {
        let request = self.request;
        let kind = request.header("content-type");
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            check_content_md5(&request.body, request.header("content-md5"))?;
        }
        decode_body(
            &request.body,
            kind,
            request.header("content-encoding") == Some("gzip"),
        )
    }
}

impl Model {
    pub fn answer(&mut self, request: &Request, minted: Minted) -> Answer {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let (has_channels, mode) = (!self.channels.is_empty(), self.mode);
        let is_there = |endpoint| match endpoint {
            Endpoint::ListChannels => has_channels,
            Endpoint::CloneImage => mode == Mode::Datacenter,
            _ => true,
        };
        let routed = match route(&request.method, path, is_there) {
            Ok(routed) => routed,
            Err(Unrouted::NoSuchPath(error)) => return error.into(),
            Err(Unrouted::MethodNotAllowed(error, allow)) => return Answer::from(error).with("allow", allow),
        };
        let version = match api_version(request.header("accept-version"), &request.method, path) {
            Ok(version) => version,
            Err(error) => return error.into(),
        };
        let call = Call {
            request,
            parameters: Parameters::parse(query),
            version,
            minted,
        };
        let argument = routed.argument.unwrap_or_default();
        let answer = match routed.endpoint {
            Endpoint::Ping => Ok(self.ping(&call)),
            Endpoint::AdminUpdateState => Ok(update_state(&call)),
            Endpoint::AdminReloadAuthKeys => Ok(Answer::json(200, "{}")),
            Endpoint::ListChannels => Ok(Answer::json(200, json::pretty(&self.channels.to_value(), 2))),
            Endpoint::ListImages => self.list(&call),
            Endpoint::CreateImage => self.create(&call),
            Endpoint::ListDatasets => Ok(Answer::new(301, "").with("location", "/images")),
            Endpoint::GetDataset => Ok(dataset(argument)),
            Endpoint::PublicDocs => Ok(Answer::new(301, "").with("location", "/docs/")),
            endpoint => routed
                .image(&request.url)
                .and_then(|uuid| self.image(endpoint, uuid, &call)),
        };
        answer.unwrap_or_else(Answer::from)
    }

    fn ping(&self, call: &Call<'_>) -> Answer {
        if let Some(name) = call.parameters.get("error") {
            return sample(&name).into();
        }
        let mut body = serde_json::json!({"ping": "pong", "version": "4.13.1", "imgapi": true});
        if self.mode == Mode::Datacenter {
            body["pid"] = 1.into();
        }
        Answer::json(200, json::pretty(&body, 2))
    }

    fn list(&self, call: &Call<'_>) -> Result<Answer> {
        let context = ListContext {
            mode: self.mode,
            is_authenticated: false,
            channels: &self.channels,
        };
        let query = ListQuery::new(&call.parameters, &context)?;
        let found = self.catalogue.select(&query)?;
        let mut body = Vec::new();
        write_list(
            found.iter().map(|entry| entry.form()),
            call.version,
            query.is_admin,
            &mut body,
        );
        Ok(Answer::json(200, body))
    }

    fn create(&mut self, call: &Call<'_>) -> Result<Answer> {
        let body = call.body()?;
        match call.parameters.get_nonempty("action").as_deref() {
            None => {}
            Some("create-from-vm") => {
                let message = "custom image creation is not currently available";
                return Err(ApiError::new(Code::NotAvailable, message));
            }
            Some("import-docker-image" | "import-lxd-image") => {
                return Err(ApiError::new(Code::NotSupported, "not offered"));
            }
            Some(other) => return Err(ApiError::invalid_action(other)),
        }
        let account = call.parameters.account()?;
        let scope = self.channels.scope(&call.parameters, false)?;
        let uuid = call.minted.uuid;
        let record = create(body.value(), account, scope.channel(), uuid, &self.rules(), self)?;
        Ok(self.store_and_show(record, call))
    }
}

fn update_state(call: &Call<'_>) -> Answer {
    match call.parameters.get_nonempty("action").as_deref() {
        Some("dropcaches") => Answer::new(202, ""),
        Some(other) => ApiError::new(
            Code::InvalidArgument,
            format!("\"{other}\" is not a valid action"),
        )
        .into(),
        None => ApiError::new(Code::MissingParameter, "\"action\" is required").into(),
    }
}

fn dataset(argument: &str) -> Answer {
    let parts: Vec<&str> = argument.split(':').collect();
    let location = match parts.as_slice() {
        [one] if Uuid::parse(one).is_some() => format!("/images/{one}"),
        [name, version] | [_, _, name, version] => format!("/images?name={name}&version={version}"),
        [_, _, name] | [name] => format!("/images?name={name}"),
        _ => "/images".to_owned(),
    };
    Answer::new(301, "").with("location", location)
}

/// The value of a recorded body's field.
pub fn field<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}
