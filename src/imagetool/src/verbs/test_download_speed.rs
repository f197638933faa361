//! `test-download-speed name`: how fast objects come.

use flags::{Mark, Verb};
use std::time::Instant;

use image_client::ObjectStream;
use image_client::fetch::Verify;

use crate::trees;
use crate::typed_name::{Source, TypedName};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "test-download-speed";
pub(super) const DOING: &str = "error testing download speed";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "fetch all objects of an image and forget them").group("housekeeping").mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let name = &arguments[0];
    let name = if session.server().await?.check_directory(name).await? {
        trees::latest(session, name).await?
    } else {
        name.clone()
    };
    let start = Instant::now();
    let tree = trees::tree(session, &TypedName { source: Source::Image, name }).await?.tree;
    eprintln!("downloaded image metadata in {}", human::duration(start.elapsed()));
    let wanted = tree_io::unpack::wanted(&tree)?;
    let (count, bytes) = (wanted.len(), wanted.iter().map(|(_, size)| size).sum::<u64>());
    let client = session.take_connection().await?;
    let start = Instant::now();
    let mut objects = ObjectStream::start(client, wanted, Verify::Reader);
    while objects.next().await?.is_some() {}
    let elapsed = start.elapsed();
    let rate = u128::from(bytes) * 1000 / elapsed.as_millis().max(1);
    let rate = human::bytes(u64::try_from(rate).unwrap_or(u64::MAX));
    let (bytes, elapsed) = (human::bytes(bytes), human::duration(elapsed));
    eprintln!("downloaded {bytes} ({count} objects) in {elapsed} ({rate}/s)");
    Ok(Verdict::Done)
}
