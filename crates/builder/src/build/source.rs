//! The image that a build starts from (`imaginator.md §11.3`).

use std::time::{Duration, SystemTime};

use image::Image;
use image_client::Selection;
use recipe::Manifest;

use super::Build;
use super::failure::Failure;
use crate::order::NeededSource;

/// Longest wait of the server for an image that is about to come; this one is there.
const NO_WAIT: Duration = Duration::ZERO;

/// What the server says of a directory it does not have.
const UNKNOWN_DIRECTORY: &str = "unknown directory:";

/// A source image.
pub(crate) struct Source {
    /// Its full name.
    pub(crate) name: String,
    /// The image.
    pub(crate) image: Image,
}

impl Build<'_> {
    /// The newest image of the manifest's source stream that fits, if it is young enough.
    pub(crate) fn find_source(&self, manifest: &Manifest) -> Result<Source, Failure> {
        let selection = Selection {
            directory: manifest.source_image.clone(),
            build_commit_id: manifest.source_image_git_commit_id.clone(),
            ignore_expiring: false,
            tags: manifest.source_image_tags_to_match.clone(),
        };
        let needs = |text: &str| {
            let text = format!("{text} source image: {}", described(manifest));
            Failure::needs(text, needed(manifest))
        };
        let Some((name, image)) = self.newest(&selection)? else {
            return Err(needs("no"));
        };
        if self
            .order
            .max_source_age
            .is_some_and(|most| is_older(&image, most))
        {
            return Err(needs("too old"));
        }
        Ok(Source { name, image })
    }

    /// The newest image of a selection. A directory that is not there is made: there will be images in it.
    pub(crate) fn newest(&self, selection: &Selection) -> Result<Option<(String, Image)>, Failure> {
        self.link.call(async |server| {
            let name = match server.find_latest_image(selection).await {
                Ok(Some(name)) => name,
                Ok(None) => return Ok(None),
                Err(image_client::Error::Refused(text)) if text.starts_with(UNKNOWN_DIRECTORY) => {
                    server.make_directory(&selection.directory, true).await?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            // Between the two calls it may have expired.
            let image = server.get_image(&name, NO_WAIT).await?;
            Ok(image.map(|image| (name, std::sync::Arc::unwrap_or_clone(image))))
        })
    }
}

/// `STREAM[@gitCommitId:ID][@tags:…]`.
fn described(manifest: &Manifest) -> String {
    let mut text = manifest.source_image.clone();
    if !manifest.source_image_git_commit_id.is_empty() {
        text.push_str("@gitCommitId:");
        text.push_str(&manifest.source_image_git_commit_id);
    }
    if !manifest.source_image_tags_to_match.is_empty() {
        let tags: Vec<String> = manifest
            .source_image_tags_to_match
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |value| format!("{key}={value}")))
            .collect();
        text.push_str("@tags:");
        text.push_str(&tags.join(","));
    }
    text
}

fn needed(manifest: &Manifest) -> NeededSource {
    NeededSource {
        stream: manifest.source_image.clone(),
        commit: manifest.source_image_git_commit_id.clone(),
        variables: manifest.source_image_build_variables.clone(),
    }
}

/// By the server's clock, which set the time of creation, against ours.
fn is_older(image: &Image, most: Duration) -> bool {
    let created = image.created_on.to_system_time();
    created.is_none_or(|created| {
        let age = SystemTime::now().duration_since(created);
        age.is_ok_and(|age| age > most)
    })
}
