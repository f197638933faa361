//! Small images, and the calls over a plain connection that bring them to a server.

use crate::plain_call::{call, connect};
use crate::server::ImageServer;
use anyhow::{Result, ensure};
use image::{
    Annotation, DirectoryEntry, DirectoryInode, FileSystem, Filter, Image, Inode, InodeTable, Package,
    RegularInode, Trigger, Triggers,
};
use protocol::image_server::*;
use protocol::object_server::*;
use std::io::{Read, Write};
use std::net::Shutdown;

const DIRECTORY_MODE: u32 = 0o040755;
const FILE_MODE: u32 = 0o100644;

/// An image of one directory with these files.
pub fn image(files: &[(&str, &[u8])]) -> Image {
    let inode = |content: &[u8]| {
        Inode::Regular(RegularInode {
            mode: FILE_MODE,
            size: content.len() as u64,
            hash: if content.is_empty() {
                hash::Hash::ZERO
            } else {
                hash::of(content)
            },
            ..RegularInode::default()
        })
    };
    let numbered = || files.iter().zip(1_u64..);
    let inodes: Vec<(u64, Inode)> = numbered()
        .map(|((_, content), number)| (number, inode(content)))
        .collect();
    let entries = numbered().map(|((name, _), inode_number)| DirectoryEntry {
        name: (*name).into(),
        inode_number,
    });
    let mut tree = FileSystem {
        inode_table: InodeTable::from(inodes),
        directory_inode: DirectoryInode {
            entry_list: entries.collect(),
            mode: DIRECTORY_MODE,
            ..DirectoryInode::default()
        },
        ..FileSystem::default()
    };
    tree.recount();
    Image {
        file_system: Some(tree),
        ..Image::default()
    }
}

/// The image with all that can be said about one. `note` is an object that it needs then.
pub fn described(image: Image, note: &[u8]) -> Image {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Image {
        build_branch: "main".to_owned(),
        build_commit_id: "0123abcd".to_owned(),
        build_git_url: "https://git.example.org/images".to_owned(),
        created_for: "carol".to_owned(),
        filter: Some(Filter {
            filter_lines: words(&["/tmp/.*", "/var/log/.*"]),
        }),
        triggers: Some(Triggers {
            triggers: vec![Trigger {
                match_lines: words(&["/etc/ssh/.*"]),
                service: "ssh".to_owned(),
                do_reload: true,
                ..Trigger::default()
            }],
        }),
        release_notes: Some(Annotation {
            object: Some(hash::of(note)),
            url: String::new(),
        }),
        build_log: Some(Annotation {
            object: None,
            url: "https://logs.example.org/7".to_owned(),
        }),
        owner_groups: words(&["users", "staff"]),
        owner_users: words(&["alice", "bob"]),
        packages: vec![Package {
            name: "libc6".to_owned(),
            size: 12_999_680,
            version: "2.36-9+deb12u9".to_owned(),
        }],
        source_image: "base/1".to_owned(),
        tags: [("Name".to_owned(), "base".to_owned())].into(),
        ..image
    }
}

/// Sends the contents and then the image, on connections of their own.
pub fn put(server: &ImageServer, name: &str, files: &[(&str, &[u8])]) -> Result<()> {
    let contents: Vec<&[u8]> = files.iter().map(|(_, content)| *content).collect();
    store(server, &contents)?;
    add(server, name, image(files))
}

/// Stores contents that are not empty; fails if the server refuses one.
pub fn store(server: &ImageServer, contents: &[&[u8]]) -> Result<()> {
    let mut stream = connect(server.address())?;
    let mut bytes = b"ObjectServer.AddObjects\n".to_vec();
    let mut encoder = gob::Encoder::new();
    let sent: Vec<&&[u8]> = contents.iter().filter(|content| !content.is_empty()).collect();
    for content in &sent {
        let request = AddObjectRequest {
            length: content.len() as u64,
            expected_hash: Some(hash::of(content)),
        };
        encoder.encode(&request, &mut bytes);
        bytes.extend_from_slice(content);
    }
    encoder.encode(&AddObjectRequest::default(), &mut bytes);
    stream.get_mut().write_all(&bytes)?;
    stream.get_mut().shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(
        answer.first() == Some(&b'\n'),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let mut rest = &answer[1..];
    for content in sent {
        match decoder.decode::<AddObjectResponse>(rest)? {
            gob::Progress::Value { value, consumed } => {
                ensure!(value.error_string.is_empty(), "{}", value.error_string);
                ensure!(value.hash == hash::of(content), "another object's answer");
                rest = &rest[consumed..];
            }
            gob::Progress::NeedMore { .. } => anyhow::bail!("connection closed instead of an answer"),
        }
    }
    Ok(())
}

pub fn add(server: &ImageServer, name: &str, image: Image) -> Result<()> {
    let request = AddImageRequest {
        image_name: name.to_owned(),
        image: Some(image),
    };
    call::<_, AddImageResponse>(server.address(), "ImageServer.AddImage", &request).map(drop)
}

/// The same, keeping the creator and the time of creation that the image tells.
pub fn add_trusted(server: &ImageServer, name: &str, image: Image) -> Result<()> {
    let request = AddImageRequest {
        image_name: name.to_owned(),
        image: Some(image),
    };
    call::<_, AddImageResponse>(server.address(), "ImageServer.AddImageTrusted", &request).map(drop)
}

pub fn make_directory(server: &ImageServer, name: &str) -> Result<()> {
    let request = MakeDirectoryRequest {
        directory_name: name.to_owned(),
        make_all: false,
    };
    call::<_, MakeDirectoryResponse>(server.address(), "ImageServer.MakeDirectory", &request).map(drop)
}

pub fn delete(server: &ImageServer, name: &str) -> Result<()> {
    let request = DeleteImageRequest {
        image_name: name.to_owned(),
    };
    call::<_, DeleteImageResponse>(server.address(), "ImageServer.DeleteImage", &request).map(drop)
}

/// The image, if it is there.
pub fn get(server: &ImageServer, name: &str) -> Result<Option<Image>> {
    let request = GetImageRequest {
        image_name: name.to_owned(),
        ..GetImageRequest::default()
    };
    let reply: GetImageResponse = call(server.address(), "ImageServer.GetImage", &request)?;
    Ok(reply.image.map(|image| (*image).clone()))
}

/// Sizes, 0 for those that are not there.
pub fn object_sizes(server: &ImageServer, hashes: &[hash::Hash]) -> Result<Vec<u64>> {
    let request = CheckObjectsRequest {
        hashes: hashes.to_vec(),
    };
    let reply: CheckObjectsResponse = call(server.address(), "ObjectServer.CheckObjects", &request)?;
    Ok(reply.object_sizes)
}

/// Names of all images.
pub fn names(server: &ImageServer) -> Result<Vec<String>> {
    let (_, text) = server.page("/listImages?output=text")?;
    Ok(text.lines().map(str::to_owned).collect())
}
