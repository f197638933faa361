//! The end of every verb that adds an image.

use anyhow::anyhow;
use image::Image;
use image::required_paths;
use image_client::flows::{self, Finish};

use crate::session::{NotConnected, Session};

/// Checks and adds an image whose objects are with the server (`imagetool.md §6.2`).
pub(super) async fn finish(session: &mut Session, name: &str, image: Image) -> anyhow::Result<()> {
    let expires_in = session.options.expires_in;
    let options = Finish {
        required_paths: required_paths::parse(session.options.required_paths.as_str())?,
        expires_in: (!expires_in.is_zero()).then_some(expires_in),
    };
    let start = std::time::Instant::now();
    flows::finish(session.server().await?, name, image, &options).await?;
    session.debug(0, || {
        format!("Uploaded image: {name} in {}", human::duration(start.elapsed()))
    });
    Ok(())
}

/// Errors of adding name the image.
pub(super) fn named<T>(name: &str, result: anyhow::Result<T>) -> anyhow::Result<T> {
    result.map_err(|error| {
        if error.is::<NotConnected>() {
            error
        } else {
            anyhow!("{name:?}: {error}")
        }
    })
}
