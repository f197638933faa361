//! `scan-filtered-files name directory`: what an image's filter leaves to the machine.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::anyhow;
use bstr::BString;
use flags::{Mark, Verb};
use image::filter::CompiledFilter;
use tree_io::os_text;

use super::Verdict;
use crate::session::Session;
use crate::trees;
use crate::typed_name::TypedName;

pub(super) const NAME: &str = "scan-filtered-files";
pub(super) const DOING: &str = "error scanning filtered files";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name directory", "list the files of a directory that an image's filter matches")
        .group("look")
        .mark(Mark::Root)
        .mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, _) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    let filter = image.filter.as_ref().ok_or_else(|| anyhow!("no filter"))?;
    let filter = CompiledFilter::new(filter)?;
    let excluded = session.options.scan_exclude_list.iter().map(String::as_str);
    let excluded = CompiledFilter::from_lines(excluded)?;
    let mut pending = vec![(PathBuf::from(&arguments[1]), BString::from(""))];
    while let Some((directory, inside)) = pending.pop() {
        session.cancel.check()?;
        let failed = |e: std::io::Error| anyhow!("open {}: {}", directory.display(), os_text(&e));
        let mut entries = std::fs::read_dir(&directory).map_err(failed)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let mut path = inside.clone();
            path.push(b'/');
            path.extend_from_slice(entry.file_name().as_bytes());
            if excluded.matches(&path) {
                continue;
            }
            if filter.matches(&path) {
                session.out.line(&path)?;
            }
            if entry.file_type()?.is_dir() {
                below.push((entry.path(), path));
            }
        }
        // The first is to come out first.
        pending.extend(below.into_iter().rev());
    }
    Ok(Verdict::Done)
}
