//! What differs, computed.

use super::super::paths::parent;
use super::Asked;
use hash::Hash;
use image::diff::{Change, Difference, Totals, What, diff, size};
use image::filter::CompiledFilter;
use image::triggers::CompiledTriggers;
use image::{FileSystem, Image, InodeRef, Trigger};
use std::collections::HashMap;

/// The differences of two images.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) packages: Vec<PackageChange>,
    pub(super) triggers: Vec<Trigger>,
    /// Why the triggers are not known.
    pub(super) triggers_problem: Option<String>,
    pub(super) totals: Totals,
    /// Paths of which nothing but the time of modification differs.
    pub(super) times_only: u64,
    /// By directory, most bytes first.
    pub(super) directories: Vec<DirectoryChange>,
    /// Most bytes first.
    pub(super) files: Vec<FileChange>,
    /// Whether the filters differ, and the triggers.
    pub(super) filter_differs: bool,
    pub(super) triggers_differ: bool,
}

/// A package that came, went or changed.
#[derive(Clone, Debug)]
pub(super) struct PackageChange {
    pub(super) name: String,
    /// `added`, `removed`, `upgraded`, `downgraded`.
    pub(super) change: &'static str,
    pub(super) left: Option<(String, u64)>,
    pub(super) right: Option<(String, u64)>,
}

/// What happened in one directory, without those below it.
#[derive(Clone, Debug, Default)]
pub(super) struct DirectoryChange {
    pub(super) path: Vec<u8>,
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) changed: u64,
    pub(super) bytes_left: u64,
    pub(super) bytes_right: u64,
}

/// A path that differs.
#[derive(Clone, Debug)]
pub(super) struct FileChange {
    pub(super) path: Vec<u8>,
    /// `added`, `removed`, `changed`.
    pub(super) change: &'static str,
    pub(super) what: What,
    pub(super) left: Option<Side>,
    pub(super) right: Option<Side>,
}

/// One side of a difference.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) kind: &'static str,
    pub(super) size: u64,
    /// Of a file that is not empty.
    pub(super) hash: Option<Hash>,
}

impl Side {
    fn of(inode: InodeRef<'_>) -> Self {
        let (kind, hash) = match inode {
            InodeRef::Regular(file) => ("file", (file.size > 0).then_some(file.hash)),
            InodeRef::ComputedRegular(_) => ("computed file", None),
            InodeRef::Symlink(_) => ("link", None),
            InodeRef::Special(_) => ("special", None),
            InodeRef::Directory(_) => ("directory", None),
        };
        Self {
            kind,
            size: size(inode),
            hash,
        }
    }
}

impl FileChange {
    fn of(difference: &Difference<'_>) -> Self {
        let (change, what, left, right) = match difference.change {
            Change::Added(right) => ("added", What::default(), None, Some(right)),
            Change::Removed(left) => ("removed", What::default(), Some(left), None),
            Change::Changed { left, right, what } => ("changed", what, Some(left), Some(right)),
        };
        Self {
            path: difference.path.to_vec(),
            change,
            what,
            left: left.map(Side::of),
            right: right.map(Side::of),
        }
    }

    /// Bytes that differ: those that went and those that came.
    pub(super) fn bytes(&self) -> u64 {
        if self.change == "changed" && !(self.what.content || self.what.size || self.what.kind) {
            return 0;
        }
        let bytes = |side: Option<Side>| side.map_or(0, |side| side.size);
        bytes(self.left).saturating_add(bytes(self.right))
    }

    /// Both sides are files with contents that differ.
    pub(super) fn has_two_contents(&self) -> bool {
        let hash = |side: Option<Side>| side.and_then(|side| side.hash);
        self.what.content && hash(self.left).is_some() && hash(self.right).is_some()
    }
}

impl Report {
    /// Compares. Takes about a microsecond a path.
    pub(super) fn of(left: &Image, right: &Image, asked: &Asked) -> Self {
        let nothing = FileSystem::default();
        let left_tree = left.file_system.as_ref().unwrap_or(&nothing);
        let right_tree = right.file_system.as_ref().unwrap_or(&nothing);
        let mut differences = diff(left_tree, right_tree);
        let (triggers, triggers_problem) = triggers(right, &differences);
        let all = differences.len();
        if !asked.times {
            differences.retain(|difference| !is_time_only(difference));
        }
        let times_only = (all - differences.len()) as u64;
        if !asked.below.is_empty() {
            differences.retain(|difference| is_below(&difference.path, &asked.below));
        }
        let mut files: Vec<FileChange> = differences.iter().map(FileChange::of).collect();
        files.sort_by(|one, other| (other.bytes(), &one.path).cmp(&(one.bytes(), &other.path)));
        Self {
            packages: packages(left, right),
            triggers,
            triggers_problem,
            totals: Totals::of(&differences),
            times_only,
            directories: directories(&files),
            files,
            filter_differs: left.filter != right.filter,
            triggers_differ: left.triggers != right.triggers,
        }
    }
}

fn is_time_only(difference: &Difference<'_>) -> bool {
    let times = What {
        mtime: true,
        ..What::default()
    };
    matches!(difference.change, Change::Changed { what, .. } if what == times)
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// The triggers of the right image that an update from the left one would fire: those that any path matches that the filter
/// does not leave alone.
fn triggers(right: &Image, differences: &[Difference<'_>]) -> (Vec<Trigger>, Option<String>) {
    let Some(triggers) = &right.triggers else {
        return (Vec::new(), None);
    };
    let filter = match right.filter.as_ref().map(CompiledFilter::new).transpose() {
        Ok(filter) => filter,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let is_left_alone = |path: &[u8]| filter.as_ref().is_some_and(|filter| filter.matches(path));
    match CompiledTriggers::new(triggers) {
        Ok(triggers) => {
            let paths = differences.iter().map(|difference| difference.path.as_slice());
            (triggers.matching(paths.filter(|path| !is_left_alone(path))), None)
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    }
}

fn packages(left: &Image, right: &Image) -> Vec<PackageChange> {
    use image::packages::Change;
    let side = |package: &image::Package| Some((package.version.clone(), package.size));
    let change = |change: &Change<'_>| {
        let (word, left, right) = match change {
            Change::Added(package) => ("added", None, side(package)),
            Change::Removed(package) => ("removed", side(package), None),
            Change::Upgraded { from, to } => ("upgraded", side(from), side(to)),
            Change::Downgraded { from, to } => ("downgraded", side(from), side(to)),
        };
        PackageChange {
            name: change.name().to_owned(),
            change: word,
            left,
            right,
        }
    };
    let changes = image::packages::diff(&left.packages, &right.packages);
    changes.iter().map(change).collect()
}

fn directories(files: &[FileChange]) -> Vec<DirectoryChange> {
    let mut by_path: HashMap<&[u8], DirectoryChange> = HashMap::new();
    for file in files {
        let path = parent(&file.path);
        let directory = by_path.entry(path).or_default();
        match file.change {
            "added" => directory.added += 1,
            "removed" => directory.removed += 1,
            _ => directory.changed += 1,
        }
        if file.bytes() > 0 {
            let size = |side: Option<Side>| side.map_or(0, |side| side.size);
            directory.bytes_left = directory.bytes_left.saturating_add(size(file.left));
            directory.bytes_right = directory.bytes_right.saturating_add(size(file.right));
        }
    }
    let mut directories: Vec<DirectoryChange> = by_path
        .into_iter()
        .map(|(path, directory)| DirectoryChange {
            path: path.to_vec(),
            ..directory
        })
        .collect();
    let bytes = |directory: &DirectoryChange| directory.bytes_left.saturating_add(directory.bytes_right);
    directories.sort_by(|one, other| (bytes(other), &one.path).cmp(&(bytes(one), &other.path)));
    directories
}
