//! Is there an image repository, and who does it say I am?

use crate::call::Call;
use crate::{Client, ClientError};
use repository::json::Value;

/// What a repository says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Ping {
    /// Its version.
    pub version: String,
    /// Who it takes the caller for, if that is proven.
    pub user: Option<String>,
    /// The whole answer.
    pub value: Value,
}

impl Client {
    /// Asks for a sign of life; signed, if the client has an identity, so that a wrong key shows here.
    ///
    /// # Errors
    /// None, or none of an image repository.
    pub async fn ping(&self) -> Result<Ping, ClientError> {
        self.read_ping(Call::get("/ping")).await
    }

    /// Asks for a sample of an error, such as `ResourceNotFound`.
    ///
    /// # Errors
    /// That one, usually.
    pub async fn ping_error(&self, error: &str) -> Result<Ping, ClientError> {
        self.read_ping(Call::get("/ping").with("error", error)).await
    }

    async fn read_ping(&self, call: Call<'_>) -> Result<Ping, ClientError> {
        let value = self.json(call).await?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        if text("ping").as_deref() != Some("pong") {
            return Err(ClientError::Answer("it does not say pong".to_owned()));
        }
        Ok(Ping {
            version: text("version").unwrap_or_default(),
            user: text("user"),
            value,
        })
    }
}
