//! `delete name`: deletes an image.

use anyhow::bail;
use flags::{Mark, Verb};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "delete";
pub(super) const DOING: &str = "error deleting image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "delete an image").group("change").mark(Mark::Master).mark(Mark::Destroys).examples(&["imagetool delete base/2026-11-22 # its name cannot be used again", "imagetool -masterImageServerHostname=images.example.com delete base/2026-11-22 # where the server is a replica"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    if session.options.dry_run {
        if !session.master().await?.check_image(&arguments[0]).await? {
            bail!("image does not exist");
        }
        session.out.line(format!("would delete image: {}", arguments[0]))?;
        return Ok(Verdict::Done);
    }
    session.master().await?.delete_image(&arguments[0]).await?;
    Ok(Verdict::Done)
}
