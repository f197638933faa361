//! `diff tool left right`: the listings of two trees (`imagetool.md §6.4`).

use std::collections::{BTreeSet, HashSet};

use bstr::BString;
use flags::Verb;
use image::filter::CompiledFilter;
use image::listing::Fields;
use image::walk::Walk;
use image::{FileSystem, Filter};

use super::{Verdict, tool};
use crate::session::{Bare, NotConnected, Session};
use crate::trees::{self, Tree};
use crate::typed_name::TypedName;
use crate::{inputs, local_time};

pub(super) const NAME: &str = "diff";
pub(super) const DOING: &str = "error diffing images";

/// A side with that many times the files of the other is the whole of which the other is a part.
const WHOLE_TO_PART: u64 = 16;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the listings of two trees with a tool").group("compare").examples(&[
        "imagetool -skipFields=t diff diff base/1 base/2 # but for modification times",
        "imagetool diff vimdiff i:base/1 d:/ # an image with this host",
    ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut left = side(session, "left", &arguments[1]).await?;
    let mut right = side(session, "right", &arguments[2]).await?;
    if !session.options.ignore_filters {
        let delete_filter = inputs::filter(session.options.delete_filter.as_str())?;
        reduce(&mut left, &mut right, delete_filter)?;
    }
    let filter = trees::filter_file(session)?;
    let fields = Fields::without(session.options.skip_fields.as_str());
    let listing = |tree: &mut FileSystem| {
        if let Some(filter) = &filter {
            tree.apply_filter(filter);
        }
        tool::file(|mut file| Ok(image::listing::write(&mut file, tree, fields, local_time::listed)?))
    };
    let (left, right) = (listing(&mut left.tree)?, listing(&mut right.tree)?);
    tool::compare(session, &arguments[0], &left, &right).await
}

async fn side(session: &mut Session, side: &str, name: &str) -> anyhow::Result<Tree> {
    let tree = trees::tree(session, &TypedName::parse(name)?).await;
    tree.map_err(|e| match e.is::<NotConnected>() {
        true => e,
        false => Bare(format!("error getting {side} image: {e}")).into(),
    })
}

/// Leaves out what the filter that both sides agree on (or only one has) does not manage.
fn reduce(left: &mut Tree, right: &mut Tree, delete_filter: Option<Filter>) -> anyhow::Result<()> {
    let common = match (&left.filter, &right.filter) {
        (Some(filter), None) | (None, Some(filter)) => Some(filter),
        (Some(one), Some(other)) if lines(one) == lines(other) => Some(one),
        (Some(_), Some(_)) => None,
        (None, None) => {
            let (many, few) = (left.tree.num_regular_inodes, right.tree.num_regular_inodes);
            if many > few.saturating_mul(WHOLE_TO_PART) {
                keep_common(&mut left.tree, &right.tree);
            } else if few > many.saturating_mul(WHOLE_TO_PART) {
                keep_common(&mut right.tree, &left.tree);
            }
            None
        }
    };
    if let Some(common) = common {
        let filter = CompiledFilter::new(delete_filter.as_ref().unwrap_or(common))?;
        left.tree.apply_filter(&filter);
        right.tree.apply_filter(&filter);
    }
    Ok(())
}

fn lines(filter: &Filter) -> BTreeSet<&String> {
    filter.filter_lines.iter().collect()
}

fn keep_common(whole: &mut FileSystem, part: &FileSystem) {
    let mut paths: HashSet<BString> = HashSet::new();
    let mut walk = Walk::new(part);
    while let Some(visit) = walk.next_visit() {
        paths.insert(visit.path.to_owned());
    }
    whole.retain_paths(|path| paths.contains(bstr::BStr::new(path)));
}
