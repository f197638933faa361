//! What `add` and `addi` do before they look at a tree: an image with everything but its files (`imagetool.md §6.1`).

use anyhow::bail;
use image::Image;

use crate::inputs;
use crate::session::Session;

/// Fails if `name` is taken or a file is bad; sends release notes and build log where these are files.
pub(super) async fn described(
    session: &mut Session,
    name: &str,
    filter_file: &str,
    triggers_file: &str,
) -> anyhow::Result<Image> {
    if session.server().await?.check_image(name).await? {
        bail!("image exists");
    }
    let filter = inputs::filter(filter_file)?;
    let triggers = inputs::triggers(triggers_file)?;
    let (notes, log) = (
        session.options.release_notes.clone(),
        session.options.build_log.as_str().to_owned(),
    );
    let release_notes = inputs::annotation(session.server().await?, &notes).await?;
    let build_log = inputs::annotation(session.server().await?, &log).await?;
    Ok(Image {
        filter,
        triggers,
        release_notes,
        build_log,
        ..Image::default()
    })
}
