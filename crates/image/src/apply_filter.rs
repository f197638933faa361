//! Taking the paths a filter matches out of a tree (imagetool.md §5.1).

use std::collections::HashSet;

use bstr::BString;

use crate::FileSystem;
use crate::filter::CompiledFilter;
use crate::walk::Walk;

impl FileSystem {
    /// Takes out what a filter matches, a directory with all that is below it. Inodes left without a name vanish, and the
    /// counters are set anew. The root stays.
    pub fn apply_filter(&mut self, filter: &CompiledFilter) {
        self.retain_paths(|path| !filter.matches(path));
    }

    /// Keeps the paths for which the predicate says so, a directory that is refused going with all that is below it.
    /// Inodes left without a name vanish, and the counters are set anew. The root stays.
    pub fn retain_paths(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = vec![false; self.inode_table.len()];
        // By the number of the directory, `None` for the root, and the name.
        let mut dropped: HashSet<(Option<u64>, BString)> = HashSet::new();
        let mut parents: Vec<(usize, Option<u64>)> = vec![(0, None)];
        let mut walk = Walk::new(self);
        while let Some(visit) = walk.next_visit() {
            let Some(number) = visit.number else { continue };
            while parents.last().is_some_and(|parent| parent.0 > visit.parent_len) {
                parents.pop();
            }
            if keep(visit.path) {
                if let Some(kept) = self
                    .inode_table
                    .position_of(number)
                    .and_then(|at| kept.get_mut(at))
                {
                    *kept = true;
                }
                if visit.inode.as_directory().is_some() {
                    parents.push((visit.path.len(), Some(number)));
                }
            } else {
                let parent = parents.last().and_then(|parent| parent.1);
                dropped.insert((parent, visit.path[visit.parent_len + 1..].into()));
                walk.skip_directory();
            }
        }
        self.drop_entries(&dropped, &kept);
        self.recount();
    }

    fn drop_entries(&mut self, dropped: &HashSet<(Option<u64>, BString)>, kept: &[bool]) {
        let directories: HashSet<Option<u64>> = dropped.iter().map(|(directory, _)| *directory).collect();
        let root = std::iter::once((None, &mut self.directory_inode));
        let others = self
            .inode_table
            .iter_mut()
            .filter_map(|(number, inode)| match inode {
                crate::Inode::Directory(directory) => Some((Some(number), directory)),
                _ => None,
            });
        for (number, directory) in root.chain(others) {
            if directories.contains(&number) {
                directory
                    .entry_list
                    .retain(|entry| !dropped.contains(&(number, entry.name.clone())));
            }
        }
        let mut kept = kept.iter();
        self.inode_table
            .retain(|_, _| kept.next().copied().unwrap_or(false));
    }
}
