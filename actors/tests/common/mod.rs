//! What the tests of this crate share: directories of their own, started actors, small images.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use actors::image_index::{AddRequest, EntryState, Requester};
use actors::{Config, ObjectError, StartError, StartReport, System};
use hash::Hash;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Image, Inode, RegularInode};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use storage::StorageError;

/// How long threads of a stopped system may keep its directories.
const RELEASE_WAIT: Duration = Duration::from_secs(60);

/// Directories that outlive the actors on them.
pub struct Directories {
    pub root: tempfile::TempDir,
}

impl Directories {
    pub fn new() -> Directories {
        Directories::in_root(tempfile::tempdir().unwrap())
    }

    fn in_root(root: tempfile::TempDir) -> Directories {
        std::fs::create_dir(root.path().join("images")).unwrap();
        std::fs::create_dir(root.path().join("objects")).unwrap();
        Directories { root }
    }

    /// On a file system in memory, where there is one: flushing costs nothing there.
    pub fn in_memory() -> Directories {
        let root = match tempfile::tempdir_in("/dev/shm") {
            Ok(root) => root,
            Err(_) => return Directories::new(),
        };
        Directories::in_root(root)
    }

    pub fn images(&self) -> PathBuf {
        self.root.path().join("images")
    }

    pub fn objects(&self) -> PathBuf {
        self.root.path().join("objects")
    }

    /// Where an object lies.
    pub fn object(&self, hash: &Hash) -> PathBuf {
        let hex = hash.to_string();
        self.objects().join(&hex[..2]).join(&hex[2..4]).join(&hex[4..])
    }

    /// Leases end at once, and panics on purpose are let through.
    pub fn config(&self) -> Config {
        Config {
            image_dir: self.images(),
            object_dir: self.objects(),
            lease: Duration::ZERO,
            allow_debug_panic: true,
            ..Config::default()
        }
    }

    /// Waits for what a system that was stopped has still in its hands: a thread that reads lets go of the directories when it has read.
    pub fn start(&self) -> System {
        let deadline = Instant::now() + RELEASE_WAIT;
        loop {
            match actors::start(self.config()) {
                Err(StartError::Storage(StorageError::Locked { .. })) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                other => return other.unwrap(),
            }
        }
    }
}

/// A file name, its content, its inode number.
pub fn tree(files: &[(&str, &[u8])]) -> FileSystem {
    let mut tree = FileSystem {
        directory_inode: DirectoryInode {
            mode: 0o40755,
            ..DirectoryInode::default()
        },
        ..FileSystem::default()
    };
    let mut inodes = Vec::new();
    for (number, (name, content)) in (1_u64..).zip(files) {
        let hash = if content.is_empty() {
            Hash::ZERO
        } else {
            hash::of(content)
        };
        let inode = RegularInode {
            mode: 0o100_644,
            size: content.len() as u64,
            hash,
            ..RegularInode::default()
        };
        inodes.push((number, Inode::Regular(inode)));
        let entry = DirectoryEntry {
            name: (*name).into(),
            inode_number: number,
        };
        tree.directory_inode.entry_list.push(entry);
    }
    tree.inode_table = inodes.into();
    tree.recount();
    tree
}

pub fn image(files: &[(&str, &[u8])]) -> Image {
    Image {
        file_system: Some(tree(files)),
        ..Image::default()
    }
}

pub fn expiring(files: &[(&str, &[u8])], after: Duration) -> Image {
    Image {
        expires_at: (std::time::SystemTime::now() + after).into(),
        ..image(files)
    }
}

/// Stores contents, under a lease that ends at once.
pub async fn store(system: &System, contents: &[&[u8]]) -> Vec<Hash> {
    let lease = system.objects.lease();
    let _room = system.objects.staging_room(contents.len()).await.unwrap();
    let backend = system.objects.backend();
    let staged = contents
        .iter()
        .map(|content| backend.stage_bytes(content).unwrap())
        .collect();
    let outcomes = system.objects.commit(staged, &lease).await;
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().hash)
        .collect()
}

pub async fn add(system: &System, name: &str, image: Image) -> Result<(), actors::IndexError> {
    add_as(system, name, image, Requester::internal()).await
}

pub async fn add_as(
    system: &System,
    name: &str,
    image: Image,
    requester: Requester,
) -> Result<(), actors::IndexError> {
    system
        .images
        .add(AddRequest {
            name: name.into(),
            image,
            requester,
            trusted: false,
        })
        .await
}

/// Stores the contents of an image and adds it.
pub async fn put(system: &System, name: &str, files: &[(&str, &[u8])]) {
    let contents: Vec<&[u8]> = files
        .iter()
        .map(|(_, content)| *content)
        .filter(|content| !content.is_empty())
        .collect();
    let lease = system.objects.lease();
    for content in contents {
        system.objects.add(content.to_vec().into(), &lease).await.unwrap();
    }
    add(system, name, image(files)).await.unwrap();
}

pub fn user(name: &str, groups: &[&str]) -> Requester {
    Requester {
        username: name.into(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        method_access: false,
        authenticated: true,
    }
}

pub fn privileged(name: &str) -> Requester {
    Requester {
        method_access: true,
        ..user(name, &[])
    }
}

pub async fn read(system: &System, hash: &Hash) -> Result<Vec<u8>, ObjectError> {
    let mut object = system.objects.open_verified(hash).await?;
    let mut all = Vec::new();
    while let Some(chunk) = object.next_chunk().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

/// Waits until something becomes true; fails loudly if it does not within half a minute.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Names of images in the snapshot.
pub fn names(system: &System) -> Vec<String> {
    system
        .images
        .snapshot()
        .images
        .keys()
        .map(|name| name.to_string())
        .collect()
}

pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub const IMAGE_INDEX: &str = "images/.imagewright.images.index";
pub const OBJECT_INDEX: &str = "objects/.imagewright.objects.index";

/// Everything a client can see of what is served, as text.
pub async fn served(system: &System) -> String {
    let mut seen = String::new();
    let snapshot = system.images.snapshot();
    for (name, entry) in &snapshot.images {
        let objects: Vec<_> = entry
            .objects
            .iter()
            .map(|object| (object.hash, object.size))
            .collect();
        let of_tree = entry.objects.of_tree().count();
        seen += &format!(
            "{name}: {:?} {:?} {} {} {} {} {:?} {:?} {:?} {objects:?} {of_tree}\n",
            entry.state,
            entry.whole_metadata(),
            entry.checksum,
            entry.num_regular_inodes,
            entry.total_data_bytes,
            entry.usage_estimate,
            entry.computed_files,
            entry.inodes,
            system.images.image(name).await.map_err(|error| error.to_string()),
        );
    }
    for (name, entry) in &snapshot.directories {
        seen += &format!("{name}/: {entry:?}\n");
    }
    assert_eq!(
        snapshot.quarantined.keys().collect::<Vec<_>>(),
        snapshot
            .images
            .iter()
            .filter(|(_, entry)| entry.state != EntryState::Present)
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    );
    let figures = system.objects.statistics();
    let mut unreferenced = system.objects.unreferenced().await.unwrap();
    unreferenced.sort();
    seen + &format!(
        "{} unknown, {} {} {} {} {} {} {unreferenced:?}",
        snapshot.unknown_images,
        figures.objects,
        figures.bytes,
        figures.referenced_objects,
        figures.referenced_bytes,
        figures.references,
        figures.references_bytes,
    )
}

pub fn remove_indexes(root: &Path) {
    for index in [IMAGE_INDEX, OBJECT_INDEX] {
        let _ = std::fs::remove_file(root.join(index));
    }
}

/// Starts with the indexes as they are and without them: both serve the same. The report of the former.
pub async fn served_alike(directories: &Directories) -> StartReport {
    let root = directories.root.path();
    let system = directories.start();
    let report = system.start_report().clone();
    let with = served(&system).await;
    system.stop();
    remove_indexes(root);
    let system = directories.start();
    assert_eq!(system.start_report().images_from_index, 0);
    assert_eq!(system.start_report().objects_from_index, 0);
    let without = served(&system).await;
    system.stop();
    assert_eq!(with, without);
    report
}
