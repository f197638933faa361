//! What an image server knows of an image, in this repository's words (imgapi.md §22.1).

use super::render::of_image_server;
use image::{Annotation, Image, Inode};
use image_client::Connections;
use repository::ApiError;
use repository::publish::ImageFacts;
use std::collections::HashSet;

/// Bytes of release notes that become a description, at most; longer ones are left out.
const MAXIMUM_NOTES_BYTES: u64 = 64 << 10;

/// Asks the image server for what the image does not hold itself.
///
/// # Errors
/// The image server breaks off.
pub(super) async fn facts(
    connections: &Connections,
    name: &str,
    image: &Image,
) -> Result<ImageFacts, ApiError> {
    let url = |annotation: &Option<Annotation>| {
        let url = annotation.as_ref().map(|annotation| annotation.url.clone());
        url.unwrap_or_default()
    };
    let one = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    let owners = one(&image.created_for).into_iter().chain(one(&image.created_by));
    let (objects, bytes) = size(image);
    Ok(ImageFacts {
        full_name: name.to_owned(),
        created_on: image.created_on.to_system_time(),
        owners: owners
            .chain(image.owner_users.iter().cloned())
            .chain(image.owner_groups.iter().cloned())
            .collect(),
        build_branch: image.build_branch.clone(),
        build_commit: image.build_commit_id.clone(),
        build_url: image.build_git_url.clone(),
        build_log_url: url(&image.build_log),
        release_notes_url: url(&image.release_notes),
        release_notes: notes(connections, image).await?,
        source_image: image.source_image.clone(),
        tags: image.tags.clone(),
        objects,
        bytes,
        filter: image.filter.as_ref().map(|filter| filter.filter_lines.clone()),
        triggers: image
            .triggers
            .as_ref()
            .and_then(|triggers| serde_json::to_value(triggers).ok()),
        packages: Some(&image.packages)
            .filter(|packages| !packages.is_empty())
            .and_then(|packages| serde_json::to_value(packages).ok()),
    })
}

/// Different contents, and bytes of all files.
fn size(image: &Image) -> (u64, u64) {
    let Some(tree) = &image.file_system else {
        return (0, 0);
    };
    let mut contents = HashSet::new();
    let mut bytes = 0_u64;
    for (_, inode) in tree.inode_table.iter() {
        if let Inode::Regular(file) = inode
            && file.size > 0
        {
            contents.insert(file.hash);
            bytes = bytes.saturating_add(file.size);
        }
    }
    (contents.len() as u64, bytes)
}

/// Release notes that the image server has as an object, if they are a text of sensible length.
async fn notes(connections: &Connections, image: &Image) -> Result<String, ApiError> {
    let object = image.release_notes.as_ref().and_then(|notes| notes.object);
    let Some(hash) = object else {
        return Ok(String::new());
    };
    let mut server = connections.take().await.map_err(of_image_server)?;
    let sizes = server.check_objects(vec![hash]).await.map_err(of_image_server)?;
    let size = sizes.first().copied().unwrap_or(0);
    if size == 0 || size > MAXIMUM_NOTES_BYTES {
        connections.put_back(server);
        return Ok(String::new());
    }
    let bytes = server.get_object(&hash, MAXIMUM_NOTES_BYTES).await;
    let bytes = bytes.map_err(of_image_server)?;
    connections.put_back(server);
    Ok(String::from_utf8(bytes).unwrap_or_default())
}
