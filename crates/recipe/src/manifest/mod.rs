//! The texts of a manifest directory (`image-manifest.md §2, §6.4-6.6`).

mod read;

use std::collections::{BTreeMap, BTreeSet};

use image::tags::TagsToMatch;

use crate::{Owners, Problems, expand};

/// The file `manifest`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The stream whose newest image is built upon.
    pub source_image: String,
    /// Paths that are left out of the image; expressions as in a filter. `None` leaves out nothing.
    pub filter_lines: Option<Vec<String>>,
    /// Replaces the list of paths whose modification times are not copied.
    pub mtimes_copy_filter_lines: Option<Vec<String>>,
    /// Adds to that list, unless it is replaced.
    pub mtimes_copy_add_filter_lines: Option<Vec<String>>,
    /// Variables for the build of the source image, if it has to be built.
    pub source_image_build_variables: BTreeMap<String, String>,
    /// Only source images of this commit or branch; empty for any.
    pub source_image_git_commit_id: String,
    /// Tags the source image must have: each key, with one of its values.
    pub source_image_tags_to_match: TagsToMatch,
}

impl Manifest {
    /// Reads the file `manifest`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, Problems> {
        read::manifest(text)
    }

    /// With the variables of a build. A tag whose values all expand to nothing is dropped: matching it is optional.
    #[must_use]
    pub fn expanded(mut self, environment: &BTreeMap<String, String>) -> Self {
        let expanded =
            |text: &str| expand::expression(text, |name| environment.get(name).map(String::as_str));
        self.source_image = expanded(&self.source_image);
        self.source_image_git_commit_id = expanded(&self.source_image_git_commit_id);
        for value in self.source_image_build_variables.values_mut() {
            *value = expanded(value);
        }
        self.source_image_tags_to_match.retain(|_, values| {
            for value in values.iter_mut() {
                *value = expanded(value);
            }
            values.iter().any(|value| !value.is_empty())
        });
        self
    }

    /// The paths whose modification times are not copied, of those the main configuration has and the manifest's.
    pub fn mtimes_copy_filter(&self, of_configuration: &[String]) -> Vec<String> {
        match (&self.mtimes_copy_filter_lines, &self.mtimes_copy_add_filter_lines) {
            (Some(lines), _) => lines.clone(),
            (None, Some(lines)) => {
                let union: BTreeSet<&String> = of_configuration.iter().chain(lines).collect();
                union.into_iter().cloned().collect()
            }
            (None, None) => of_configuration.to_vec(),
        }
    }
}

/// The names in a `package-list`: its lines as they are, but for empty ones and those that begin with `#`.
pub fn package_list(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text)
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Reads `owners.json`.
///
/// # Errors
/// All that is wrong with it.
pub fn owners(text: &[u8]) -> Result<Owners, Problems> {
    read::owners(text)
}

/// Tags with the variables of a build. One that was not empty and expands to nothing is dropped; an empty one stays.
pub fn expanded_tags(
    tags: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let lookup = |name: &str| variables.get(name).map(String::as_str);
    tags.iter()
        .map(|(key, value)| (key, value, expand::expression(value, lookup)))
        .filter(|(_, value, expanded)| value.is_empty() || !expanded.is_empty())
        .map(|(key, _, expanded)| (key.clone(), expanded))
        .collect()
}

#[cfg(test)]
mod tests;
