//! What `create` and `import` have in common: an image that was just made gets its file and is activated, or goes again.

use std::path::Path;

use repository_client::{AddFile, ClientError, Image};

use super::file_of_image;
use crate::failure::WithHelp;
use crate::interrupt;
use crate::output;
use crate::session::Session;

/// Sends the file and activates. If the repository refuses, or somebody interrupts, the image is deleted again; if the connection is gone, it
/// stays, with what it has of the file.
pub(super) async fn complete(
    session: &Session,
    image: &Image,
    path: &Path,
    about: &AddFile,
) -> anyhow::Result<()> {
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
