//! Which images of a snapshot a request means (`imageserver.md §3.9`, `§3.18`).

use std::ops::Bound;
use std::sync::Arc;

use actors::IndexSnapshot;
use actors::image_index::ImageEntry;
use image::select::{Candidate, Latest, Selection};
use protocol::image_server::{FindLatestImageRequest, ListSelectedImagesRequest};

/// The images a listing asks for, in order of their names.
pub(crate) fn selected<'s>(
    snapshot: &'s IndexSnapshot,
    request: &ListSelectedImagesRequest,
) -> Vec<(&'s Arc<str>, &'s Arc<ImageEntry>)> {
    let selection = Selection {
        directory_name: &request.directory_name,
        ignore_expiring: request.ignore_expiring_images,
        tags_to_match: &request.tags_to_match,
    };
    let is_selected =
        |name: &str, entry: &ImageEntry| selection.selects(&Candidate::of(name, &entry.metadata));
    near(snapshot, &request.directory_name)
        .filter(|(name, entry)| is_selected(name, entry))
        .collect()
}

/// The latest image of a directory that fits.
pub(crate) fn latest(snapshot: &IndexSnapshot, request: &FindLatestImageRequest) -> Option<String> {
    let latest = Latest {
        directory_name: &request.directory_name,
        build_commit_id: &request.build_commit_id,
        ignore_expiring: request.ignore_expiring_images,
        tags_to_match: &request.tags_to_match,
    };
    let candidates =
        near(snapshot, &request.directory_name).map(|(name, entry)| Candidate::of(name, &entry.metadata));
    latest.find(candidates).map(str::to_owned)
}

/// The images below a directory, or more. Of 100,000 images nobody looks through all for the hundred of one stream.
fn near<'s>(
    snapshot: &'s IndexSnapshot,
    directory: &str,
) -> impl Iterator<Item = (&'s Arc<str>, &'s Arc<ImageEntry>)> {
    let directory = directory.strip_suffix('/').unwrap_or(directory);
    let bounds = match directory {
        "" | "." => (Bound::Unbounded, Bound::Unbounded),
        // `0` is what comes after `/`.
        _ => (
            Bound::Included(format!("{directory}/")),
            Bound::Excluded(format!("{directory}0")),
        ),
    };
    let bounds = (
        bounds.0.as_ref().map(String::as_str),
        bounds.1.as_ref().map(String::as_str),
    );
    snapshot.images.range::<_, str>(bounds)
}
