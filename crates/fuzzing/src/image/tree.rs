//! Everything that is done with trees, sound or not.

use bstr::ByteSlice;
use image::filter::CompiledFilter;
use image::listing::{self, Fields};
use image::walk::{LinkCounts, Walk};
use image::{FileSystem, Inode, computed_files, diff, objects, required_paths, usage, verify};

/// Paths that are looked up one by one.
const LOOKED_UP_MAX: usize = 64;

pub(super) fn everything(tree: &FileSystem) {
    let sound = tree.check();
    let verified = verify::tree(tree);
    assert!(sound.is_ok() || verified.is_err());
    let visits = Walk::new(tree).count() as u64;
    if let Ok(counts) = &sound {
        assert_eq!(visits, counts.entries + 1);
        let inodes = counts.regular + counts.computed + counts.symlinks + counts.special + counts.directories;
        assert_eq!(inodes + counts.unreferenced, tree.inode_table.len() as u64 + 1);
        // From a tree that is none one may read less.
        assert!(diff::diff(tree, tree).is_empty(), "differs from itself");
        lookups(tree);
    } else {
        let _ = diff::Totals::of(&diff::diff(tree, tree));
    }
    lists(tree, visits);
    changes(tree, sound.is_ok());
}

fn lookups(tree: &FileSystem) {
    let paths: Vec<_> = Walk::new(tree)
        .take(LOOKED_UP_MAX)
        .map(|(path, _)| path)
        .collect();
    let found = tree.find_all(paths.iter().map(|path| path.as_bstr()));
    for path in paths {
        match tree.lookup(&path) {
            Some((number, _)) => assert_eq!(number.as_ref(), found.get(&path), "{path}"),
            None => panic!("walked but not found: {path}"),
        }
    }
}

fn lists(tree: &FileSystem, visits: u64) {
    let mut lines = Vec::new();
    let written = listing::write(&mut lines, tree, Fields::default(), |seconds| seconds.to_string());
    assert!(written.is_ok() && lines.iter().filter(|&&byte| byte == b'\n').count() as u64 >= visits);
    let links = LinkCounts::of(tree);
    for (number, _) in tree.inode_table.iter() {
        let _ = links.get(tree, Some(number));
    }
    let _ = (usage::estimate(tree), objects::of_tree(tree).count());
    let required = required_paths::parse(required_paths::DEFAULT).unwrap_or_default();
    assert!(!required.is_empty());
    let _ = required_paths::verify(tree, &required);
}

fn changes(tree: &FileSystem, is_sound: bool) {
    for lines in [
        &["/a"][..],
        &["/.*b.*"],
        &["!", "/etc/.*"],
        &["/[a-f]+$", "/x/y(|/.*)$"],
    ] {
        let filter =
            CompiledFilter::from_lines(lines.iter().copied()).unwrap_or_else(|error| panic!("{error}"));
        let mut filtered = tree.clone();
        filtered.apply_filter(&filter);
        for (path, _) in Walk::new(&filtered) {
            assert!(
                path == "/" || !is_sound || !filter.matches(&path),
                "{path} is still there"
            );
        }
        if is_sound {
            let counts = filtered
                .check()
                .unwrap_or_else(|error| panic!("filtered: {error}"));
            assert_eq!(counts.unreferenced, 0);
            assert_eq!(
                (counts.regular, counts.directories),
                (filtered.num_regular_inodes, filtered.directory_count)
            );
        }
    }
    let mut same = tree.clone();
    if is_sound {
        assert_eq!(same.copy_mtimes(tree), 0);
    } else {
        same.copy_mtimes(tree);
    }
    let files = computed_files::list(tree);
    if computed_files::splice(&mut same, &files).is_ok() && is_sound {
        assert!(same.check().is_ok());
    }
    for (_, inode) in same.inode_table.iter_mut() {
        if let Inode::Directory(directory) = inode {
            directory.entry_list.reverse();
        }
    }
    assert_eq!(same.check().is_ok(), is_sound, "the order of entries matters");
}
