//! Results on standard output: lines for people, JSON for programs.

use std::io::{ErrorKind, Write};

use repository::json::{self, Value};
use repository_client::Image;

use crate::session::Session;

/// A line for people. If nobody reads it, that is no failure of what it tells: nothing is to be undone for it.
pub(crate) fn line(text: impl AsRef<str>) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let text = format!("{}\n", text.as_ref());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A value as the repository writes it: indented by two.
pub(crate) fn json(value: &Value) -> anyhow::Result<()> {
    line(json::pretty(value, 2))
}

/// What a change came to: the image for programs, a sentence for people.
pub(crate) fn changed(session: &Session, image: &Image, sentence: impl AsRef<str>) -> anyhow::Result<()> {
    if session.is_json {
        json(image.value())
    } else {
        line(sentence)
    }
}

/// An image in a few words, as the original's client shows it.
pub(crate) fn summary(image: &Image) -> String {
    format!(
        "{} ({}, {}, state={})",
        image.uuid(),
        image.name(),
        image.version(),
        image.state()
    )
}
