//! `Imaginator.GetPageToken`, a method of our own: a token with which pages do what methods do.

use std::time::{Duration, SystemTime};

use crate::page_token::{LONGEST_LIFE, USUAL_LIFE};
use crate::rpc::prelude::*;
use gob::Time;
use protocol::imaginator::{GetPageTokenRequest, GetPageTokenResponse};

/// Methods that pages have buttons for.
const ON_PAGES: &[&str] = &[
    "BuildImage",
    "CancelBuild",
    "DisableAutoBuilds",
    "DisableBuildRequests",
    "StartAutoBuilds",
];

/// Nobody gets a token for what he may not call.
pub(crate) struct GetPageToken(pub(crate) Shared);

impl RequestReply for GetPageToken {
    const NAME: &'static str = "GetPageToken";
    type Request = GetPageTokenRequest;
    type Reply = GetPageTokenResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        Ok(match self.issue(call, &request) {
            Ok(reply) => reply,
            Err(error) => Self::Reply {
                error,
                ..Self::Reply::default()
            },
        })
    }
}

impl GetPageToken {
    fn issue(&self, call: &Call, request: &GetPageTokenRequest) -> Result<GetPageTokenResponse, String> {
        let may = |method: &str| self.0.has_powers(&call.caller, method);
        let methods: Vec<String> = if request.methods.is_empty() {
            let callable = ON_PAGES.iter().filter(|method| may(method));
            callable.map(|&method| method.to_owned()).collect()
        } else {
            request.methods.clone()
        };
        if let Some(unknown) = methods.iter().find(|method| !ON_PAGES.contains(&method.as_str())) {
            return Err(format!("no page does what {unknown} does"));
        }
        if let Some(denied) = methods.iter().find(|method| !may(method)) {
            return Err(format!("you may not call Imaginator.{denied}"));
        }
        if methods.is_empty() {
            return Err("you may call none of the methods that pages have buttons for".to_owned());
        }
        let life = match request.expires_in.to_std().unwrap_or_default() {
            Duration::ZERO => USUAL_LIFE,
            life => life.min(LONGEST_LIFE),
        };
        let expires_at = SystemTime::now() + life;
        let token = self
            .0
            .tokens
            .issue(username(call), &methods, expires_at)
            .map_err(|error| error.to_string())?;
        tracing::info!(
            "GetPageToken({}): {} for {}",
            username(call),
            methods.join(", "),
            human::duration(life)
        );
        Ok(GetPageTokenResponse {
            token,
            expires_at: Time::from(expires_at),
            methods,
            error: String::new(),
        })
    }
}
