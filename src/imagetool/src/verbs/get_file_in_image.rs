//! `get-file-in-image name imageFile [outfile]`: one file of an image.

use flags::Verb;

use super::destination::Destination;
use super::objects;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-file-in-image";
pub(super) const DOING: &str = "error getting file in image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name imageFile [outfile]", "print one file of an image, or write it to a file").group("look").examples(&["imagetool get-file-in-image base/2026-11-22 /etc/passwd # to standard output", "imagetool get-file-in-image I:base /boot/vmlinuz kernel # of the newest image, to a file"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let data = objects::file(session, &arguments[0], &arguments[1]).await?;
    let Some(name) = arguments.get(2) else {
        Destination::Stdout.write_all(&data)?;
        return Ok(Verdict::Done);
    };
    Destination::open(Some(name))?.write_all(&data)?;
    Ok(Verdict::Done)
}
