//! For who runs the repository.

use crate::call::Call;
use crate::{Client, ClientError};
use repository::json::Value;

impl Client {
    /// What the repository is doing.
    ///
    /// # Errors
    /// The caller may not ask, or it does not answer.
    pub async fn state(&self) -> Result<Value, ClientError> {
        self.json(Call::get("/state")).await
    }

    /// Has it forget what it keeps for quick answers.
    ///
    /// # Errors
    /// The caller may not ask, or it does not answer.
    pub async fn drop_caches(&self) -> Result<(), ClientError> {
        let call = Call::post("/state").with("action", "dropcaches");
        self.send(call).await.map(|_| ())
    }

    /// Has it read its users' keys again; it may answer before it has done so.
    ///
    /// # Errors
    /// The caller may not ask, or it does not answer.
    pub async fn reload_auth_keys(&self) -> Result<(), ClientError> {
        self.send(Call::post("/authkeys/reload")).await.map(|_| ())
    }
}
