//! Lists of packages (imagetool.md §4, `get-package-list`), and how they differ.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::Package;

/// Widest column, in characters. Names and versions come from whoever made the image: one that is absurdly long must not widen
/// the lines of all others, and the formatting of the standard library panics beyond 65,535.
const MAXIMUM_WIDTH: usize = 256;

/// Widths of the columns for names and versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Widths {
    /// Of names, in characters.
    pub name: usize,
    /// Of versions, in characters.
    pub version: usize,
}

impl Widths {
    /// As wide as the widest of the packages, up to 256 characters; those of two images together make lists that can be compared.
    pub fn of<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Self {
        packages
            .into_iter()
            .fold(Self::default(), |widths, package| Self {
                name: widths.name.max(width(&package.name)),
                version: widths.version.max(width(&package.version)),
            })
    }
}

fn width(text: &str) -> usize {
    text.chars().take(MAXIMUM_WIDTH).count()
}

/// The list as text: a line `name version size` per package, in columns.
pub fn text(packages: &[Package], widths: Widths) -> String {
    let mut text = String::new();
    for package in packages {
        let Package { name, version, size } = package;
        let size = human::bytes(*size);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:0$} {version:1$} {size}", widths.name, widths.version);
    }
    text
}

/// What happened to a package from one image to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// It came.
    Added(&'a Package),
    /// It went.
    Removed(&'a Package),
    /// It has a version that sorts after the old one.
    Upgraded {
        /// Before.
        from: &'a Package,
        /// After.
        to: &'a Package,
    },
    /// It has a version that sorts before the old one.
    Downgraded {
        /// Before.
        from: &'a Package,
        /// After.
        to: &'a Package,
    },
}

impl Change<'_> {
    /// Name of the package.
    pub fn name(&self) -> &str {
        match self {
            Self::Added(package) | Self::Removed(package) => &package.name,
            Self::Upgraded { to, .. } | Self::Downgraded { to, .. } => &to.name,
        }
    }
}

/// The differences of two lists of packages, sorted by name. Which version is newer follows version-string order, which
/// is not that of any package manager but agrees with it nearly always. Of several packages with one name the last counts.
pub fn diff<'a>(left: &'a [Package], right: &'a [Package]) -> Vec<Change<'a>> {
    let mut pairs: BTreeMap<&str, (Option<&Package>, Option<&Package>)> = BTreeMap::new();
    for package in left {
        pairs.entry(&package.name).or_default().0 = Some(package);
    }
    for package in right {
        pairs.entry(&package.name).or_default().1 = Some(package);
    }
    pairs.into_values().filter_map(change).collect()
}

fn change<'a>(pair: (Option<&'a Package>, Option<&'a Package>)) -> Option<Change<'a>> {
    match pair {
        (None, Some(package)) => Some(Change::Added(package)),
        (Some(package), None) => Some(Change::Removed(package)),
        (Some(from), Some(to)) => match human::version_cmp(&from.version, &to.version) {
            std::cmp::Ordering::Less => Some(Change::Upgraded { from, to }),
            std::cmp::Ordering::Greater => Some(Change::Downgraded { from, to }),
            std::cmp::Ordering::Equal => None,
        },
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, size: u64) -> Package {
        Package {
            name: name.into(),
            size,
            version: version.into(),
        }
    }

    #[test]
    fn columns_are_as_recorded() {
        let packages = [
            package("adduser", "3.134", 686 << 10),
            package("libpam-modules:amd64", "1.5.2-6", 1 << 20),
        ];
        let expected = "adduser              3.134   686 KiB\nlibpam-modules:amd64 1.5.2-6 1 MiB\n";
        assert_eq!(text(&packages, Widths::of(&packages)), expected);
        assert_eq!(
            text(&[package("tinypkg", "1.0", 4096)], Widths::default()),
            "tinypkg 1.0 4 KiB\n"
        );
    }

    #[test]
    fn one_absurd_name_does_not_widen_the_others() {
        let packages = [
            package(&"n".repeat(70_000), "1", 1),
            package("a", &"1".repeat(70_000), 1),
        ];
        let text = text(&packages, Widths::of(&packages));
        let lengths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(
            lengths,
            [70_000 + 1 + MAXIMUM_WIDTH + 4, MAXIMUM_WIDTH + 1 + 70_000 + 4]
        );
    }

    #[test]
    fn differences_tell_what_came_went_and_changed() {
        let left = [
            package("a", "1.9", 1),
            package("b", "1", 1),
            package("c", "2", 1),
            package("same", "1", 1),
        ];
        let right = [
            package("same", "1", 9),
            package("c", "1", 1),
            package("a", "1.10", 1),
            package("d", "1", 1),
        ];
        let changes = diff(&left, &right);
        let expected = [
            Change::Upgraded {
                from: &left[0],
                to: &right[2],
            },
            Change::Removed(&left[1]),
            Change::Downgraded {
                from: &left[2],
                to: &right[1],
            },
            Change::Added(&right[3]),
        ];
        assert_eq!(changes, expected);
        assert_eq!(changes[3].name(), "d");
    }
}
