//! `addi name imagename filterfile triggerfile`: an image of an image, with another filter and triggers.

use anyhow::bail;
use flags::Verb;
use image::Image;
use image::filter::CompiledFilter;

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
    if session.server().await?.check_image(name).await? {
        bail!("image exists");
    }
    let filter = inputs::filter(&arguments[2])?;
    let triggers = inputs::triggers(&arguments[3])?;
    let (notes, log) =
        (session.options.release_notes.clone(), session.options.build_log.as_str().to_owned());
    let release_notes = inputs::annotation(session.server().await?, &notes).await?;
    let build_log = inputs::annotation(session.server().await?, &log).await?;
    let mut source = trees::tree(session, &TypedName::parse(&arguments[1])?).await?;
    add::splice(session, &mut source.tree)?;
    let delete_filter = inputs::filter(session.options.delete_filter.as_str())?;
    for filter in [delete_filter.as_ref().or(source.filter.as_ref()), filter.as_ref()].into_iter().flatten() {
        source.tree.apply_filter(&CompiledFilter::new(filter)?);
    }
    let image = Image {
        filter,
        triggers,
        release_notes,
        build_log,
        file_system: Some(source.tree),
        ..Image::default()
    };
    finish::finish(session, name, image).await?;
    Ok(Verdict::Done)
}
