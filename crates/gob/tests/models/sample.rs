//! Images made up from a seed.

use gob::{Time, Zone};

use super::*;

/// A small generator of its own, so that Go and every run see the same values (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Numbers of all sizes, small ones and zero most often.
    pub fn number(&mut self) -> u64 {
        let bits = self.below(65);
        if bits == 0 { 0 } else { self.next() >> (64 - bits) }
    }

    pub fn text(&mut self) -> String {
        let len = self.below(12);
        (0..len)
            .map(|_| char::from_u32(0x20 + self.below(0x300) as u32).unwrap_or('?'))
            .collect()
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        let len = self.below(20);
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    pub fn hash(&mut self) -> Hash {
        Hash(std::array::from_fn(|_| self.next() as u8))
    }

    pub fn time(&mut self) -> Time {
        let zone = match self.below(3) {
            0 => Zone::Utc,
            1 => Zone::Offset(0),
            _ => match self.below(80_000) as i32 - 40_000 {
                // Go cannot encode these.
                -119..=-60 => Zone::Utc,
                seconds => Zone::Offset(seconds),
            },
        };
        if self.flag() {
            Time::ZERO
        } else {
            Time::new(
                self.number() as i32 as i64,
                self.below(1_000_000_000) as u32,
                zone,
            )
        }
    }

    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = self.below(5);
        (0..len).map(|_| item(self)).collect()
    }

    pub fn maybe<T>(&mut self, item: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(item(self)) } else { None }
    }
}

/// A tree like a distribution's: most of `inodes` regular files in directories of about ten, some symlinks.
pub fn distribution(inodes: u64) -> Image {
    let mut random = Random::new(1);
    let mut table = Vec::new();
    let mut bytes = 0;
    for number in 1..=inodes {
        let inode = match number % 20 {
            0 | 1 => Inode::Directory(DirectoryInode {
                entry_list: (2..12)
                    .map(|entry| DirectoryEntry {
                        name: format!("file-name-{entry}.so").into(),
                        inode_number: number + entry,
                    })
                    .collect(),
                mode: 0o40755,
                uid: 0,
                gid: 0,
            }),
            2 | 3 => Inode::Symlink(SymlinkInode {
                uid: 0,
                gid: 0,
                symlink: format!("../lib/target-{number}").into(),
            }),
            _ => {
                let size = random.below(1 << 20);
                bytes += size;
                Inode::Regular(RegularInode {
                    mode: 0o100_644,
                    uid: 0,
                    gid: 0,
                    mtime_nano_seconds: 0,
                    mtime_seconds: 1_700_000_000 + number as i64,
                    size,
                    hash: random.hash(),
                })
            }
        };
        table.push((number, inode));
    }
    let file_system = FileSystem {
        inode_table: InodeTable(table),
        num_regular_inodes: inodes * 8 / 10,
        total_data_bytes: bytes,
        directory_count: inodes / 10,
        directory_inode: DirectoryInode::default(),
    };
    Image {
        created_by: "bench".into(),
        file_system: Some(Box::new(file_system)),
        ..Image::default()
    }
}

/// An image with something, or nothing, in every place.
pub fn image(random: &mut Random) -> Image {
    Image {
        build_branch: random.text(),
        build_commit_id: random.text(),
        build_git_url: random.text(),
        created_by: random.text(),
        created_for: random.text(),
        filter: random.maybe(|random| Filter {
            filter_lines: random.list(Random::text),
        }),
        file_system: random.maybe(|random| Box::new(file_system(random))),
        triggers: random.maybe(|random| Triggers {
            triggers: random.list(trigger),
        }),
        release_notes: random.maybe(annotation),
        build_log: random.maybe(annotation),
        created_on: random.time(),
        expires_at: random.time(),
        owner_groups: random.list(Random::text),
        owner_users: random.list(Random::text),
        packages: random.list(|random| Package {
            name: random.text(),
            size: random.number(),
            version: random.text(),
        }),
        source_image: random.text(),
        tags: random
            .list(|random| (random.text(), random.text()))
            .into_iter()
            .collect(),
    }
}

fn annotation(random: &mut Random) -> Annotation {
    Annotation {
        object: random.maybe(Random::hash),
        url: random.text(),
    }
}

fn trigger(random: &mut Random) -> Trigger {
    Trigger {
        match_lines: random.list(Random::text),
        service: random.text(),
        sort_name: random.text(),
        do_reboot: random.flag(),
        do_reload: random.flag(),
        high_impact: random.flag(),
    }
}

fn directory(random: &mut Random) -> DirectoryInode {
    DirectoryInode {
        entry_list: random.list(|random| DirectoryEntry {
            name: random.bytes().into(),
            inode_number: random.number(),
        }),
        mode: random.number() as u32,
        uid: random.number() as u32,
        gid: random.number() as u32,
    }
}

fn file_system(random: &mut Random) -> FileSystem {
    let inodes = random.below(20);
    let inode_table = (0..inodes).map(|number| (number * 7, inode(random))).collect();
    FileSystem {
        inode_table: InodeTable(inode_table),
        num_regular_inodes: random.number(),
        total_data_bytes: random.number(),
        directory_count: random.number(),
        directory_inode: directory(random),
    }
}

fn inode(random: &mut Random) -> Inode {
    let (mode, uid, gid) = (
        random.number() as u32,
        random.number() as u32,
        random.number() as u32,
    );
    let (mtime_nano_seconds, mtime_seconds) = (random.number() as i32, random.number() as i64);
    match random.below(5) {
        0 => Inode::Regular(RegularInode {
            mode,
            uid,
            gid,
            mtime_nano_seconds,
            mtime_seconds,
            size: random.number(),
            hash: random.hash(),
        }),
        1 => Inode::Computed(ComputedRegularInode {
            mode,
            uid,
            gid,
            source: random.text(),
        }),
        2 => Inode::Symlink(SymlinkInode {
            uid,
            gid,
            symlink: random.bytes().into(),
        }),
        3 => Inode::Special(SpecialInode {
            mode,
            uid,
            gid,
            mtime_nano_seconds,
            mtime_seconds,
            rdev: random.number(),
        }),
        _ => Inode::Directory(directory(random)),
    }
}
