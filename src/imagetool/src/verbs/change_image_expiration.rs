//! `change-image-expiration name`: sets when an image expires.

use flags::{Mark, Verb};
use image_client::flows;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "change-image-expiration";
pub(super) const DOING: &str = "error changing image expiration";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "let an image expire later, or never").group("change").mark(Mark::Master).examples(&["imagetool -expiresIn=720h change-image-expiration test/1 # in thirty days", "imagetool change-image-expiration test/1 # never"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let expires_in = session.options.expires_in;
    let expires_at =
        if expires_in.is_zero() { gob::Time::ZERO } else { flows::in_the_future(expires_in) };
    session.master().await?.change_image_expiration(&arguments[0], expires_at).await?;
    Ok(Verdict::Done)
}
