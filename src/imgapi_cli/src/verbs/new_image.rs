//! What `create` and `import` have in common: they are given a manifest and a file, and an image that was just made gets its file and is
//! activated, or goes again.

use std::path::{Path, PathBuf};

use clap::Args;
use repository::json::Object;
use repository_client::{AddFile, ClientError, Image};

use super::file_of_image::{self, AboutFile};
use crate::failure::WithHelp;
use crate::session::Session;
use crate::{interrupt, manifest, output};

/// What an image is made of.
#[derive(Args)]
pub(super) struct Given {
    /// The manifest; - for standard input
    #[arg(long, short = 'm', value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Also send this file and activate the image
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    about: AboutFile,
}

/// A file that can be read, if one was given, and what is said about it.
pub(super) struct GivenFile(Option<(AddFile, PathBuf)>);

impl Given {
    /// The manifest, with these changes.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn manifest(&self, fields: &[String]) -> anyhow::Result<Object> {
        manifest::read(self.manifest.as_deref(), fields)
    }

    /// The file; what flags do not say of it the manifest may.
    ///
    /// # Errors
    /// It cannot be read, or it is not known how it is compressed.
    pub(super) fn file(self, manifest: &Object) -> anyhow::Result<GivenFile> {
        let about = self.about.or_of(manifest);
        Ok(GivenFile(match self.file {
            Some(path) => Some((file_of_image::check(&path, &about)?, path)),
            None => None,
        }))
    }
}

impl GivenFile {
    /// Says that the image is there, and completes it if there is a file.
    ///
    /// # Errors
    /// See [`complete`].
    pub(super) async fn put_into(&self, session: &Session, image: &Image) -> anyhow::Result<()> {
        output::changed(
            session,
            image,
            format!("Imported image {}", output::summary(image)),
        )?;
        match &self.0 {
            Some((about, path)) => complete(session, image, path, about).await,
            None => Ok(()),
        }
    }
}

/// Sends the file and activates. If the repository refuses, or somebody interrupts, the image is deleted again; if the connection is gone, it
/// stays, with what it has of the file.
async fn complete(session: &Session, image: &Image, path: &Path, about: &AddFile) -> anyhow::Result<()> {
    let uuid = image.uuid();
    let work = async {
        file_of_image::send(session, uuid, path, about).await?;
        let image = session.client.activate(uuid).await?;
        output::changed(session, &image, format!("Activated image {uuid}"))
    };
    let Err(error) = interrupt::or_else(work).await else {
        return Ok(());
    };
    if error
        .downcast_ref::<ClientError>()
        .is_some_and(ClientError::is_passing)
    {
        let path = path.display();
        let help = format!(
            "imgapi-cli add-file {uuid} -f {path}, which goes on where it was, then imgapi-cli activate {uuid}"
        );
        return Err(WithHelp { error, help }.into());
    }
    match session.client.delete(uuid, false).await {
        Ok(()) => eprintln!("Deleted image {uuid} again."),
        Err(failed) => eprintln!("Warning: Could not delete partially imported image {uuid}: {failed}"),
    }
    Err(error)
}
