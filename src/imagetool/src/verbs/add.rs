//! `add name imagefile filterfile triggerfile`: an image of a directory or an archive (`imagetool.md §6.1`).

use anyhow::anyhow;
use flags::Verb;
use image::{FileSystem, Image};

use super::described::described;
use super::{Verdict, build, finish};
use crate::inputs;
use crate::session::{NotConnected, Session};
use crate::trees;
use crate::typed_name::TypedName;

pub(super) const NAME: &str = "add";
pub(super) const DOING: &str = "error adding image";

/// Objects the server had when asked may be gone when the image arrives; once more all that is missing is sent.
const ATTEMPTS: u32 = 2;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name imagefile filterfile triggerfile", "add an image of a directory tree or a tar archive")
        .group("change")
        .examples(&[
            "imagetool add base/2026-11-22 /srv/root filter triggers # of a directory",
            "imagetool -expiresIn=24h add test/1 root.tar.gz '' '' # of an archive, sparse, for a day",
        ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    finish::named(&arguments[0], add(session, arguments).await)
}

async fn add(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let name = &arguments[0];
    let described = described(session, name, &arguments[2], &arguments[3]).await?;
    for attempt in 1.. {
        let built = build::build(session, &arguments[1], described.filter.as_ref()).await;
        let mut built = built.map_err(|e| match e.is::<NotConnected>() {
            true => e,
            false => anyhow!("error building image: {e}"),
        })?;
        let mut tree = std::mem::take(&mut built.tree);
        splice(session, &mut tree)?;
        copy_mtimes(session, &mut tree).await?;
        let image = Image { file_system: Some(tree), ..described.clone() };
        match finish::finish(session, name, image).await {
            Err(error) if attempt < ATTEMPTS && is_unavailable(&error) => {
                session.debug(0, || format!("{error}: sending again"));
            }
            other => return other.map(|()| Verdict::Done),
        }
    }
    Ok(Verdict::Done)
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    error.downcast_ref::<image_client::Error>().is_some_and(image_client::Error::is_objects_unavailable)
}

/// `-computedFiles`.
pub(super) fn splice(session: &Session, tree: &mut FileSystem) -> anyhow::Result<()> {
    let name = session.options.computed_files.as_str();
    if name.is_empty() {
        return Ok(());
    }
    let loaded = inputs::read(name).and_then(|text| Ok(image::computed_files::parse(name, &text)?));
    let files = loaded.map_err(|e| anyhow!("cannot load computed files: {e}"))?;
    image::computed_files::splice(tree, &files).map_err(|e| anyhow!("cannot splice computed files: {e}"))
}

/// `-copyMtimesFrom`.
async fn copy_mtimes(session: &mut Session, tree: &mut FileSystem) -> anyhow::Result<()> {
    let name = session.options.copy_mtimes_from.clone();
    if !name.is_empty() {
        let from = trees::tree(session, &TypedName::parse(&name)?).await?.tree;
        tree.copy_mtimes(&from);
    }
    Ok(())
}
