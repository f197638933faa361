//! `get-object-statistics-for-images listfile`: how much several images share.

use flags::{Mark, Verb};

use crate::inputs;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-object-statistics-for-images";
pub(super) const DOING: &str = "error getting object statistics for images";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "listfile", "count the files and objects of the images in a list").group("look").mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let text = inputs::read(&arguments[0])?;
    let text = String::from_utf8_lossy(&text);
    let names = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let names = names.map(str::to_owned).collect();
    let reply = session.server().await?.get_object_statistics_for_images(names, false).await?;
    if session.is_json() {
        session.out.json(&reply)?;
        return Ok(Verdict::Done);
    }
    #[allow(clippy::cast_precision_loss)] // a factor for reading
    let factor = reply.total_file_inode_bytes as f64 / reply.total_object_bytes.max(1) as f64;
    eprintln!("{} images", reply.num_images);
    eprintln!("{} files using {}", reply.num_file_inodes, human::bytes(reply.total_file_inode_bytes));
    let objects = human::bytes(reply.total_object_bytes);
    eprintln!("{} unique objects using {objects}, {} de-duplication factor", reply.num_objects, short(factor));
    eprintln!("{} duration", human::duration_ns(reply.computation_time.0));
    Ok(Verdict::Done)
}

/// Three digits, without zeros at the end.
fn short(factor: f64) -> String {
    let text = format!("{factor:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
