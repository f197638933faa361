//! What the cache promises.

use std::fs;
use std::path::{Path, PathBuf};

use tree_io::{NearObjects, NoSink, ScanOptions, scan};

use super::*;
use tree_io::Cancel;

struct Place {
    _all: tempfile::TempDir,
    cache: PathBuf,
    tree: PathBuf,
}

fn place_for_tests() -> Place {
    let all = tempfile::tempdir().unwrap();
    let (cache, tree) = (all.path().join("cache"), all.path().join("tree"));
    fs::create_dir(&tree).unwrap();
    Place {
        _all: all,
        cache,
        tree,
    }
}

/// Puts files into the cache, as a build does that made them.
fn adopt(cache: &Arc<ObjectCache>, tree: &Path, contents: &[&str]) -> Vec<(Hash, u64)> {
    for (number, content) in contents.iter().enumerate() {
        fs::write(tree.join(number.to_string()), content).unwrap();
    }
    let (scanned, _) = scan(tree, &ScanOptions::default(), &NoSink).unwrap();
    cache.adopt(&scanned, tree, None);
    fs::remove_dir_all(tree).unwrap();
    fs::create_dir(tree).unwrap();
    contents
        .iter()
        .map(|content| (hash::of(content.as_bytes()), content.len() as u64))
        .collect()
}

fn near(cache: &Arc<ObjectCache>, wanted: &[(Hash, u64)]) -> Near {
    cache.near(wanted, &Cancel::default()).unwrap()
}

#[test]
fn what_a_build_made_is_there_after_a_restart() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let wanted = adopt(&cache, &at.tree, &["one", "two", "three"]);
    assert_eq!(near(&cache, &wanted).len(), 3);
    drop(cache);
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let found = near(&cache, &wanted);
    assert_eq!(found.len(), 3);
    for (hash, size) in &wanted {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut found.open(hash, *size).unwrap(), &mut text).unwrap();
        assert_eq!(hash::of(text.as_bytes()), *hash);
    }
    assert_eq!((cache.figures().hits, cache.figures().misses), (3, 0));
}

#[test]
fn a_bad_byte_is_never_served() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let wanted = adopt(&cache, &at.tree, &["good one", "good two", "good three"]);
    let path = |number: usize| {
        let place = place(&wanted[number].0);
        at.cache.join(std::str::from_utf8(&place).unwrap())
    };
    // One is damaged while nobody looks, one is cut short, one is damaged between being verified and being opened.
    drop(cache);
    fs::write(path(0), "bad one!").unwrap();
    fs::write(path(1), "good").unwrap();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let found = near(&cache, &wanted);
    assert!(!found.contains(&wanted[0].0) && !found.contains(&wanted[1].0));
    assert!(!path(0).exists() && !path(1).exists());
    assert!(found.open(&wanted[2].0, wanted[2].1).is_some());
    tree_io::Tick::measure(&at.cache).unwrap().wait();
    fs::write(path(2), "bad three!").unwrap();
    assert!(found.open(&wanted[2].0, wanted[2].1).is_none());
    // Whoever was refused says so.
    cache.remove(&wanted[2].0);
    assert!(near(&cache, &wanted).is_empty());
}

#[test]
fn a_size_that_the_image_does_not_have_is_never_served() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let mut wanted = adopt(&cache, &at.tree, &["one"]);
    assert_eq!(near(&cache, &wanted).len(), 1);
    wanted[0].1 = 4;
    assert!(near(&cache, &wanted).is_empty());
}

#[test]
fn there_is_never_more_than_there_may_be_and_the_longest_unused_goes_first() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 100).unwrap();
    let old = adopt(&cache, &at.tree, &[&"a".repeat(40)]);
    let used = adopt(&cache, &at.tree, &[&"b".repeat(40)]);
    // As if time had passed.
    for (hash, when) in [(old[0].0, 1), (used[0].0, 2)] {
        cache.table.lock().entries.get_mut(&hash).unwrap().used = when;
    }
    let new = adopt(&cache, &at.tree, &[&"c".repeat(40)]);
    assert!(near(&cache, &old).is_empty());
    assert_eq!((near(&cache, &used).len(), near(&cache, &new).len()), (1, 1));
    assert!(cache.figures().bytes <= 100);
    let too_large = adopt(&cache, &at.tree, &[&"d".repeat(101)]);
    assert!(near(&cache, &too_large).is_empty());
    assert_eq!(cache.figures().objects, 2);
}

#[test]
fn the_order_of_use_outlives_a_restart() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let wanted = adopt(&cache, &at.tree, &["one", "two"]);
    cache.table.lock().entries.get_mut(&wanted[0].0).unwrap().used = 7;
    cache.table.lock().uses_written = 0;
    cache.write_uses();
    drop(cache);
    let used = |cache: &Arc<ObjectCache>| cache.table.lock().entries[&wanted[0].0].used;
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    assert_eq!(used(&cache), 7);
    drop(cache);
    // A torn file is as good as none.
    let uses = at.cache.join(".uses");
    let text = fs::read(&uses).unwrap();
    fs::write(&uses, &text[..text.len() - 1]).unwrap();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    assert!(used(&cache) > 7);
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1).unwrap();
    let error = ObjectCache::open(at.cache.clone(), 1).unwrap_err().to_string();
    let pid = std::process::id();
    assert!(
        error.ends_with(&format!("is in use by another process (pid {pid})")),
        "{error}"
    );
    drop(cache);
    ObjectCache::open(at.cache.clone(), 1).unwrap();
}

#[test]
fn who_still_has_a_file_of_a_build_open_has_none_of_the_cache() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    let file = at.tree.join("file");
    fs::write(&file, "good").unwrap();
    let held = File::options().write(true).open(&file).unwrap();
    let (scanned, _) = scan(&at.tree, &ScanOptions::default(), &NoSink).unwrap();
    cache.adopt(&scanned, &at.tree, None);
    std::os::unix::fs::FileExt::write_all_at(&held, b"evil", 0).unwrap();
    let hash = hash::of(b"good");
    let mut text = String::new();
    let mut object = near(&cache, &[(hash, 4)]).open(&hash, 4).unwrap();
    std::io::Read::read_to_string(&mut object, &mut text).unwrap();
    assert_eq!(text, "good");
}

#[test]
fn what_changed_behind_the_times_back_never_comes_in() {
    let at = place_for_tests();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    fs::write(at.tree.join("file"), "good").unwrap();
    let (scanned, _) = scan(&at.tree, &ScanOptions::default(), &NoSink).unwrap();
    // As if this had left no trace: what is known is taken afterwards.
    fs::write(at.tree.join("file"), "evil").unwrap();
    let known = tree_io::Known::of(&scanned, &at.tree).unwrap();
    cache.adopt(&scanned, &at.tree, Some(&known));
    assert_eq!(cache.figures().objects, 0);
    assert!(fs::read_dir(&at.cache).unwrap().all(|entry| {
        let name = entry.unwrap().file_name();
        !name.to_str().unwrap().starts_with(NEW_PREFIX)
    }));
}

#[test]
fn what_a_crash_left_half_copied_is_gone_after_the_start() {
    let at = place_for_tests();
    fs::create_dir(&at.cache).unwrap();
    let half = at.cache.join(format!("{NEW_PREFIX}0"));
    fs::write(&half, "half").unwrap();
    let cache = ObjectCache::open(at.cache.clone(), 1 << 20).unwrap();
    assert!(!half.exists());
    assert_eq!(adopt(&cache, &at.tree, &["one"]).len(), 1);
    assert_eq!(cache.figures().objects, 1);
}
