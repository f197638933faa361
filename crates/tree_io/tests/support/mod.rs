//! What the tests share: trees to scan, sinks and sources in memory.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used
)]

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;

use hash::Hash;
use image::{FileSystem, Inode};
use tree_io::error::BoxError;
use tree_io::{Body, Error, FoundObject, ObjectSink, ObjectSource};

/// Keeps every object; counts how often each came.
#[derive(Default)]
pub struct Memory(pub Mutex<HashMap<Hash, (Vec<u8>, usize)>>);

impl ObjectSink for Memory {
    fn put(&self, object: FoundObject) -> Result<(), BoxError> {
        let data = match object.body {
            Body::Bytes(data) => data,
            Body::File(file) => {
                let mut data = Vec::new();
                file.open()?.read_to_end(&mut data)?;
                data
            }
        };
        assert_eq!(data.len() as u64, object.size);
        assert_eq!(hash::of(&data), object.hash);
        self.0.lock().unwrap().entry(object.hash).or_insert((data, 0)).1 += 1;
        Ok(())
    }
}

/// Gives the objects of a [`Memory`] in pieces of odd lengths.
pub struct Pieces<'a>(pub &'a Memory);

impl ObjectSource for Pieces<'_> {
    fn next_object(
        &mut self,
        hash: &Hash,
        _size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let data = self.0.0.lock().unwrap()[hash].0.clone();
        data.chunks(65_537).try_for_each(consume)
    }
}

pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: this test makes devices and changes owners; run it as root");
    }
    root
}

/// Directories, links, hard links, equal files, an empty one and one that does not fit into memory.
pub fn plain_tree(at: &Path) {
    fs::create_dir_all(at.join("usr/bin")).unwrap();
    fs::create_dir_all(at.join("etc/empty")).unwrap();
    fs::create_dir_all(at.join(".subd/objects")).unwrap();
    fs::write(at.join(".subd/objects/x"), "not part of it").unwrap();
    fs::write(at.join("usr/bin/hello"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(at.join("usr/bin/hello"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::hard_link(at.join("usr/bin/hello"), at.join("usr/bin/hello2")).unwrap();
    fs::write(at.join("etc/one"), "the same").unwrap();
    fs::write(at.join("etc/two"), "the same").unwrap();
    fs::write(at.join("etc/nothing"), "").unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7 / 5) as u8).collect();
    fs::write(at.join("usr/large"), &large).unwrap();
    fs::write(at.join("usr/large-again"), &large).unwrap();
    symlink("../etc/one", at.join("usr/link")).unwrap();
}

/// Every path with what it is: inode numbers left out, since they differ between copies; names of one inode together.
pub fn flat(tree: &FileSystem) -> Vec<(String, String, Vec<String>)> {
    let mut names: HashMap<u64, Vec<String>> = HashMap::new();
    let mut all = vec![("/".to_owned(), 0, None)];
    let mut pending = vec![(String::new(), &tree.directory_inode)];
    while let Some((path, directory)) = pending.pop() {
        for entry in &directory.entry_list {
            let child = format!("{path}/{}", entry.name);
            let inode = tree.inode_table.get(entry.inode_number).unwrap();
            if let Inode::Directory(directory) = inode {
                pending.push((child.clone(), directory));
            }
            names.entry(entry.inode_number).or_default().push(child.clone());
            all.push((child, entry.inode_number, Some(inode)));
        }
    }
    let root = &tree.directory_inode;
    let mut flat: Vec<_> = all
        .into_iter()
        .map(|(path, number, inode)| {
            let text = match inode {
                None => format!("{:o} {} {}", root.mode, root.uid, root.gid),
                Some(Inode::Directory(d)) => {
                    let names: Vec<_> = d.entry_list.iter().map(|e| e.name.to_string()).collect();
                    format!("{:o} {} {} {names:?}", d.mode, d.uid, d.gid)
                }
                Some(other) => format!("{other:?}"),
            };
            let mut others = names.get(&number).cloned().unwrap_or_default();
            others.sort();
            (path, text, others)
        })
        .collect();
    flat.sort();
    flat
}
