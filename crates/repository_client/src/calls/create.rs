//! New images: made here, imported, made of a machine.

use crate::call::Call;
use crate::{Client, ClientError, Image, StartedJob};
use repository::Uuid;
use repository::json::{Object, Value};

/// How an image is imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportImage {
    /// Its owner need not be known there.
    pub skip_owner_check: bool,
}

/// What an image of a machine is to be made of (imgapi.md §14).
#[derive(Clone, Copy, Debug)]
pub struct NewMachineImage {
    /// The machine.
    pub machine: Uuid,
    /// Only the difference to the image that the machine was made of.
    pub is_incremental: bool,
    /// Images in its chain of origins, at most.
    pub max_origin_depth: Option<u32>,
}

impl Client {
    /// Makes an image, not active yet, of a manifest without `uuid`.
    ///
    /// # Errors
    /// The manifest breaks a rule (422), or the caller may not.
    pub async fn create(&self, manifest: &Object) -> Result<Image, ClientError> {
        self.image(Call::post("/images").json(&Value::Object(manifest.clone())))
            .await
    }

    /// Makes an image, not active yet, of a manifest that names itself.
    ///
    /// # Errors
    /// There is one of that name (409), or the manifest breaks a rule (422).
    pub async fn import(
        &self,
        uuid: Uuid,
        manifest: &Object,
        how: ImportImage,
    ) -> Result<Image, ClientError> {
        let call = import_call(uuid, "import", how).json(&Value::Object(manifest.clone()));
        self.image(call).await
    }

    /// The same with the manifest that another repository has; the file does not come along.
    ///
    /// # Errors
    /// As [`import`](Self::import); or the other repository does not answer (503, `RemoteSourceError`).
    pub async fn import_from(
        &self,
        uuid: Uuid,
        source: &str,
        how: ImportImage,
    ) -> Result<Image, ClientError> {
        let call = import_call(uuid, "import", how).with("source", source).long();
        self.image(call).await
    }

    /// Has the repository take an image, its file, and what it is based on, from another one.
    ///
    /// # Errors
    /// As [`import_from`](Self::import_from). What goes wrong later is in the job.
    pub async fn import_remote(
        &self,
        uuid: Uuid,
        source: &str,
        how: ImportImage,
    ) -> Result<StartedJob, ClientError> {
        let call = import_call(uuid, "import-remote", how)
            .with("source", source)
            .long();
        self.start_job(call).await
    }

    /// Has the repository take an account's image from another datacenter that it knows by name.
    ///
    /// # Errors
    /// The datacenter is not known, or the image there is not the account's.
    pub async fn import_from_datacenter(
        &self,
        uuid: Uuid,
        datacenter: &str,
    ) -> Result<StartedJob, ClientError> {
        let call = import_call(uuid, "import-from-datacenter", ImportImage::default());
        self.start_job(call.with("datacenter", datacenter).long()).await
    }

    /// Has an image made of a machine.
    ///
    /// # Errors
    /// There is nobody who could (501, `NotAvailable`), or no such machine.
    pub async fn create_from_machine(
        &self,
        manifest: &Object,
        how: NewMachineImage,
    ) -> Result<StartedJob, ClientError> {
        let call = Call::post("/images")
            .with("action", "create-from-vm")
            .with("vm_uuid", how.machine.to_string())
            .with_flag("incremental", how.is_incremental)
            .with_some(
                "max_origin_depth",
                how.max_origin_depth.map(|depth| depth.to_string()),
            )
            .json(&Value::Object(manifest.clone()));
        self.start_job(call.long()).await
    }
}

fn import_call(uuid: Uuid, action: &str, how: ImportImage) -> Call<'static> {
    Call::post(format!("/images/{uuid}"))
        .with("action", action)
        .with_flag("skip_owner_check", how.skip_owner_check)
}
