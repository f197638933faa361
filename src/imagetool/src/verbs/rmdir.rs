//! `rmdir name`: deletes an empty directory.

use anyhow::bail;
use flags::{Mark, Verb};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "rmdir";
pub(super) const DOING: &str = "error deleting directory";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "delete an empty directory").group("change").mark(Mark::Master).mark(Mark::Destroys)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    if session.options.dry_run {
        if !session.master().await?.check_directory(&arguments[0]).await? {
            bail!("directory: {} does not exist", arguments[0]);
        }
        session.out.line(format!("would delete directory: {} (if it is empty)", arguments[0]))?;
        return Ok(Verdict::Done);
    }
    session.master().await?.delete_directory(&arguments[0]).await?;
    Ok(Verdict::Done)
}
