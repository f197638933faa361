//! `show-inode name inodePath`: one line of a listing.

use flags::Verb;
use anyhow::bail;
use bstr::{BStr, BString, ByteSlice};
use image::listing::Fields;
use image::walk::LinkCounts;
use image::{Inode, InodeRef};
use protocol::image_server::GetImageInodesResponse;

use crate::local_time;
use crate::shown;
use crate::trees;
use crate::typed_name::{Source, TypedName};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "show-inode";
pub(super) const DOING: &str = "error showing image inode";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name inodePath", "print the listing line of one file").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let name = TypedName::parse(&arguments[0])?;
    let path = BString::from(arguments[1].as_str());
    if let Some((links, inode)) = from_server(session, &name, &path).await? {
        return print(session, path.as_bstr(), inode.as_ref(), links);
    }
    let tree = trees::tree(session, &name).await?.tree;
    let Some((number, inode)) = tree.lookup(&path) else {
        bail!("path: \"{path}\" not present in image");
    };
    print(session, path.as_bstr(), inode, LinkCounts::of(&tree).get(&tree, number))
}

/// Asks for the one inode; if the server cannot say, the whole image is asked for then.
async fn from_server(
    session: &mut Session,
    name: &TypedName,
    path: &BString,
) -> anyhow::Result<Option<(u32, Inode)>> {
    let image = match name.source {
        Source::Image => name.name.clone(),
        Source::Latest => trees::latest(session, &name.name).await?,
        _ => return Ok(None),
    };
    let may_come = !session.options.timeout.is_zero();
    let reply = session.server().await?.get_image_inodes(&image, vec![path.clone()]).await;
    let Ok(reply) = reply else {
        return Ok(None);
    };
    if !reply.image_exists && !may_come {
        bail!("{image}: not found");
    }
    Ok(found(reply, path))
}

fn found(reply: GetImageInodesResponse, path: &BString) -> Option<(u32, Inode)> {
    let number = *reply.inode_numbers?.get(path)?;
    let links = reply.num_links?.get(&number).copied().unwrap_or(1);
    Some((u32::try_from(links).unwrap_or(u32::MAX), reply.inodes?.get(number)?.clone()))
}

fn print(session: &mut Session, path: &BStr, inode: InodeRef<'_>, links: u32) -> anyhow::Result<Verdict> {
    if session.is_json() {
        shown::json_line(&mut session.out, path, inode, links)?;
    } else {
        let fields = Fields::without(session.options.skip_fields.as_str());
        image::listing::write_line(&mut session.out, path.as_bstr(), inode, links, fields, local_time::listed)?;
    }
    Ok(Verdict::Done)
}
