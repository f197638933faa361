//! Between the snapshot and the index on disk: what may be written there, and what of it may be believed.
//!
//! An image is taken from the index if its file has the stamp it had then, it is not due to expire, and all its objects are
//! there. Everything else is decoded from its file, quarantined images always: they are never in the index.

use super::Shared;
use super::entry::{EntryState, ImageEntry, InodeCounts};
use super::object_list::{ObjectList, Run};
use super::packages::{PackageList, SharedPackage};
use super::snapshot::IndexSnapshot;
use super::stored::{Head, StoredImage, Writer, contradiction, read};
use crate::object_store::{ObjectId, Table};
use hash::Hash;
use std::collections::HashMap;
use std::sync::Arc;
use storage::frame::Refused;
use storage::{ImageFile, Stamp, StorageError};

/// Writes the index of what is published now. Blocks; may run beside everything else.
pub(crate) fn save(shared: &Shared) -> Result<(), StorageError> {
    let clock_ns = shared.directory.clock_ns()?;
    let inode = shared.directory.inode()?;
    let content = encode(
        &shared.snapshot.load_full(),
        inode,
        clock_ns,
        &shared.objects.table,
    );
    shared.directory.write_index(&content)
}

fn encode(snapshot: &IndexSnapshot, directory_inode: u64, clock_ns: i64, table: &Table) -> Vec<u8> {
    let entries: Vec<_> = snapshot
        .images
        .values()
        .filter(|entry| {
            entry.state == EntryState::Present && entry.settled && entry.stamp.is_settled(clock_ns)
        })
        .collect();
    let mut common = Common::default();
    // Of an image that is deleted at this moment objects may have gone; it is left out.
    let known: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| Some((entry, common.add(entry, table)?)))
        .collect();
    let mut writer = Writer::new(&Head {
        directory_inode,
        images: known.len() as u64,
        ..common.head
    });
    for (entry, (runs, packages)) in known {
        writer.push(&to_stored(entry, runs, packages));
    }
    writer.finish()
}

/// Numbers for what images have in common.
#[derive(Default)]
struct Common {
    head: Head,
    objects: HashMap<ObjectId, u32>,
    runs: HashMap<*const (), u32>,
    packages: HashMap<*const image::Package, u32>,
}

impl Common {
    fn add(&mut self, entry: &ImageEntry, table: &Table) -> Option<(Vec<u32>, Vec<u32>)> {
        let runs = entry.objects.runs().iter().map(|run| self.run(run, table));
        let runs = runs.collect::<Option<_>>()?;
        let packages = entry.packages.0.iter().map(|package| self.package(package));
        Some((runs, packages.collect::<Option<_>>()?))
    }

    fn run(&mut self, run: &Run, table: &Table) -> Option<u32> {
        // The snapshot holds on to the run, so no other one can take its address.
        let address = Arc::as_ptr(run).cast();
        if let Some(known) = self.runs.get(&address) {
            return Some(*known);
        }
        let objects = run
            .iter()
            .map(|id| self.object(*id, table))
            .collect::<Option<_>>()?;
        let number = u32::try_from(self.head.runs.len()).ok()?;
        self.head.runs.push(objects);
        self.runs.insert(address, number);
        Some(number)
    }

    fn object(&mut self, id: ObjectId, table: &Table) -> Option<u32> {
        if let Some(known) = self.objects.get(&id) {
            return Some(*known);
        }
        let (hash, _) = table.resolve(id)?;
        let number = u32::try_from(self.objects.len()).ok()?;
        self.head.hashes.extend_from_slice(hash.as_bytes());
        self.objects.insert(id, number);
        Some(number)
    }

    fn package(&mut self, package: &SharedPackage) -> Option<u32> {
        let address = Arc::as_ptr(&package.0);
        if let Some(known) = self.packages.get(&address) {
            return Some(*known);
        }
        let number = u32::try_from(self.head.packages.len()).ok()?;
        self.head.packages.push(image::Package::clone(&package.0));
        self.packages.insert(address, number);
        Some(number)
    }
}

fn to_stored(entry: &ImageEntry, runs: Vec<u32>, packages: Vec<u32>) -> StoredImage {
    let InodeCounts {
        regular,
        regular_bytes,
        computed,
        symlinks,
        special,
        directories,
    } = entry.inodes;
    StoredImage {
        name: entry.name.to_string(),
        file_bytes: entry.stamp.size,
        file_ctime_ns: entry.stamp.ctime_ns,
        file_inode: entry.stamp.inode,
        checksum: entry.checksum,
        metadata: image::Image::clone(&entry.metadata),
        num_regular_inodes: entry.num_regular_inodes,
        total_data_bytes: entry.total_data_bytes,
        usage_estimate: entry.usage_estimate,
        computed_files: entry.computed_files.clone(),
        inodes: [regular, regular_bytes, computed, symlinks, special, directories],
        runs,
        of_tree: entry.objects.of_tree_len() as u64,
        packages,
    }
}

/// The images among `files` that the index knows. They have no references yet: the caller counts them.
pub(super) fn restore(
    shared: &Shared,
    content: &[u8],
    files: &[ImageFile],
) -> Result<Vec<ImageEntry>, Refused> {
    let stamps: HashMap<&str, Stamp> = files
        .iter()
        .map(|file| (file.name.as_str(), file.stamp))
        .collect();
    let inode = shared
        .directory
        .inode()
        .map_err(|error| Refused::Contents(error.to_string()))?;
    let now = shared.clock.now();
    let restoring = read(
        content,
        |head| Restoring::begin(shared, head, inode),
        |restoring, stored| {
            let stamp = Stamp {
                size: stored.file_bytes,
                ctime_ns: stored.file_ctime_ns,
                inode: stored.file_inode,
            };
            let expires_at = stored.metadata.expires_at;
            let due = !expires_at.is_zero() && expires_at <= now;
            if !due && stamps.get(stored.name.as_str()) == Some(&stamp) {
                restoring.image(stored, stamp)?;
            }
            Ok(())
        },
    )?;
    Ok(restoring.entries)
}

struct Restoring<'a> {
    shared: &'a Shared,
    /// `None` if not all of its objects are there.
    runs: Vec<Option<Run>>,
    packages: PackageList,
    entries: Vec<ImageEntry>,
}

impl<'a> Restoring<'a> {
    fn begin(shared: &'a Shared, head: Head, directory_inode: u64) -> Result<Self, Refused> {
        if head.directory_inode != directory_inode {
            return Err(Refused::OtherDirectory);
        }
        let (hashes, rest) = head.hashes.as_chunks::<{ Hash::LENGTH }>();
        if !rest.is_empty() {
            return Err(contradiction("a name of an object is cut short"));
        }
        let table = &shared.objects.table;
        let ids: Vec<_> = hashes.iter().map(|hash| table.id(&Hash(*hash))).collect();
        let mut runs = Vec::with_capacity(head.runs.len());
        let mut run = Vec::new();
        for numbers in &head.runs {
            run.clear();
            for number in numbers {
                let id = ids.get(*number as usize);
                run.extend(id.ok_or_else(|| contradiction("an object that is not there"))?);
            }
            runs.push((run.len() == numbers.len()).then(|| shared.pools.runs.run(&run)));
        }
        Ok(Restoring {
            shared,
            runs,
            packages: shared.pools.packages.list(head.packages),
            entries: Vec::new(),
        })
    }

    /// An entry as decoding the file would give it.
    fn image(&mut self, stored: StoredImage, stamp: Stamp) -> Result<(), Refused> {
        let runs = stored.runs.iter().map(|number| {
            let run = self.runs.get(*number as usize);
            run.ok_or_else(|| contradiction("a run that is not there"))
        });
        let runs: Vec<_> = runs.collect::<Result<_, _>>()?;
        let packages = stored.packages.iter().map(|number| {
            let package = self.packages.0.get(*number as usize).cloned();
            package.ok_or_else(|| contradiction("a package that is not there"))
        });
        let packages = PackageList(packages.collect::<Result<_, _>>()?);
        let Some(runs) = runs.into_iter().cloned().collect::<Option<Arc<[Run]>>>() else {
            return Ok(());
        };
        let of_tree = usize::try_from(stored.of_tree).unwrap_or(usize::MAX);
        let [regular, regular_bytes, computed, symlinks, special, directories] = stored.inodes;
        self.entries.push(ImageEntry {
            name: stored.name.into(),
            metadata: Arc::new(stored.metadata),
            packages,
            checksum: stored.checksum,
            num_regular_inodes: stored.num_regular_inodes,
            total_data_bytes: stored.total_data_bytes,
            usage_estimate: stored.usage_estimate,
            computed_files: stored.computed_files,
            objects: ObjectList::of_runs(runs, of_tree, self.shared.objects.table.clone()),
            inodes: InodeCounts {
                regular,
                regular_bytes,
                computed,
                symlinks,
                special,
                directories,
            },
            state: EntryState::Present,
            stamp,
            // The file was not touched since it was, so it still is.
            settled: true,
            quarantine: None,
        });
        Ok(())
    }
}
