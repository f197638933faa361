//! Trees that break the rules are refused with a reason, and nothing that looks at one loops, overflows or panics.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{directory, file, tree};
use image::diff::diff;
use image::listing::Fields;
use image::tree::{CheckError, MAXIMUM_DEPTH};
use image::walk::{LinkCounts, Walk};
use image::{FileSystem, Inode, computed_files, filter, listing, usage, verify};

/// Lets everything that takes a tree look at it.
fn look_at(tree: &FileSystem) {
    let visits = Walk::new(tree).count();
    let entries = tree
        .inode_table
        .iter()
        .filter_map(|(_, inode)| inode.as_directory());
    let entries = entries
        .chain([&tree.directory_inode])
        .map(|directory| directory.entry_list.len());
    assert!(
        visits <= entries.sum::<usize>() + 1,
        "every entry is visited once at most"
    );
    LinkCounts::of(tree);
    usage::estimate(tree);
    computed_files::list(tree);
    diff(tree, tree);
    listing::write(&mut Vec::new(), tree, Fields::default(), common::utc).unwrap();
    let mut filtered = tree.clone();
    filtered.apply_filter(&filter::CompiledFilter::from_lines(["/a"]).unwrap());
    filtered.copy_mtimes(tree);
    image::go_json::to_line(tree).unwrap();
}

fn refusal(tree: &FileSystem) -> CheckError {
    look_at(tree);
    let error = tree.check().unwrap_err();
    assert_eq!(verify::tree(tree), Err(error.clone().into()));
    error
}

#[test]
fn recorded_trees_pass() {
    for tree in [common::v1(), common::v2(), FileSystem::default()] {
        look_at(&tree);
        tree.check().unwrap();
        verify::tree(&tree).unwrap();
    }
}

#[test]
fn an_entry_without_inode_is_refused() {
    let tree = tree(&[("a", 1), ("b", 2)], vec![(1, file("x"))]);
    assert_eq!(
        refusal(&tree),
        CheckError::MissingInode {
            path: "/b".into(),
            number: 2
        }
    );
}

#[test]
fn cycles_and_directories_with_two_names_are_refused() {
    let own_child = tree(&[("a", 1)], vec![(1, directory(&[("a", 1)]))]);
    assert_eq!(refusal(&own_child), CheckError::DirectoryTwice("/a/a".into()));
    let ring = tree(
        &[("a", 1)],
        vec![(1, directory(&[("b", 2)])), (2, directory(&[("c", 1)]))],
    );
    assert_eq!(refusal(&ring), CheckError::DirectoryTwice("/a/b/c".into()));
    let twice = tree(
        &[("a", 1), ("b", 1)],
        vec![(1, directory(&[("c", 2)])), (2, file(""))],
    );
    assert_eq!(refusal(&twice), CheckError::DirectoryTwice("/b".into()));
}

#[test]
fn a_ladder_that_doubles_at_each_step_costs_no_more_than_its_entries() {
    let rung = |number| (number, directory(&[("l", number + 1), ("r", number + 1)]));
    let mut table: Vec<_> = (1..60).map(rung).collect();
    table.push((60, directory(&[])));
    assert!(matches!(
        refusal(&tree(&[("l", 1), ("r", 1)], table)),
        CheckError::DirectoryTwice(_)
    ));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["", ".", "..", "a/b", "/", "a\0b"] {
        let bad = tree(&[("d", 1)], vec![(1, directory(&[(name, 2)])), (2, file("x"))]);
        let expected = CheckError::BadName {
            directory: "/d".into(),
            name: name.into(),
        };
        assert_eq!(refusal(&bad), expected, "{name:?}");
    }
    let in_root = tree(&[("..", 1)], vec![(1, file("x"))]);
    assert_eq!(
        refusal(&in_root),
        CheckError::BadName {
            directory: "/".into(),
            name: "..".into()
        }
    );
}

#[test]
fn a_name_used_twice_is_refused_in_any_order() {
    for entries in [[("a", 1), ("a", 2), ("b", 2)], [("b", 1), ("a", 2), ("b", 2)]] {
        let bad = tree(&entries, vec![(1, file("x")), (2, file("y"))]);
        let name = if entries[0].0 == "a" { "/a" } else { "/b" };
        assert_eq!(refusal(&bad), CheckError::DuplicateName(name.into()));
    }
}

#[test]
fn depth_costs_no_stack_and_is_bounded() {
    let chain = |depth: u64| {
        let mut table: Vec<_> = (1..depth)
            .map(|number| (number, directory(&[("d", number + 1)])))
            .collect();
        table.push((depth, directory(&[])));
        tree(&[("d", 1)], table)
    };
    look_at(&chain(MAXIMUM_DEPTH as u64 - 1));
    let counts = chain(MAXIMUM_DEPTH as u64 - 1).check().unwrap();
    assert_eq!(counts.directories, MAXIMUM_DEPTH as u64);
    // Two bytes a level: the bound on depth is met before that on the length of paths.
    assert_eq!(chain(100_000).check(), Err(CheckError::TooDeep));
    assert_eq!(Walk::new(&chain(10_000)).count(), 10_001);
    let long = "n".repeat(255);
    let mut table: Vec<_> = (1..20)
        .map(|number| (number, directory(&[(&long, number + 1)])))
        .collect();
    table.push((20, file("")));
    assert_eq!(refusal(&tree(&[("d", 1)], table)), CheckError::PathTooLong);
}

#[test]
fn counters_of_the_sender_are_not_believed() {
    let mut lying = tree(&[("a", 1)], vec![(1, file("x")), (9, file("unused"))]);
    lying.num_regular_inodes = 1 << 60;
    lying.total_data_bytes = u64::MAX;
    lying.directory_count = 1 << 60;
    look_at(&lying);
    let counts = lying.check().unwrap();
    assert_eq!(
        (
            counts.regular,
            counts.data_bytes,
            counts.directories,
            counts.unreferenced
        ),
        (1, 1, 1, 1)
    );
}

#[test]
fn a_computed_file_with_two_names_in_the_root_is_refused_and_only_there() {
    let computed = || Inode::ComputedRegular(image::ComputedRegularInode::default());
    let in_root = tree(&[("a", 1), ("b", 1)], vec![(1, computed())]);
    let error = verify::tree(&in_root).unwrap_err();
    assert_eq!(error.to_string(), "duplicate computed inode: /b");
    let below = tree(
        &[("d", 2)],
        vec![(1, computed()), (2, directory(&[("a", 1), ("b", 1)]))],
    );
    verify::tree(&below).unwrap();
}
