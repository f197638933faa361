//! What reading and writing archives promise.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::Cursor;

use image::{FileSystem, Inode};
use proptest::prelude::*;
use support::{Memory, Pieces, flat, is_root, plain_tree};
use tree_io::tar_in::tar_gz_in;
use tree_io::tar_out::tar_gz_out;
use tree_io::{Cancel, Error, NoSink, Progress, ScanOptions, scan, tar_in, tar_out};

fn packed(tree: &FileSystem, objects: &Memory) -> Vec<u8> {
    let mut out = Vec::new();
    tar_out(
        tree,
        &mut Pieces(objects),
        &mut out,
        &Cancel::default(),
        &Progress::default(),
    )
    .unwrap();
    out
}

fn read(archive: &[u8]) -> Result<(FileSystem, Memory), Error> {
    let sink = Memory::default();
    let (tree, _) = tar_in(Cursor::new(archive), &ScanOptions::default(), &sink)?;
    Ok((tree, sink))
}

/// One member as any tar program writes it.
fn member(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_ustar_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(1);
    header.set_gid(2);
    header.set_mtime(1_700_000_000);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// A header with one record for the member behind it.
fn pax(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest..)
        .find(|length| rest + length.to_string().len() == *length)
        .unwrap();
    let record = [format!("{length} {key}=").as_bytes(), value, b"\n"].concat();
    member("pax", b'x', "", &record)
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    let mut out = members.concat();
    out.extend_from_slice(&[0; 1024]);
    out
}

#[test]
fn what_goes_in_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    plain_tree(dir.path());
    let sink = Memory::default();
    let (tree, _) = scan(dir.path(), &ScanOptions::default(), &sink).unwrap();
    let once = packed(&tree, &sink);
    let (again, objects) = read(&once).unwrap();
    assert_eq!(
        packed(&again, &objects),
        once,
        "the same tree gives the same bytes"
    );
    assert_eq!(objects.0.lock().unwrap().len(), 3);
    let numbers: Vec<u64> = again.inode_table.iter().map(|(number, _)| number).collect();
    assert_eq!(
        numbers,
        (1..=numbers.len() as u64).collect::<Vec<_>>(),
        "numbered from 1"
    );
    let mut compressed = Vec::new();
    tar_gz_out(
        &tree,
        &mut Pieces(&sink),
        &mut compressed,
        &Cancel::default(),
        &Progress::default(),
    )
    .unwrap();
    let (unzipped, _) = tar_gz_in(Cursor::new(compressed), &ScanOptions::default(), &NoSink).unwrap();
    assert_eq!(flat(&unzipped), flat(&again));
}

#[test]
fn other_programs_read_what_is_written() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    plain_tree(&from);
    let long = "d".repeat(120);
    fs::create_dir_all(from.join(&long).join(&long)).unwrap();
    fs::write(from.join(&long).join(&long).join("f".repeat(200)), "long").unwrap();
    fs::write(from.join("ümlaut"), "x").unwrap();
    let sink = Memory::default();
    let (tree, _) = scan(&from, &ScanOptions::default(), &sink).unwrap();
    let to = dir.path().join("to");
    fs::create_dir(&to).unwrap();
    fs::write(dir.path().join("out.tar"), packed(&tree, &sink)).unwrap();
    let status = std::process::Command::new("tar")
        .args(["--numeric-owner", "-xpf"])
        .arg(dir.path().join("out.tar"))
        .arg("-C")
        .arg(&to)
        .status()
        .unwrap();
    assert!(status.success());
    let times_apart = |tree: &FileSystem| {
        let mut tree = tree.clone();
        for (_, inode) in tree.inode_table.iter_mut() {
            if let Inode::Regular(inode) = inode {
                (inode.mtime_seconds, inode.mtime_nano_seconds) = (0, 0);
            }
        }
        flat(&tree)
    };
    let (unpacked, _) = scan(&to, &ScanOptions::default(), &NoSink).unwrap();
    assert_eq!(times_apart(&unpacked), times_apart(&tree));
}

#[test]
fn names_are_brought_inside() {
    let (tree, _) = read(&archive(&[
        member("../../etc/", b'5', "", b""),
        member("/etc/../etc/./shadow", b'0', "", b"x"),
        member("etc/again", b'1', "../etc/shadow", b""),
    ]))
    .unwrap();
    let paths: Vec<_> = flat(&tree).into_iter().map(|(path, _, _)| path).collect();
    assert_eq!(paths, ["/", "/etc", "/etc/again", "/etc/shadow"]);
    assert_eq!(tree.directory_inode.mode, 0o040_755);
}

#[test]
fn hostile_archives_get_clear_errors() {
    let huge = {
        let mut header = member("x", b'0', "", b"");
        header[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header[..512].iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            archive(&[member("a/b", b'0', "", b"x")]),
            "no parent directory found for: /a/b",
        ),
        (
            archive(&[member("a", b'0', "", b"x"), member("a/b", b'0', "", b"x")]),
            "no parent directory found for: /a/b",
        ),
        (
            archive(&[member("a", b'1', "b", b"")]),
            "/a: hard link to /b, which is not an earlier file",
        ),
        (
            archive(&[member("d", b'5', "", b""), member("a", b'1', "d", b"")]),
            "/a: hard link to /d",
        ),
        (
            archive(&[member("d", b'5', "", b""), member("d", b'0', "", b"")]),
            "/d: is both a directory and something",
        ),
        (
            archive(&[member("a", b'V', "", b"")]),
            "unsupported file type: V: a",
        ),
        (
            archive(&[member("a", b'S', "", b"")]),
            "unsupported file type: S: a (a sparse file",
        ),
        (
            archive(&[member("./", b'0', "", b"x")])[..900].to_vec(),
            "bad archive: ends in the middle",
        ),
        (vec![b'x'; 512], "bad archive: unreadable checksum"),
        (huge, "read /x: ends in the middle of a member"),
        (
            b"too short".to_vec(),
            "bad archive: ends in the middle of a header",
        ),
        (
            member("x", b'L', "", &vec![b'x'; 2 << 20]),
            "bad archive: extended header of 2097152 bytes",
        ),
        (
            archive(&[pax("path", &b"a/".repeat(400_000)), member("x", b'5', "", b"")]),
            "bad tree: /a/a/",
        ),
        (
            archive(&[pax("linkpath", b"a\0b"), member("l", b'2', "", b"")]),
            "bad tree: /l: target of the link contains a zero byte",
        ),
        (
            archive(&[pax("linkpath", &[b'a'; 5000]), member("l", b'2', "", b"")]),
            "bad tree: /l: target of the link longer",
        ),
    ];
    for (archive, expected) in cases {
        let text = read(&archive).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(text.starts_with(expected), "{text:?} instead of {expected:?}");
    }
}

#[test]
fn a_tree_from_an_archive_is_as_deep_as_a_tree_may_be() {
    let nested = |depth: usize| {
        let members = (1..=depth).flat_map(|depth| {
            let path = b"/a".repeat(depth);
            [pax("path", &path), member("x", b'5', "", b"")]
        });
        read(&archive(&members.collect::<Vec<_>>()))
    };
    let (tree, _) = nested(2047).unwrap();
    tree.check().unwrap();
    assert!(matches!(nested(2048), Err(Error::TooDeep(_))));
}

#[test]
fn a_later_member_replaces_an_earlier_one() {
    let (tree, _) = read(&archive(&[
        member("a", b'0', "", b"first"),
        member("b", b'1', "a", b""),
        member("a", b'0', "", b"second"),
        member("c", b'2', "x", b""),
        member("c", b'2', "y", b""),
    ]))
    .unwrap();
    assert_eq!(tree.inode_table.len(), 3);
    assert_eq!(tree.directory_inode.entry_list.len(), 3);
    tree.check().unwrap();
}

#[test]
fn a_hundred_thousand_members_are_no_trouble() {
    let mut members = Vec::new();
    for index in 0..100_000 {
        members.push(member(&format!("f{index}"), b'0', "", b""));
    }
    let (tree, _) = read(&archive(&members)).unwrap();
    assert_eq!(tree.inode_table.len(), 100_000);
}

proptest! {
    #[test]
    fn any_tree_survives_an_archive(
        files in prop::collection::btree_map("[a-z]{1,3}(/[a-zé ]{1,90}){0,4}", (prop::collection::vec(any::<u8>(), 0..600), 0u32..0o10000, any::<u32>(), 0i64..1 << 34), 0..20)
    ) {
        let mut members = Vec::new();
        let mut made = std::collections::BTreeSet::new();
        let objects = Memory::default();
        let mut builder = tar::Builder::new(&mut members);
        for (path, (content, mode, owner, time)) in &files {
            let mut parts: Vec<&str> = path.split('/').collect();
            let name = parts.pop().unwrap();
            let mut here = String::new();
            let mut blocked = false;
            for part in parts {
                here += part;
                blocked |= files.contains_key(&here);
                here += "/";
                if !blocked && made.insert(here.clone()) {
                    let mut header = tar::Header::new_gnu();
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(0o755);
                    header.set_size(0);
                    builder.append_data(&mut header, &here, &[][..]).unwrap();
                }
            }
            let full = format!("{here}{name}");
            if blocked || made.contains(&format!("{full}/")) {
                continue;
            }
            let mut header = tar::Header::new_gnu();
            header.set_mode(*mode);
            header.set_uid(u64::from(*owner));
            header.set_gid(u64::from(owner / 2));
            header.set_mtime(u64::try_from(*time).unwrap());
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, full, &content[..]).unwrap();
        }
        builder.finish().unwrap();
        drop(builder);
        drop(objects);
        let (tree, objects) = read(&members).unwrap();
        tree.check().unwrap();
        let archive = packed(&tree, &objects);
        let (again, others) = read(&archive).unwrap();
        prop_assert_eq!(flat(&again), flat(&tree));
        prop_assert_eq!(packed(&again, &others), archive);
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..4000), at in 0usize..3000) {
        let _ = read(&noise);
        let mut damaged = archive(&[member("d", b'5', "", b""), member("d/a", b'0', "", b"content"), member("d/b", b'1', "d/a", b"")]);
        for (to, from) in damaged[at.min(noise.len())..].iter_mut().zip(&noise) {
            *to ^= from;
        }
        let _ = read(&damaged);
    }
}
