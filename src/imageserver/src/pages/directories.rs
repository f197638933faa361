//! Directories of images with what is below them, counted in one pass.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use actors::IndexSnapshot;
use actors::image_index::ImageEntry;

/// What a directory holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding {
    /// Images directly in it.
    pub(super) here: u64,
    /// Images in it and in all directories below it.
    pub(super) below: u64,
    /// Bytes of their files, without regard to what they share.
    pub(super) bytes: u64,
    /// The newest of them.
    pub(super) newest: Option<Arc<ImageEntry>>,
}

impl Holding {
    fn count(&mut self, entry: &Arc<ImageEntry>) {
        self.here += 1;
        self.below += 1;
        self.bytes = self.bytes.saturating_add(entry.total_data_bytes);
        self.see(entry);
    }

    fn see(&mut self, entry: &Arc<ImageEntry>) {
        if self
            .newest
            .as_ref()
            .is_none_or(|newest| created(newest) < created(entry))
        {
            self.newest = Some(Arc::clone(entry));
        }
    }

    fn take_in(&mut self, child: &Holding) {
        self.below += child.below;
        self.bytes = self.bytes.saturating_add(child.bytes);
        if let Some(newest) = &child.newest {
            self.see(newest);
        }
    }
}

/// When an image was made, to compare by.
pub(super) fn created(entry: &ImageEntry) -> (i64, u32) {
    (
        entry.metadata.created_on.unix_seconds(),
        entry.metadata.created_on.nanoseconds(),
    )
}

/// All directories by name, the root is `.`.
pub(super) fn holdings(snapshot: &IndexSnapshot) -> BTreeMap<&str, Holding> {
    let mut holdings: BTreeMap<&str, Holding> = snapshot
        .directories
        .keys()
        .map(|name| (&**name, Holding::default()))
        .collect();
    // Images of one directory mostly stand together: one look-up for all of these.
    let mut images = snapshot.images.values().peekable();
    while let Some(first) = images.next() {
        let parent = image::name::parent(&first.name);
        let holding = holdings.entry(parent).or_default();
        holding.count(first);
        while let Some(next) = images.next_if(|next| image::name::parent(&next.name) == parent) {
            holding.count(next);
        }
    }
    // Children sort behind their parents: from the end, each is complete when it is added to its parent.
    let names: Vec<&str> = holdings.keys().copied().collect();
    for name in names.into_iter().rev().filter(|name| *name != ".") {
        let child = holdings.get(name).cloned().unwrap_or_default();
        if let Some(parent) = holdings.get_mut(image::name::parent(name)) {
            parent.take_in(&child);
        }
    }
    holdings
}

/// Whether a directory is somewhere below another.
pub(super) fn is_below(name: &str, directory: &str) -> bool {
    if directory == "." {
        return name != ".";
    }
    name.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The images directly in a directory, in order of their names.
pub(super) fn images_in<'s>(
    snapshot: &'s IndexSnapshot,
    directory: &'s str,
) -> impl Iterator<Item = &'s Arc<ImageEntry>> {
    let prefix = if directory == "." {
        String::new()
    } else {
        format!("{directory}/")
    };
    snapshot
        .images
        .range::<(Bound<&str>, Bound<&str>), str>((Bound::Included(prefix.as_str()), Bound::Unbounded))
        .map(|(_, entry)| entry)
        .take_while(move |entry| entry.name.starts_with(&prefix))
        .filter(move |entry| image::name::parent(&entry.name) == directory)
}

/// The images made just before and just after one in its directory.
pub(super) fn neighbours<'s>(
    snapshot: &'s IndexSnapshot,
    entry: &'s ImageEntry,
) -> (Option<&'s Arc<ImageEntry>>, Option<&'s Arc<ImageEntry>>) {
    let at = |entry: &'s ImageEntry| (created(entry), &*entry.name);
    let (mut before, mut after): (Option<&Arc<ImageEntry>>, Option<&Arc<ImageEntry>>) = (None, None);
    for other in images_in(snapshot, image::name::parent(&entry.name)) {
        if at(other) < at(entry) && before.is_none_or(|before| at(before) < at(other)) {
            before = Some(other);
        }
        if at(other) > at(entry) && after.is_none_or(|after| at(after) > at(other)) {
            after = Some(other);
        }
    }
    (before, after)
}
