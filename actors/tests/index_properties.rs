//! Whatever is done to the two directories between starts: a start with the indexes that were left behind serves what a
//! start without any serves.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Directories, IMAGE_INDEX, OBJECT_INDEX, served_alike};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Contents there are. Sizes are such that some replacements keep the size.
const CONTENTS: [&[u8]; 5] = [b"one", b"two", b"three", b"seven", b"eleven"];

const NAMES: [&str; 4] = ["x", "y", "a/x", "a/y"];

/// Something that is done behind the server's back, or through it.
#[derive(Debug, Clone)]
enum Step {
    /// A start and a stop, which leave indexes behind.
    Serve,
    /// The same after the file system's clock has ticked, so that they answer for everything sound.
    Settle,
    /// Through the server.
    Add(usize, Vec<usize>),
    Delete(usize),
    Collect,
    /// One image file gets another's bytes: in its place, or by a rename.
    CopyImage(usize, usize, bool),
    /// One bit of an image file changes, and its length does not.
    FlipImage(usize, prop::sample::Index),
    TouchImage(usize),
    RemoveImage(usize),
    Tombstone(usize),
    AddObject(usize),
    RemoveObject(usize),
    /// A zero-length file in an object's place, or something that is none.
    Rubbish(usize, bool),
    SaveIndexes,
    RestoreIndexes,
    CutIndex(bool, prop::sample::Index),
    RemoveIndex(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    let content = || 0..CONTENTS.len();
    let at = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Step::Serve),
        5 => Just(Step::Settle),
        4 => (name(), proptest::collection::vec(content(), 0..4)).prop_map(|(name, files)| Step::Add(name, files)),
        1 => name().prop_map(Step::Delete),
        1 => Just(Step::Collect),
        2 => (name(), name(), any::<bool>()).prop_map(|(from, to, rename)| Step::CopyImage(from, to, rename)),
        1 => (name(), at()).prop_map(|(name, at)| Step::FlipImage(name, at)),
        1 => name().prop_map(Step::TouchImage),
        1 => name().prop_map(Step::RemoveImage),
        1 => name().prop_map(Step::Tombstone),
        2 => content().prop_map(Step::AddObject),
        1 => content().prop_map(Step::RemoveObject),
        1 => (content(), any::<bool>()).prop_map(|(content, empty)| Step::Rubbish(content, empty)),
        1 => Just(Step::SaveIndexes),
        1 => Just(Step::RestoreIndexes),
        1 => (any::<bool>(), at()).prop_map(|(images, at)| Step::CutIndex(images, at)),
        1 => any::<bool>().prop_map(Step::RemoveIndex),
    ]
}

struct World {
    directories: Directories,
    /// Bytes of indexes as they once were.
    saved: [Option<Vec<u8>>; 2],
}

impl World {
    fn new() -> World {
        let directories = Directories::new();
        fs::create_dir(directories.images().join("a")).unwrap();
        World {
            directories,
            saved: [None, None],
        }
    }

    fn image(&self, name: usize) -> PathBuf {
        self.directories.images().join(NAMES[name])
    }

    fn index(&self, images: bool) -> PathBuf {
        let place = if images { IMAGE_INDEX } else { OBJECT_INDEX };
        self.directories.root.path().join(place)
    }

    fn object(&self, content: usize) -> PathBuf {
        let place = self.directories.object(&hash::of(CONTENTS[content]));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    async fn through_the_server(&self, step: &Step) {
        let system = self.directories.start();
        // Refusals are as good: the name may be taken, deleted or quarantined.
        match step {
            Step::Add(name, files) => {
                let files: Vec<_> = files.iter().map(|file| CONTENTS[*file]).collect();
                let lease = system.objects.lease();
                for content in &files {
                    system.objects.add(content.to_vec().into(), &lease).await.unwrap();
                }
                let names = ["0", "1", "2", "3"];
                let files: Vec<_> = names.into_iter().zip(files).collect();
                let _ = common::add(&system, NAMES[*name], common::image(&files)).await;
            }
            Step::Delete(name) => {
                let _ = system
                    .images
                    .delete(NAMES[*name], common::privileged("joe"))
                    .await;
            }
            Step::Collect => {
                let _ = system.objects.delete_unreferenced(100, 0).await;
            }
            _ => {}
        }
        system.stop();
    }

    /// Long enough for a change to give another stamp, by the clock of the file system.
    async fn wait_for_a_tick(&self) {
        let probe = self.directories.root.path().join("probe");
        let clock = || {
            fs::write(&probe, b"").unwrap();
            let status = fs::metadata(&probe).unwrap();
            status.ctime() * 1_000_000_000 + status.ctime_nsec()
        };
        let start = clock();
        // A time without a fraction of a second is taken for a coarse one.
        while clock() < start + 120_000_000 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Settle => {
                self.wait_for_a_tick().await;
                self.through_the_server(step).await;
            }
            Step::Serve | Step::Add(..) | Step::Delete(_) | Step::Collect => {
                self.through_the_server(step).await
            }
            Step::CopyImage(from, to, rename) => {
                let Ok(bytes) = fs::read(self.image(*from)) else {
                    return;
                };
                let temporary = self.directories.root.path().join("temporary");
                if *rename {
                    fs::write(&temporary, bytes).unwrap();
                    fs::rename(temporary, self.image(*to)).unwrap();
                } else {
                    fs::write(self.image(*to), bytes).unwrap();
                }
            }
            Step::FlipImage(name, at) => change(&self.image(*name), |bytes| {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= 1;
                }
            }),
            Step::TouchImage(name) => change(&self.image(*name), |_| ()),
            Step::RemoveImage(name) => drop(fs::remove_file(self.image(*name))),
            Step::Tombstone(name) => change(&self.image(*name), Vec::clear),
            Step::AddObject(content) => fs::write(self.object(*content), CONTENTS[*content]).unwrap(),
            Step::RemoveObject(content) => drop(fs::remove_file(self.object(*content))),
            Step::Rubbish(content, empty) => {
                // A new file: one that is cut in its place is found when it is read.
                let place = self.object(*content);
                let _ = fs::remove_file(&place);
                let place = if *empty {
                    place
                } else {
                    place.with_extension("rubbish")
                };
                fs::write(place, b"").unwrap();
            }
            Step::SaveIndexes => self.saved = [true, false].map(|images| fs::read(self.index(images)).ok()),
            Step::RestoreIndexes => {
                for (images, saved) in [true, false].into_iter().zip(self.saved.clone()) {
                    if let Some(saved) = saved {
                        fs::write(self.index(images), saved).unwrap();
                    }
                }
            }
            Step::CutIndex(images, at) => change(&self.index(*images), |bytes| {
                if !bytes.is_empty() {
                    bytes.truncate(at.index(bytes.len()));
                }
            }),
            Step::RemoveIndex(images) => drop(fs::remove_file(self.index(*images))),
        }
    }
}

/// Rewrites a file in its place, if there is one.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    if let Ok(mut bytes) = fs::read(path) {
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }
}

static FROM_INDEX: AtomicU64 = AtomicU64::new(0);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    fn an_index_changes_nothing_but_the_time_it_takes(
        steps in proptest::collection::vec(step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in &steps {
                world.take(step).await;
            }
            let report = served_alike(&world.directories).await;
            FROM_INDEX.fetch_add(report.images_from_index, Ordering::Relaxed);
            FROM_INDEX.fetch_add(report.objects_from_index << 32, Ordering::Relaxed);
        });
    }
}

#[test]
fn whatever_happened_meanwhile_an_index_changes_nothing_but_the_time_it_takes() {
    an_index_changes_nothing_but_the_time_it_takes();
    // Of an index that is never used this would prove nothing.
    let used = FROM_INDEX.load(Ordering::Relaxed);
    assert!(used as u32 > 0 && used >> 32 > 0);
}
