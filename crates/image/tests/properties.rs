//! What holds for every tree and every text.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;

use bstr::ByteSlice;
use common::{directory, file, tree};
use image::filter::{CompiledFilter, Expression};
use image::walk::Walk;
use image::{FileSystem, Image, Inode};
use proptest::prelude::*;

/// Trees of some files and directories below each other, some entries leading nowhere or to the wrong place.
fn any_tree() -> impl Strategy<Value = FileSystem> {
    let name = prop::sample::select(vec!["a", "b", "c", "ab", "é", "."]);
    let entries = prop::collection::vec((name, 0..12_u64), 0..5);
    let inode = prop_oneof![
        entries.clone().prop_map(|entries| directory(&entries)),
        "[xyz]{0,3}".prop_map(|content| file(&content)),
    ];
    let table = prop::collection::vec((0..12_u64, inode), 0..12);
    (entries, table).prop_map(|(root, table)| tree(&root, table))
}

fn sound_tree() -> impl Strategy<Value = FileSystem> {
    any_tree().prop_filter("no tree", |tree| tree.check().is_ok())
}

fn paths(tree: &FileSystem) -> BTreeSet<Vec<u8>> {
    Walk::new(tree).map(|(path, _)| path.into()).collect()
}

fn under(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

proptest! {
    #[test]
    fn every_tree_survives_gob(tree in any_tree()) {
        let image = Image { file_system: Some(tree), ..Image::default() };
        let (again, _) = gob::from_slice::<Image>(&gob::to_vec(&image), gob::Limits::default()).unwrap();
        prop_assert_eq!(again, image);
    }

    #[test]
    fn what_passes_the_check_is_walked_entry_by_entry(tree in sound_tree()) {
        let counts = tree.check().unwrap();
        prop_assert_eq!(paths(&tree).len() as u64, counts.entries + 1);
        for path in paths(&tree) {
            prop_assert!(tree.lookup(&path).is_some());
        }
    }

    #[test]
    fn filtering_leaves_exactly_what_neither_matches_nor_is_below_a_match(
        tree in sound_tree(),
        lines in prop::collection::vec("/[abc](/[abc](b)?)?[$]?", 0..3),
    ) {
        let filter = CompiledFilter::from_lines(lines.iter().map(String::as_str)).unwrap();
        let all = paths(&tree);
        let matched: Vec<_> = all.iter().filter(|path| path.as_slice() != b"/" && filter.matches(path)).collect();
        let expected: BTreeSet<_> = all
            .iter()
            .filter(|path| !matched.iter().any(|matched| path == matched || under(path, matched)))
            .cloned()
            .collect();
        let mut filtered = tree.clone();
        filtered.apply_filter(&filter);
        prop_assert_eq!(paths(&filtered), expected);
        let counts = filtered.check().unwrap();
        prop_assert_eq!(counts.unreferenced, 0);
        prop_assert_eq!(counts.regular, filtered.num_regular_inodes);
        prop_assert_eq!(counts.data_bytes, filtered.total_data_bytes);
        prop_assert_eq!(counts.directories, filtered.directory_count);
    }

    #[test]
    fn a_tree_differs_from_another_where_one_of_them_has_what_the_other_has_not(
        left in sound_tree(),
        right in sound_tree(),
    ) {
        let differences = image::diff::diff(&left, &right);
        prop_assert!(differences.is_sorted_by(|one, other| one.path < other.path));
        let differing: BTreeSet<Vec<u8>> =
            differences.iter().map(|difference| difference.path.to_vec()).collect();
        for path in paths(&left).union(&paths(&right)) {
            let same = match (left.lookup(path), right.lookup(path)) {
                (Some((_, left)), Some((_, right))) => !image::diff::What::of(left, right).any(),
                _ => false,
            };
            prop_assert_eq!(differing.contains(path), !same, "{:?}", path.as_bstr());
        }
    }

    #[test]
    fn no_text_and_no_path_upsets_an_expression(
        text in r"[ab/.*+?(){}\[\]^$|\\QEdpLx0-9,:é!-]{0,24}",
        path in prop::collection::vec(any::<u8>(), 0..16),
    ) {
        if let Ok(expression) = Expression::new(&text) {
            expression.matches(&path);
        }
    }

    #[test]
    fn plain_expressions_are_prefixes(text in "[a-z/_-]{1,6}", path in "[a-z/]{0,8}") {
        let expression = Expression::new(&text).unwrap();
        prop_assert_eq!(expression.matches(path.as_bytes()), path.starts_with(&text));
    }

    #[test]
    fn inodes_of_a_table_are_found_by_number(entries in prop::collection::vec((any::<u64>(), "[a-c]{0,2}"), 0..40)) {
        let entries: Vec<(u64, Inode)> = entries.into_iter().map(|(number, text)| (number, file(&text))).collect();
        let table = image::InodeTable::from(entries.clone());
        for (number, _) in &entries {
            let last = entries.iter().rfind(|entry| entry.0 == *number).map(|entry| &entry.1);
            prop_assert_eq!(table.get(*number), last);
        }
        prop_assert!(table.iter().is_sorted_by(|left, right| left.0 < right.0));
    }
}
