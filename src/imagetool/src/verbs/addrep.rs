//! `addrep name baseimage layerimage...`: an image with some files replaced.

use anyhow::{anyhow, bail};
use bstr::BString;
use flags::{Mark, Verb};
use image::walk::Walk;
use image::{FileSystem, Inode, InodeRef};

use super::{Verdict, add, build, finish};
use crate::session::Session;
use crate::trees;
use crate::typed_name::TypedName;

pub(super) const NAME: &str = "addrep";
pub(super) const DOING: &str = "error adding image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name baseimage layerimage...", "add an image with files of an image replaced by those of layers")
        .group("change")
        .mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    finish::named(&arguments[0], addrep(session, arguments).await)
}

async fn addrep(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (name, base) = (&arguments[0], &arguments[1]);
    if session.server().await?.check_image(name).await? {
        bail!("image exists");
    }
    let mut image = trees::image(session, &TypedName::parse(base)?).await?;
    if !image.expires_at.is_zero() {
        eprintln!("Skipping expiring image: {base}");
        return Ok(Verdict::Done);
    }
    let mut tree = image.file_system.take().ok_or_else(|| anyhow!("{base}: has no file-system"))?;
    // The connections protect what was uploaded until the image is added.
    let mut layers = Vec::new();
    for layer in &arguments[2..] {
        let built = build::build(session, layer, image.filter.as_ref()).await?;
        replace(&mut tree, &built.tree)?;
        layers.push(built);
    }
    tree.recount();
    add::splice(session, &mut tree)?;
    image.file_system = Some(tree);
    finish::finish(session, name, image).await?;
    Ok(Verdict::Done)
}

/// Takes over the layer's files; they must be there already, as what they are.
fn replace(tree: &mut FileSystem, layer: &FileSystem) -> anyhow::Result<()> {
    let mut replacements: Vec<(u64, Inode)> = Vec::new();
    let mut walk = Walk::new(layer);
    while let Some(visit) = walk.next_visit() {
        if let InodeRef::Directory(_) = visit.inode {
            continue;
        }
        let path: BString = visit.path.to_owned();
        let Some((Some(number), old)) = tree.lookup(&path) else {
            bail!("{path} missing in base image");
        };
        if std::mem::discriminant(&old) != std::mem::discriminant(&visit.inode) {
            bail!("{path} changed type");
        }
        if let Some(inode) = visit.number.and_then(|number| layer.inode_table.get(number)) {
            replacements.push((number, inode.clone()));
        }
    }
    for (number, inode) in replacements {
        tree.inode_table.insert(number, inode);
    }
    Ok(())
}
