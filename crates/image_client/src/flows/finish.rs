//! The last steps of every command that adds an image (`imagetool.md §6.2`).

use std::time::Duration;

use gob::Time;
use image::Image;
use image::required_paths::{self, RequiredPath};

use crate::error::Error;
use crate::server::ImageServer;

/// How to finish.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    /// Paths the tree must have, unless the image is sparse (has no filter).
    pub required_paths: Vec<RequiredPath>,
    /// Life time from now; nothing for ever.
    pub expires_in: Option<Duration>,
}

/// Checks the image as the server would, and for the required paths; then adds it. Its objects are with the server already.
///
/// # Errors
/// [`Error::Unfit`] before, [`Error::AddImage`] from the server.
pub async fn finish(
    server: &mut ImageServer,
    name: &str,
    mut image: Image,
    options: &Finish,
) -> Result<(), Error> {
    let tree = image
        .file_system
        .as_ref()
        .ok_or(Error::Unfit("nil file-system".to_owned()))?;
    tree.check().map_err(|e| Error::Unfit(e.to_string()))?;
    image::verify::tree(tree).map_err(|e| Error::Unfit(e.to_string()))?;
    if image.filter.is_some() {
        required_paths::verify(tree, &options.required_paths).map_err(|e| Error::Unfit(e.to_string()))?;
    }
    image.expires_at = match options.expires_in {
        Some(life_time) => in_the_future(life_time),
        None => Time::ZERO,
    };
    server.add_image(name, image).await
}

/// The time `life_time` from now.
pub fn in_the_future(life_time: Duration) -> Time {
    let now = Time::now();
    let seconds = i64::try_from(life_time.as_secs()).unwrap_or(i64::MAX);
    // At most two seconds' worth, which the constructor carries over.
    let nanoseconds = now.nanoseconds() + life_time.subsec_nanos();
    Time::new(
        now.unix_seconds().saturating_add(seconds),
        nanoseconds,
        now.zone(),
    )
}
