//! `diff-build-logs tool left right`: the build logs of two images.

use flags::Verb;

use super::{objects, tool};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "diff-build-logs";
pub(super) const DOING: &str = "error diffing build logs";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the build logs of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut sides = Vec::new();
    for name in &arguments[1..3] {
        let log = objects::build_log(session, name).await?;
        sides.push(tool::file(|file| Ok(file.write_all(&plain(&log))?))?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}

/// Progress lines become lines, a few signs that some tools choke on ASCII of as many bytes.
fn plain(log: &[u8]) -> Vec<u8> {
    let text = bstr::ByteSlice::replace(log, "\r", "\n");
    let text = bstr::ByteSlice::replace(&text[..], "→", " ->");
    bstr::ByteSlice::replace(&text[..], "µ", " u")
}
