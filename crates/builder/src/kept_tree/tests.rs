//! What is promised of trees that are used again.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use hash::Hash;
use tree_io::error::BoxError;
use tree_io::{Body, FoundObject, ObjectSink, ObjectSource, Tick, UnpackOptions, scan, unpack};

use super::*;
use tree_io::{Cancel, ScanOptions};

#[derive(Default)]
struct Objects(Mutex<HashMap<Hash, Vec<u8>>>);

impl ObjectSink for Objects {
    fn put(&self, object: FoundObject) -> Result<(), BoxError> {
        if let Body::Bytes(data) = object.body {
            self.0.lock().insert(object.hash, data);
        }
        Ok(())
    }
}

impl ObjectSource for &Objects {
    fn next_object(
        &mut self,
        hash: &Hash,
        _: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), tree_io::Error>,
    ) -> Result<(), tree_io::Error> {
        consume(&self.0.lock()[hash])
    }
}

struct Unpacked {
    directory: tempfile::TempDir,
    objects: Objects,
    tree: FileSystem,
    known: Known,
}

impl Unpacked {
    fn new() -> Unpacked {
        let directory = tempfile::tempdir().unwrap();
        let from = directory.path().join("from");
        fs::create_dir_all(from.join("etc/deep/deeper")).unwrap();
        fs::create_dir_all(from.join("empty")).unwrap();
        for number in 0..40 {
            fs::write(from.join(format!("etc/{number}")), format!("file {number}")).unwrap();
        }
        fs::write(from.join("etc/deep/deeper/file"), "deep").unwrap();
        fs::write(from.join("etc/nothing"), "").unwrap();
        fs::write(from.join("etc/one"), "linked").unwrap();
        fs::hard_link(from.join("etc/one"), from.join("etc/deep/two")).unwrap();
        symlink("etc/one", from.join("link")).unwrap();
        let objects = Objects::default();
        let (tree, _) = scan(&from, &ScanOptions::default(), &objects).unwrap();
        let root = directory.path().join("root");
        unpack(&tree, &root, &mut &objects, &UnpackOptions::default()).unwrap();
        let known = Known::of(&tree, &root).unwrap();
        Tick::measure(&root).unwrap().wait();
        Unpacked {
            directory,
            objects,
            tree,
            known,
        }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn is_as_unpacked(&self) -> bool {
        is_as_unpacked(
            &expected(&self.tree),
            &self.known,
            &self.root(),
            &Cancel::default(),
        )
        .unwrap()
    }

    /// How many files had to be made anew.
    fn restore(&self) -> Option<usize> {
        let part = Restoring::run(&self.tree, &self.known, &self.root()).unwrap()?;
        unpack(&part, &self.root(), &mut &self.objects, &UnpackOptions::default()).unwrap();
        assert!(self.is_as_unpacked());
        Some(image::objects::of_tree(&part).count())
    }
}

#[test]
fn a_tree_that_nobody_touched_needs_nothing() {
    let unpacked = Unpacked::new();
    assert!(unpacked.is_as_unpacked());
    assert_eq!(unpacked.restore(), Some(0));
}

#[test]
fn whatever_a_build_does_to_a_tree_is_undone() {
    type Change = fn(&Path);
    let changes: [(Change, usize); 14] = [
        (|root| fs::write(root.join("etc/3"), "FILE 3").unwrap(), 1),
        (|root| fs::write(root.join("etc/new"), "new").unwrap(), 0),
        (|root| fs::remove_file(root.join("etc/4")).unwrap(), 1),
        (|root| fs::remove_dir_all(root.join("etc/deep")).unwrap(), 2),
        (|root| fs::remove_dir_all(root.join("empty")).unwrap(), 0),
        (
            |root| {
                fs::remove_dir_all(root.join("etc/deep")).unwrap();
                symlink("/etc", root.join("etc/deep")).unwrap();
            },
            2,
        ),
        (
            |root| {
                fs::remove_file(root.join("etc/5")).unwrap();
                fs::create_dir_all(root.join("etc/5/in/it")).unwrap();
            },
            1,
        ),
        (
            |root| fs::set_permissions(root.join("etc"), fs::Permissions::from_mode(0o777)).unwrap(),
            0,
        ),
        (
            |root| fs::set_permissions(root.join("etc/6"), fs::Permissions::from_mode(0o4755)).unwrap(),
            1,
        ),
        (
            |root| fs::rename(root.join("etc/7"), root.join("etc/8")).unwrap(),
            2,
        ),
        (
            |root| fs::hard_link(root.join("etc/9"), root.join("etc/99")).unwrap(),
            1,
        ),
        (|root| fs::remove_file(root.join("etc/one")).unwrap(), 1),
        (
            |root| {
                fs::remove_file(root.join("link")).unwrap();
                symlink("etc/two", root.join("link")).unwrap();
            },
            0,
        ),
        (
            |root| fs::write(root.join("etc/nothing"), "something").unwrap(),
            0,
        ),
    ];
    for (number, (change, remade)) in changes.into_iter().enumerate() {
        let unpacked = Unpacked::new();
        change(&unpacked.root());
        assert!(!unpacked.is_as_unpacked(), "{number}");
        assert_eq!(unpacked.restore(), Some(remade), "{number}");
    }
}

#[test]
fn owners_are_put_right() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let unpacked = Unpacked::new();
    chown(unpacked.root().join("etc/deep"), Some(33), Some(33)).unwrap();
    std::os::unix::fs::lchown(unpacked.root().join("link"), Some(33), Some(33)).unwrap();
    chown(unpacked.root(), Some(33), Some(33)).unwrap();
    assert!(!unpacked.is_as_unpacked());
    assert_eq!(unpacked.restore(), Some(0));
}

#[test]
fn a_tree_with_attributes_or_with_much_changed_is_not_used_again() {
    let unpacked = Unpacked::new();
    let set = rustix::fs::setxattr(
        unpacked.root().join("etc"),
        "user.mine",
        b"1",
        rustix::fs::XattrFlags::empty(),
    );
    if set.is_ok() {
        assert_eq!(unpacked.restore(), None);
        assert!(!unpacked.is_as_unpacked());
    }
    let unpacked = Unpacked::new();
    for number in 0..20 {
        fs::write(unpacked.root().join(format!("etc/{number}")), "changed").unwrap();
    }
    assert_eq!(unpacked.restore(), None);
}

#[test]
fn only_the_same_stream_upon_the_same_image_gets_a_tree_and_few_are_kept() {
    let directory = tempfile::tempdir_in("/var/tmp").unwrap();
    let kept = KeptTrees::new(directory.path()).unwrap();
    let put = |stream: &str, source: &str| {
        let path = directory.path().join("tree");
        fs::create_dir(&path).unwrap();
        if !kept.has_room(&path) {
            return false;
        }
        let tree = KeptTree {
            path: PathBuf::new(),
            stream: stream.to_owned(),
            source: source.to_owned(),
            tree: Arc::default(),
            known: Arc::default(),
        };
        kept.put(&path, tree).unwrap();
        true
    };
    if !put("a", "image/1") {
        return;
    }
    assert!(kept.take("b", "image/1").is_none() && kept.take("a", "image/2").is_none());
    let taken = kept.take("a", "image/1").unwrap();
    assert!(taken.path.is_dir() && kept.take("a", "image/1").is_none());
    fs::remove_dir(taken.path).unwrap();
    put("a", "image/1");
    put("a", "image/2");
    assert!(kept.take("a", "image/1").is_none());
    for stream in ["b", "c", "d", "e", "f"] {
        put(stream, "image/1");
    }
    let on_disk = || fs::read_dir(directory.path().join(DIRECTORY)).unwrap().count();
    assert_eq!(on_disk(), MOST_TREES);
    assert!(kept.take("a", "image/2").is_none());
    kept.clear();
    assert_eq!(on_disk(), 0);
}
