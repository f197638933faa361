//! Choosing images by directory, expiration and tags (imageserver.md §3.9, §3.18).

use std::collections::BTreeMap;

use gob::Time;

use crate::name;
use crate::tags::{self, TagsToMatch};

/// What a choice looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Name of the image.
    pub name: &'a str,
    /// When it was added.
    pub created_on: &'a Time,
    /// When it expires, zero for never.
    pub expires_at: &'a Time,
    /// The commit it was built from.
    pub build_commit_id: &'a str,
    /// The branch it was built from.
    pub build_branch: &'a str,
    /// Its tags.
    pub tags: &'a BTreeMap<String, String>,
}

impl<'a> Candidate<'a> {
    /// The view of an image.
    pub fn of(name: &'a str, image: &'a crate::Image) -> Self {
        Self {
            name,
            created_on: &image.created_on,
            expires_at: &image.expires_at,
            build_commit_id: &image.build_commit_id,
            build_branch: &image.build_branch,
            tags: &image.tags,
        }
    }
}

/// Which images `ListSelectedImages` lists.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// See [`in_selected_directory`].
    pub directory_name: &'a str,
    /// Leave expiring images out.
    pub ignore_expiring: bool,
    /// Tags they must have.
    pub tags_to_match: &'a TagsToMatch,
}

impl Selection<'_> {
    /// Whether an image is selected.
    pub fn selects(&self, image: &Candidate<'_>) -> bool {
        in_selected_directory(image.name, self.directory_name)
            && (!self.ignore_expiring || image.expires_at.is_zero())
            && tags::matches(image.tags, self.tags_to_match)
    }
}

/// Whether an image is where a listing looks: everywhere for the empty name and `.`; directly in the directory for a name
/// that ends in a slash; else anywhere below the directory.
pub fn in_selected_directory(image_name: &str, directory_name: &str) -> bool {
    if matches!(directory_name, "" | ".") {
        return true;
    }
    if let Some(directory) = directory_name.strip_suffix('/') {
        return name::parent(image_name) == directory;
    }
    image_name
        .strip_prefix(directory_name)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What `FindLatestImage` looks for.
#[derive(Clone, Copy, Debug)]
pub struct Latest<'a> {
    /// The directory, without its subdirectories.
    pub directory_name: &'a str,
    /// Commit or branch it was built from; empty for any.
    pub build_commit_id: &'a str,
    /// Leave expiring images out.
    pub ignore_expiring: bool,
    /// Tags it must have.
    pub tags_to_match: &'a TagsToMatch,
}

impl Latest<'_> {
    /// Whether an image is in question.
    pub fn admits(&self, image: &Candidate<'_>) -> bool {
        let commit = self.build_commit_id;
        name::parent(image.name) == self.directory_name
            && (!self.ignore_expiring || image.expires_at.is_zero())
            && (commit.is_empty() || commit == image.build_commit_id || commit == image.build_branch)
            && tags::matches(image.tags, self.tags_to_match)
    }

    /// The image added last among those in question; of several added at once the last by name.
    pub fn find<'a>(&self, images: impl IntoIterator<Item = Candidate<'a>>) -> Option<&'a str> {
        let admitted = images.into_iter().filter(|image| self.admits(image));
        admitted
            .max_by_key(|image| (image.created_on, image.name))
            .map(|image| image.name)
    }
}

#[cfg(test)]
mod tests {
    use gob::Zone;

    use super::*;
    use crate::Image;

    #[test]
    fn a_directory_selects_its_subtree_and_a_trailing_slash_only_itself() {
        let cases = [
            ("a/b/c", "", true),
            ("a/b/c", ".", true),
            ("a/b/c", "a", true),
            ("a/b/c", "a/b", true),
            ("a/b/c", "a/b/c", false),
            ("a/bc/d", "a/b", false),
            ("a/b/c", "a/b/", true),
            ("a/b/c", "a/", false),
            ("x", "a", false),
        ];
        for (image, directory, expected) in cases {
            assert_eq!(
                in_selected_directory(image, directory),
                expected,
                "{image} in {directory}"
            );
        }
    }

    #[test]
    fn the_latest_is_the_one_added_last_among_those_asked_for() {
        let image = |day: i64, expires: i64, branch: &str, tags: &str| Image {
            created_on: Time::new(day, 0, Zone::Utc),
            expires_at: if expires == 0 {
                Time::ZERO
            } else {
                Time::new(expires, 0, Zone::Utc)
            },
            build_branch: branch.into(),
            build_commit_id: "c0ffee".into(),
            tags: tags::parse(tags).unwrap(),
            ..Image::default()
        };
        let images = [
            ("d/1", image(1, 0, "master", "os=a")),
            ("d/2", image(3, 0, "master", "os=b")),
            ("d/3", image(4, 9, "topic", "os=a")),
            ("d/e/4", image(8, 0, "master", "os=a")),
        ];
        let find = |commit: &str, ignore_expiring, tags: &str| {
            let tags_to_match = tags::parse_match(tags).unwrap();
            let latest = Latest {
                directory_name: "d",
                build_commit_id: commit,
                ignore_expiring,
                tags_to_match: &tags_to_match,
            };
            latest
                .find(images.iter().map(|(name, image)| Candidate::of(name, image)))
                .map(str::to_owned)
        };
        assert_eq!(find("", false, "").as_deref(), Some("d/3"));
        assert_eq!(find("", true, "").as_deref(), Some("d/2"));
        assert_eq!(find("", true, "os=a").as_deref(), Some("d/1"));
        assert_eq!(find("topic", false, "").as_deref(), Some("d/3"));
        assert_eq!(find("topic", true, ""), None);
        assert_eq!(find("c0ffee", false, "").as_deref(), Some("d/3"));
    }

    #[test]
    fn a_selection_obeys_expiration_and_tags() {
        let tags_to_match = tags::parse_match("os=a").unwrap();
        let selection = Selection {
            directory_name: "",
            ignore_expiring: true,
            tags_to_match: &tags_to_match,
        };
        let mut image = Image {
            tags: tags::parse("os=a").unwrap(),
            ..Image::default()
        };
        assert!(selection.selects(&Candidate::of("x", &image)));
        image.expires_at = Time::new(1, 0, Zone::Utc);
        assert!(!selection.selects(&Candidate::of("x", &image)));
    }
}
