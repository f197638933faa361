//! Methods to call.

use std::sync::Arc;

use gob::Gob;
use serde::{Deserialize, Serialize};
use srpc::{
    Access, Call, Conn, MethodError, PerUserLimit, Raw, RawError, Registry, RequestReply, ServiceBuilder,
};

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct Text {
    pub text: String,
}

pub fn text(text: &str) -> Text {
    Text { text: text.into() }
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct WhoAmI {
    pub username: String,
    pub groups: Vec<String>,
    pub have_method_access: bool,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct Length {
    pub length: u64,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct CheckImageRequest {
    pub image_name: String,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct CheckImageResponse {
    pub image_exists: bool,
}

macro_rules! who_am_i {
    ($name:ident, $access:expr) => {
        pub struct $name;

        impl RequestReply for $name {
            const NAME: &'static str = stringify!($name);
            type Request = Text;
            type Reply = WhoAmI;

            fn access(&self) -> Access {
                $access
            }

            async fn call(&self, call: &Call, _request: Text) -> Result<WhoAmI, MethodError> {
                Ok(WhoAmI {
                    username: call.caller.username.clone(),
                    groups: call.caller.groups.clone(),
                    have_method_access: call.have_method_access,
                })
            }
        }
    };
}

who_am_i!(Powers, Access::POWERS);
who_am_i!(Public, Access::PUBLIC);
who_am_i!(Open, Access::EVERYBODY);

pub struct Echo;

impl RequestReply for Echo {
    const NAME: &'static str = "Echo";
    type Request = Text;
    type Reply = Text;

    async fn call(&self, _call: &Call, request: Text) -> Result<Text, MethodError> {
        match request.text.strip_prefix("fail ") {
            Some(message) => Err(message.into()),
            None => Ok(request),
        }
    }
}

pub struct Panic;

impl RequestReply for Panic {
    const NAME: &'static str = "Panic";
    type Request = Text;
    type Reply = Text;

    async fn call(&self, _call: &Call, request: Text) -> Result<Text, MethodError> {
        panic!("asked for: {}", request.text)
    }
}

/// Answers when told to stop, or when the server drains.
pub struct Wait(pub Arc<tokio::sync::Notify>);

impl RequestReply for Wait {
    const NAME: &'static str = "Wait";
    type Request = Text;
    type Reply = Text;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn call(&self, _call: &Call, request: Text) -> Result<Text, MethodError> {
        self.0.notified().await;
        Ok(request)
    }
}

/// Takes raw bytes and sends them back, a length before each.
pub struct Mirror;

impl Raw for Mirror {
    const NAME: &'static str = "Mirror";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        loop {
            let Length { length } = conn.read_value().await?;
            let mut data = Vec::new();
            while (data.len() as u64) < length {
                let left = length - data.len() as u64;
                conn.read_raw_into(&mut data, left).await?;
            }
            conn.write_value(&Length { length }).await?;
            if length == 0 {
                return Ok(());
            }
            conn.write_raw(&data).await?;
            conn.flush().await?;
        }
    }
}

/// Sends lines and an empty line.
pub struct Lines;

impl Raw for Lines {
    const NAME: &'static str = "Lines";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        for line in ["a/b/1", "a/b/2", ""] {
            conn.write_line(line).await?;
        }
        Ok(())
    }
}

pub struct FailRaw;

impl Raw for FailRaw {
    const NAME: &'static str = "FailRaw";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        conn.write_all(b"never sent").await?;
        Err("something is wrong".into())
    }
}

/// Says so when it has begun, and runs until the caller leaves or the server drains.
pub struct Subscribe;

impl Raw for Subscribe {
    const NAME: &'static str = "Subscribe";

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        conn.write_value(&text("begun")).await?;
        conn.flush().await?;
        tokio::select! {
            () = call.draining.cancelled() => {
                conn.write_value(&text("draining")).await?;
                Ok(())
            }
            _ = conn.closed() => Err(RawError::close_client()),
        }
    }
}

pub struct CheckImage;

impl RequestReply for CheckImage {
    const NAME: &'static str = "CheckImage";
    type Request = CheckImageRequest;
    type Reply = CheckImageResponse;

    async fn call(
        &self,
        _call: &Call,
        request: CheckImageRequest,
    ) -> Result<CheckImageResponse, MethodError> {
        Ok(CheckImageResponse {
            image_exists: request.image_name == "small/v1",
        })
    }
}

pub fn test_service() -> ServiceBuilder {
    ServiceBuilder::new("Test")
        .request_reply(Powers)
        .request_reply(Public)
        .request_reply(Echo)
        .request_reply(Panic)
        .raw(Mirror)
        .raw(Lines)
        .raw(FailRaw)
        .raw(Subscribe)
}

/// No method is open to callers without a certificate.
pub fn registry() -> Arc<Registry> {
    Registry::builder()
        .service(test_service())
        .service(ServiceBuilder::new("ImageServer").request_reply(CheckImage))
        .build()
}

/// One is.
pub fn mixed_registry() -> Arc<Registry> {
    Registry::builder()
        .service(test_service().request_reply(Open))
        .build()
}

/// With a method that waits and a limit of one call per user.
pub fn waiting_registry(go: &Arc<tokio::sync::Notify>) -> Arc<Registry> {
    let service = test_service()
        .request_reply(Wait(Arc::clone(go)))
        .blocker(PerUserLimit::new(1));
    Registry::builder().service(service).build()
}
