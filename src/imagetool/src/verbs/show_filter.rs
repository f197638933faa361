//! `show-filter name`: the filter of an image.

use flags::Verb;
use anyhow::bail;
use image::filter::CompiledFilter;

use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "show-filter";
pub(super) const DOING: &str = "error showing image filter";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "print the filter of an image").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, _) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    let Some(filter) = &image.filter else {
        bail!("Filter not available");
    };
    if session.is_json() {
        session.out.json(filter)?;
        return Ok(Verdict::Done);
    }
    for line in &filter.filter_lines {
        session.out.line(line)?;
    }
    session.out.flush()?;
    let compiled = CompiledFilter::new(filter)?;
    if !compiled.unoptimised().is_empty() {
        eprintln!("Unoptimised filter lines:");
        for line in compiled.unoptimised() {
            eprintln!("  {line}");
        }
    }
    Ok(Verdict::Done)
}
