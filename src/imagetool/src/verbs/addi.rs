//! `addi name imagename filterfile triggerfile`: an image of an image, with another filter and triggers.

use flags::Verb;
use image::Image;
use image::filter::CompiledFilter;

use super::described::described;
use super::{Verdict, add, finish};
use crate::inputs;
use crate::session::Session;
use crate::trees;
use crate::typed_name::TypedName;

pub(super) const NAME: &str = "addi";
pub(super) const DOING: &str = "error adding image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name imagename filterfile triggerfile", "add an image of an image, with another filter and triggers")
        .group("change")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    finish::named(&arguments[0], addi(session, arguments).await)
}

async fn addi(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let name = &arguments[0];
    let described = described(session, name, &arguments[2], &arguments[3]).await?;
    let mut source = trees::tree(session, &TypedName::parse(&arguments[1])?).await?;
    add::splice(session, &mut source.tree)?;
    let delete_filter = inputs::filter(session.options.delete_filter.as_str())?;
    for filter in [delete_filter.as_ref().or(source.filter.as_ref()), described.filter.as_ref()].into_iter().flatten() {
        source.tree.apply_filter(&CompiledFilter::new(filter)?);
    }
    let image = Image { file_system: Some(source.tree), ..described };
    finish::finish(session, name, image).await?;
    Ok(Verdict::Done)
}
