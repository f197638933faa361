//! `get-build-log name [outfile]`: the log of an image's build.

use flags::Verb;

use super::destination::Destination;
use super::objects;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-build-log";
pub(super) const DOING: &str = "error getting image build log";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name [outfile]", "print the build log of an image, or write it to a file").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let log = objects::build_log(session, &arguments[0]).await?;
    Destination::open(arguments.get(1))?.write_all(&log)?;
    Ok(Verdict::Done)
}
