//! `show name`: the listing of a tree.

use flags::Verb;
use image::listing::Fields;

use crate::local_time;
use crate::shown;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "show";
pub(super) const DOING: &str = "error showing image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "list the files of an image").group("look").examples(&["imagetool show base/2026-11-22 # like ls -l, with the hash of each file", "imagetool -skipFields=mlugstd show I:base # only the names, of the newest image"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut tree = trees::tree(session, &TypedName::parse(&arguments[0])?).await?.tree;
    if let Some(filter) = trees::filter_file(session)? {
        tree.apply_filter(&filter);
    }
    if session.is_json() {
        shown::json_listing(&mut session.out, &tree)?;
    } else {
        let fields = Fields::without(session.options.skip_fields.as_str());
        image::listing::write(&mut session.out, &tree, fields, local_time::listed)?;
    }
    Ok(Verdict::Done)
}
