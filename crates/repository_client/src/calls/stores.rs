//! Where files are: another store, an export, a file that the repository fetches itself.

use crate::call::Call;
use crate::{AddFile, Client, ClientError, Image};
use repository::Uuid;
use repository::json::Value;

impl Client {
    /// Moves an image's file to another store.
    ///
    /// # Errors
    /// There is no such store, or the image has an icon or several files (400, `NotImplemented`).
    pub async fn change_stor(&self, uuid: Uuid, store: &str) -> Result<Image, ClientError> {
        let call = Call::post(format!("/images/{uuid}"))
            .with("action", "change-stor")
            .with("stor", store);
        self.image(call.long()).await
    }

    /// Copies manifest and file to a path of the object store; says where they are.
    ///
    /// # Errors
    /// There is no object store (503, `StorageUnsupported`), or the path is somebody else's.
    pub async fn export(&self, uuid: Uuid, path: &str) -> Result<Value, ClientError> {
        let call = Call::post(format!("/images/{uuid}"))
            .with("action", "export")
            .with("manta_path", path);
        self.json(call.long()).await
    }

    /// Has the repository take an image's file from another repository.
    ///
    /// # Errors
    /// That one does not answer (503, `RemoteSourceError`), or the file arrived wrong (400, `Download`).
    pub async fn add_file_from(
        &self,
        uuid: Uuid,
        source: &str,
        storage: Option<&str>,
    ) -> Result<Image, ClientError> {
        let call = Call::put(format!("/images/{uuid}/file"))
            .with("source", source)
            .with_some("storage", storage);
        self.image(call.long()).await
    }

    /// Has the repository fetch an image's file from an address, which must be `https:`.
    ///
    /// # Errors
    /// Nothing there, or not what was announced (400, `Download`).
    pub async fn add_file_from_url(
        &self,
        uuid: Uuid,
        url: &str,
        about: &AddFile,
    ) -> Result<Image, ClientError> {
        let body = serde_json::json!({ "file_url": url });
        let call = about.parameters(Call::post(format!("/images/{uuid}/file/from-url")));
        self.image(call.json(&body).long()).await
    }
}
