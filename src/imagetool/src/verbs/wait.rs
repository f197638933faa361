//! `wait name`: waits until an image is there; the exit code tells.

use flags::Verb;

use super::Verdict;
use crate::session::{Bare, Session};

pub(super) const NAME: &str = "wait";
pub(super) const DOING: &str = "error waiting for image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "wait for an image to appear, at most -timeout").group("look").examples(&["imagetool -timeout=5m wait base/2026-11-22 # exit code 0 as soon as it is there", "imagetool -masterImageServerHostname=images.example.com -timeout=5m wait base/2026-11-22 # until the replica has it"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    if session.has_master() {
        let checked = session.master().await?.check_image(&arguments[0]).await;
        if !checked.map_err(|e| Bare(format!("error checking image on master: {e}")))? {
            let master = session.options.master_image_server_hostname.as_str();
            return Err(Bare(format!("image not present on master: {master}")).into());
        }
    }
    let timeout = session.options.timeout;
    let (image, _) = session.server().await?.get_image_metadata(&arguments[0], timeout).await?;
    Ok(Verdict::of(image.is_some()))
}
