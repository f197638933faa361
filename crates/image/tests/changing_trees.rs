//! Splicing, filtering, copying times and comparing give what they promise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use bstr::ByteSlice;
use common::{directory, file, tree};
use image::computed_files::{self, SpliceError};
use image::diff::{Change, Totals, What, diff};
use image::filter::CompiledFilter;
use image::required_paths::{self, RequiredPathError};
use image::walk::Walk;
use image::{ComputedFile, FileSystem, Inode, SpecialInode, SymlinkInode};

fn computed(filename: &str, source: &str) -> ComputedFile {
    ComputedFile {
        filename: filename.into(),
        source: source.into(),
    }
}

fn sample() -> FileSystem {
    tree(
        &[("a", 1), ("d", 2), ("l", 5)],
        vec![
            (1, file("one")),
            (2, directory(&[("b", 1), ("c", 3), ("e", 4)])),
            (3, file("three")),
            (4, directory(&[("f", 6)])),
            (
                5,
                Inode::Symlink(SymlinkInode {
                    symlink: "a".into(),
                    ..SymlinkInode::default()
                }),
            ),
            (
                6,
                Inode::Special(SpecialInode {
                    mode: 0o010_644,
                    rdev: 7,
                    ..SpecialInode::default()
                }),
            ),
        ],
    )
}

fn paths(tree: &FileSystem) -> Vec<String> {
    Walk::new(tree).map(|(path, _)| path.to_string()).collect()
}

#[test]
fn splicing_makes_a_regular_file_a_computed_one_with_its_mode_and_owner() {
    let mut spliced = sample();
    computed_files::splice(&mut spliced, &[computed("/d/c", "host:1")]).unwrap();
    assert_eq!(computed_files::list(&spliced), [computed("/d/c", "host:1")]);
    let (_, inode) = spliced.lookup(b"/d/c").unwrap();
    assert_eq!(inode.mode(), 0o100_644);
    assert_eq!((spliced.num_regular_inodes, spliced.total_data_bytes), (1, 3));
    computed_files::splice(&mut spliced, &[computed("/d/c", "host:2")]).unwrap();
    assert_eq!(computed_files::list(&spliced), [computed("/d/c", "host:2")]);
}

#[test]
fn splicing_the_recorded_list_gives_the_recorded_image() {
    let list = computed_files::parse("computed1.json", include_bytes!("data/computed1.json")).unwrap();
    let recorded = common::v1();
    assert_eq!(computed_files::list(&recorded), list);
    let mut again = recorded.clone();
    computed_files::splice(&mut again, &list).unwrap();
    assert_eq!(again, recorded);
}

#[test]
fn what_cannot_be_spliced_is_told_in_the_originals_words_and_nothing_changes() {
    for (path, text) in [
        ("/missing", "/missing: missing from image"),
        ("/a/b", "/a/b: missing from image"),
        ("/a", "/a: multiple inodes: 2"),
        ("/l", "/l: type: *filesystem.SymlinkInode is not a regular inode"),
        (
            "/d",
            "/d: type: *filesystem.DirectoryInode is not a regular inode",
        ),
        (
            "/d/e/f",
            "/d/e/f: type: *filesystem.SpecialInode is not a regular inode",
        ),
    ] {
        let mut tree = sample();
        let error: SpliceError =
            computed_files::splice(&mut tree, &[computed("/d/c", "h:1"), computed(path, "h:1")]).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(tree, sample());
    }
}

#[test]
fn lists_of_computed_files_are_read_in_both_forms() {
    let expected = [computed("/a", "h:1"), computed("/b", "h:2")];
    assert_eq!(
        computed_files::parse("list", b"# c\n/a\th:1\n\n/b   h:2 \n").unwrap(),
        expected
    );
    let json = br#"[{"filename": "/a", "Source": "h:1"}, {"Filename": "/b", "SOURCE": "h:2"}]"#;
    assert_eq!(computed_files::parse("list.json", json).unwrap(), expected);
    let error = computed_files::parse("list", b"/a h:1 x").unwrap_err();
    assert_eq!(error.to_string(), "bad line: /a h:1 x");
    assert!(computed_files::parse("list", b"/a").is_err());
    let merged = computed_files::merge([&expected[..], &[computed("/0", "h:3"), computed("/a", "h:4")]]);
    assert_eq!(
        merged,
        [
            computed("/0", "h:3"),
            computed("/a", "h:4"),
            computed("/b", "h:2")
        ]
    );
}

#[test]
fn filtering_drops_subtrees_and_inodes_without_names_and_counts_anew() {
    let mut filtered = sample();
    filtered.apply_filter(&CompiledFilter::from_lines(["/d/b", "/d/e"]).unwrap());
    assert_eq!(paths(&filtered), ["/", "/a", "/d", "/d/c", "/l"]);
    assert_eq!(filtered.inode_table.len(), 4);
    assert_eq!(
        (
            filtered.num_regular_inodes,
            filtered.total_data_bytes,
            filtered.directory_count
        ),
        (2, 8, 2)
    );
    let mut filtered = sample();
    filtered.apply_filter(&CompiledFilter::from_lines(["/"]).unwrap());
    assert_eq!(
        (paths(&filtered), filtered.inode_table.len()),
        (vec!["/".to_owned()], 0)
    );
    let mut kept = sample();
    kept.apply_filter(&CompiledFilter::from_lines(["/x"]).unwrap());
    assert_eq!(kept, sample());
}

#[test]
fn an_inverted_filter_keeps_only_what_it_names() {
    let mut filtered = sample();
    filtered.apply_filter(&CompiledFilter::from_lines(["!", "/d$", "/d/c"]).unwrap());
    assert_eq!(paths(&filtered), ["/", "/d", "/d/c"]);
}

fn later(mut tree: FileSystem) -> FileSystem {
    for (_, inode) in tree.inode_table.iter_mut() {
        match inode {
            Inode::Regular(inode) => inode.mtime_seconds += 1,
            Inode::Special(inode) => inode.mtime_nano_seconds += 1,
            _ => {}
        }
    }
    tree
}

#[test]
fn times_are_taken_over_for_inodes_that_are_equal_otherwise() {
    let mut tree = later(sample());
    assert_eq!(tree.copy_mtimes(&sample()), 3);
    assert_eq!(tree, sample());

    let mut tree = later(sample());
    if let Some(Inode::Regular(inode)) = tree.inode_table.get_mut(3) {
        inode.mode = 0o100_600;
    }
    assert_eq!(tree.copy_mtimes(&sample()), 2);
    let mut tree = later(sample());
    assert_eq!(tree.copy_mtimes_where(&sample(), |path| path != b"/d/e/f"), 2);
}

#[test]
fn required_paths_are_told_in_the_originals_words() {
    let tree = sample();
    let verify = |list: &str| required_paths::verify(&tree, &required_paths::parse(list).unwrap());
    assert_eq!(verify("/d:d,/a:f,/l:l,/d/e/f:p"), Ok(()));
    assert_eq!(verify(""), Ok(()));
    for (list, text) in [
        ("/etc:d", "VerifyRequiredPaths(): missing path: /etc"),
        ("/a:d", "VerifyRequiredPaths(): path is not a directory: /a"),
        ("/d:f", "VerifyRequiredPaths(): path is not a regular file: /d"),
        ("/a:l", "VerifyRequiredPaths(): path is not a symlink: /a"),
        ("/a:b", "VerifyRequiredPaths(): path is not a special inode: /a"),
    ] {
        let error: RequiredPathError = verify(list).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    assert!(required_paths::parse("/a").is_err() && required_paths::parse("/a:x").is_err());
    assert_eq!(required_paths::parse(required_paths::DEFAULT).unwrap().len(), 4);
}

#[test]
fn differences_are_told_by_path_and_kind() {
    let left = sample();
    let mut right = sample();
    right.inode_table.insert(3, file("3"));
    right.inode_table.insert(6, file("now a file"));
    if let Some(Inode::Symlink(link)) = right.inode_table.get_mut(5) {
        link.symlink = "b".into();
    }
    if let Some(Inode::Directory(directory)) = right.inode_table.get_mut(4) {
        directory.gid = 5;
    }
    right.directory_inode.entry_list.remove(0);
    right.directory_inode.entry_list.insert(
        0,
        image::DirectoryEntry {
            name: "z".into(),
            inode_number: 1,
        },
    );

    let differences = diff(&left, &right);
    let what: Vec<_> = differences
        .iter()
        .map(|difference| {
            let what = match difference.change {
                Change::Changed { what, .. } => Some(what),
                Change::Added(_) | Change::Removed(_) => None,
            };
            (difference.path.to_str().unwrap(), what)
        })
        .collect();
    let expected = [
        ("/a", None),
        (
            "/d/c",
            Some(What {
                size: true,
                content: true,
                ..What::default()
            }),
        ),
        (
            "/d/e",
            Some(What {
                owner: true,
                ..What::default()
            }),
        ),
        (
            "/d/e/f",
            Some(What {
                kind: true,
                mode: true,
                ..What::default()
            }),
        ),
        (
            "/l",
            Some(What {
                target: true,
                ..What::default()
            }),
        ),
        ("/z", None),
    ];
    assert_eq!(what, expected);
    assert!(matches!(differences[0].change, Change::Removed(_)));
    assert!(matches!(differences[5].change, Change::Added(_)));
    let totals = Totals {
        added: 1,
        removed: 1,
        changed: 4,
        bytes_left: 3 + 5,
        bytes_right: 3 + 1 + 10,
    };
    assert_eq!(Totals::of(&differences), totals);
    assert!(diff(&left, &left).is_empty());
}

#[test]
fn recorded_images_differ_where_they_were_changed() {
    let (left, right) = (common::v1(), common::v2());
    let paths: Vec<_> = diff(&left, &right)
        .into_iter()
        .map(|difference| difference.path)
        .collect();
    let expected = [
        "/bin/hello3",
        "/etc/computed.conf",
        "/etc/dup2",
        "/etc/newfile",
        "/etc/ssh/sshd_config",
        "/usr/bin/hello",
        "/usr/bin/hello2",
        "/usr/bin/hi",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn paths_are_looked_up_one_by_one_and_all_at_once() {
    let tree = sample();
    assert_eq!(tree.lookup(b"/").unwrap().0, None);
    assert_eq!(tree.lookup(b"/d/e/f").unwrap().0, Some(6));
    for path in ["", "a", "/a/b", "/d/", "//d", "/d/../a", "/nope"] {
        assert!(tree.lookup(path.as_bytes()).is_none(), "{path}");
    }
    let found = tree.find_all(["/", "/a", "/d/b", "/nope"].map(|path| path.as_bytes().as_bstr()));
    assert_eq!(found.len(), 2);
    assert_eq!(found[b"/d/b".as_bstr()], 1);
}
