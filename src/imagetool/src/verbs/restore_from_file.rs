//! `restore-from-file filename`: an image from a file that save-to-file wrote (`imagetool.md §8`).

use std::collections::HashSet;
use std::io::{BufReader, Read};
use std::time::Duration;

use anyhow::{anyhow, bail};
use flags::{Mark, Verb};
use gob::{Decoder, Gob, Limits, Progress};
use hash::Hash;
use image_client::{AddOptions, AddQueue, flows};
use protocol::archive::{self, SavedObject};
use tree_io::{Body, FoundObject, os_text};

use super::Verdict;
use crate::local_time;
use crate::session::Session;

pub(super) const NAME: &str = "restore-from-file";
pub(super) const DOING: &str = "error restoring image";

/// Life of an image that expired, if no other is given.
const DEFAULT_EXPIRATION: Duration = Duration::from_secs(15 * 60);

/// Bytes read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// One object is held in memory.
const OBJECT_MAX_BYTES: u64 = 16 << 30;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "filename", "restore an image from a file that save-to-file wrote").group("move").mark(Mark::Master)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut saved = Saved::open(&arguments[0])?;
    let data: Vec<u8> = saved.value()?.ok_or_else(|| anyhow!("{}: is empty", arguments[0]))?;
    let content = archive::decode(&data).map_err(|e| saved.bad(&e))?.content;
    let mut missing: HashSet<Hash> =
        image::objects::distinct(&content.image).into_iter().map(|(hash, _)| hash).collect();
    let (name, created_on) = (content.image_name, content.image.created_on);
    if session.master().await?.check_image(&name).await? {
        bail!("{name} already exists");
    }
    let expires_at = &content.image.expires_at;
    if !expires_at.is_zero() && local_time::until(expires_at) > 0 {
        bail!("cannot restore for: {}", human::duration_ns(local_time::until(expires_at)));
    }
    let (sending, asking) = (session.connect().await?, session.connect().await?);
    let queue = AddQueue::start(sending, Some(asking), AddOptions::default());
    let uploaded = upload(&mut saved, &queue, &mut missing).await;
    // The queue's own error is the reason for one of putting in.
    let (_, _connections) = match (queue.finish().await, uploaded) {
        (Ok(done), Ok(())) => done,
        (Ok(_), Err(error)) => return Err(error),
        (Err(reason), _) => return Err(reason.into()),
    };
    let expires_in = session.options.expires_in;
    let expires_in = if expires_in.is_zero() { DEFAULT_EXPIRATION } else { expires_in };
    let restored = session.master().await?.restore_image(data, flows::in_the_future(expires_in)).await;
    restored.map_err(|error| match error {
        image_client::Error::Refused(text) if text.ends_with(" not available") && !missing.is_empty() => anyhow!(
            "{text}: {} lacks {} objects of the image, so it was probably cut short, and the server does not have them either",
            arguments[0],
            missing.len()
        ),
        other => other.into(),
    })?;
    eprintln!("restored image: {name}");
    if is_new(session, &name, created_on).await {
        eprintln!(
            "Warning: {}: another server saved this, or it was changed since: {name} is a new image of yours",
            arguments[0]
        );
    }
    Ok(Verdict::Done)
}

/// Whether the server did not take it for the image it once had. Only a note: what goes wrong here does not count.
async fn is_new(session: &mut Session, name: &str, created_on: gob::Time) -> bool {
    let Ok(server) = session.master().await else {
        return false;
    };
    let found = server.get_image_metadata(name, Duration::ZERO).await;
    matches!(found, Ok((Some(image), _)) if image.created_on != created_on)
}

async fn upload(saved: &mut Saved, queue: &AddQueue, missing: &mut HashSet<Hash>) -> anyhow::Result<()> {
    while let Some(SavedObject { hash, length }) = saved.value()? {
        let data = saved.bytes(length)?;
        if hash::of(&data) != hash {
            bail!("corrupted object: {hash}");
        }
        missing.remove(&hash);
        queue.add(FoundObject { hash, size: length, body: Body::Bytes(data) }).await?;
    }
    Ok(())
}

/// A file of gob values with raw bytes between them.
struct Saved {
    file: BufReader<std::fs::File>,
    name: String,
    unread: Vec<u8>,
    decoder: Decoder,
}

impl Saved {
    fn open(name: &str) -> anyhow::Result<Saved> {
        let file = BufReader::new(crate::inputs::open(name)?);
        Ok(Saved { file, name: name.to_owned(), unread: Vec::new(), decoder: Decoder::new(Limits::default()) })
    }

    /// What a file is told that no save-to-file wrote, or that was changed since.
    fn bad(&self, cause: &dyn std::fmt::Display) -> anyhow::Error {
        anyhow!("{}: not a saved image, or damaged: {cause}", self.name)
    }

    /// The next value; nothing at the end of the file.
    fn value<T: Gob>(&mut self) -> anyhow::Result<Option<T>> {
        loop {
            if !self.unread.is_empty() {
                let decoded = self.decoder.decode(&self.unread);
                let decoded = decoded.map_err(|e| anyhow!("{}: not a saved image, or damaged: {e}", self.name))?;
                if let Progress::Value { value, consumed } = decoded {
                    self.unread.drain(..consumed);
                    return Ok(Some(value));
                }
            }
            let had = self.unread.len();
            if self.more(PIECE_BYTES)? == 0 {
                if had == 0 {
                    return Ok(None);
                }
                bail!("{}: ends too early", self.name);
            }
        }
    }

    fn bytes(&mut self, length: u64) -> anyhow::Result<Vec<u8>> {
        if length > OBJECT_MAX_BYTES {
            bail!("{}: object of {}", self.name, human::bytes(length));
        }
        let length = usize::try_from(length)?;
        while self.unread.len() < length {
            if self.more((length - self.unread.len()).max(PIECE_BYTES))? == 0 {
                bail!("{}: ends too early", self.name);
            }
        }
        let rest = self.unread.split_off(length);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    fn more(&mut self, bytes: usize) -> anyhow::Result<usize> {
        let read = (&mut self.file).take(bytes as u64).read_to_end(&mut self.unread);
        read.map_err(|e| anyhow!("read {}: {}", self.name, os_text(&e)))
    }
}
