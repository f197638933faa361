//! Whatever a client sends, it gets a clear error, the server goes on serving, nothing is lost, and its memory
//! stays where it was (issue: at most 64 MiB more).

// Helpers of tests: what goes wrong here is a failed test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::Result;
use gob::Gob;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Image, Inode, InodeTable};
use integration::plain_call::{call, connect};
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use protocol::object_server::*;
use std::io::{BufRead, Read, Write};
use std::net::Shutdown;

const MOST_EXTRA_BYTES: u64 = 64 << 20;
const DIRECTORY_MODE: u32 = 0o040755;

/// A server with one directory and one image, which every test must leave as they are.
fn server() -> (Home, ImageServer) {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    make_directory(&server, "d").unwrap();
    add(&server, "d/precious", Some(image(tree(Vec::new(), Vec::new())))).unwrap();
    (home, server)
}

fn make_directory(server: &ImageServer, name: &str) -> Result<()> {
    let request = MakeDirectoryRequest {
        directory_name: name.to_owned(),
        make_all: false,
    };
    call::<_, MakeDirectoryResponse>(server.address(), "ImageServer.MakeDirectory", &request).map(drop)
}

fn add(server: &ImageServer, name: &str, image: Option<Image>) -> Result<()> {
    let request = AddImageRequest {
        image_name: name.to_owned(),
        image,
    };
    call::<_, AddImageResponse>(server.address(), "ImageServer.AddImage", &request).map(drop)
}

fn image(file_system: FileSystem) -> Image {
    Image {
        file_system: Some(file_system),
        ..Image::default()
    }
}

fn directory(entries: Vec<(&str, u64)>) -> DirectoryInode {
    let entry = |(name, inode_number): (&str, u64)| DirectoryEntry {
        name: name.into(),
        inode_number,
    };
    DirectoryInode {
        entry_list: entries.into_iter().map(entry).collect(),
        mode: DIRECTORY_MODE,
        ..Default::default()
    }
}

fn tree(root: Vec<(&str, u64)>, inodes: Vec<(u64, Inode)>) -> FileSystem {
    FileSystem {
        inode_table: InodeTable::from(inodes),
        directory_inode: directory(root),
        ..Default::default()
    }
}

/// The promise at the end of every case: healthy, the image is still there and only it, memory in bounds.
fn assert_unharmed(server: &ImageServer, peak_before: u64) {
    assert_eq!(server.page("/healthz").unwrap().0, 200);
    let (_, images) = server.page("/listImages?output=text").unwrap();
    assert_eq!(images.trim(), "d/precious");
    let extra = server.peak_memory_bytes().unwrap().saturating_sub(peak_before);
    assert!(extra <= MOST_EXTRA_BYTES, "{} MiB more memory", extra >> 20);
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("it was accepted").to_string()
}

#[test]
fn bad_images_are_refused_with_their_cause() {
    let (home, server) = server();
    let before = server.peak_memory_bytes().unwrap();
    assert_eq!(refused(add(&server, "d/none", None)), "nil image");
    assert_eq!(
        refused(add(&server, "d/bare", Some(Image::default()))),
        "nil file-system"
    );
    assert_eq!(
        refused(add(&server, "d/precious", Some(image(tree(vec![], vec![]))))),
        "image already exists"
    );

    let cycle = tree(
        vec![("a", 1)],
        vec![(1, Inode::Directory(directory(vec![("b", 1)])))],
    );
    let nowhere = tree(vec![("a", 7)], vec![]);
    let twice = tree(
        vec![("a", 1), ("b", 1)],
        vec![(1, Inode::Directory(directory(vec![])))],
    );
    let up = tree(vec![("..", 1)], vec![(1, Inode::Directory(directory(vec![])))]);
    let slash = tree(
        vec![("a/../../etc", 1)],
        vec![(1, Inode::Directory(directory(vec![])))],
    );
    let object = Inode::Regular(image::RegularInode {
        mode: 0o100644,
        size: 5,
        hash: hash::of(b"never sent"),
        ..Default::default()
    });
    let absent = tree(vec![("a", 1)], vec![(1, object)]);
    for (what, tree) in [
        ("cycle", cycle),
        ("nowhere", nowhere),
        ("twice", twice),
        ("up", up),
        ("slash", slash),
    ] {
        let error = refused(add(&server, "d/bad", Some(image(tree))));
        assert!(error.len() > 10 && !error.contains("panic"), "{what}: {error}");
    }
    assert!(refused(add(&server, "d/bad", Some(image(absent)))).ends_with("is not available"));
    assert_unharmed(&server, before);
    assert_eq!(
        std::fs::read_dir(home.images().join("d")).unwrap().count(),
        1,
        "only the precious image's file"
    );
}

#[test]
fn names_never_leave_the_root() {
    let (home, server) = server();
    let before = server.peak_memory_bytes().unwrap();
    for name in [
        "../x",
        "/etc/x",
        "d/../../x",
        "",
        ".",
        "..",
        "d/.hidden",
        "d/x~",
        "d//x",
        "d/\0",
        "d/precious/under",
    ] {
        let error = refused(add(&server, name, Some(image(tree(vec![], vec![])))));
        assert!(!error.is_empty(), "{name:?}");
    }
    for name in ["../x", "/etc/x", "d/../../x"] {
        refused(make_directory(&server, name));
    }
    let request = DeleteDirectoryRequest {
        directory_name: "../objects".to_owned(),
    };
    let reply: DeleteDirectoryResponse =
        call(server.address(), "ImageServer.DeleteDirectory", &request).unwrap();
    assert!(!reply.error.is_empty());
    assert!(home.objects().is_dir() && !home.path().join("x").exists());
    assert_unharmed(&server, before);
}

#[test]
fn counts_that_lie_cost_nothing() {
    let (_home, server) = server();
    let before = server.peak_memory_bytes().unwrap();
    let hashes = CheckObjectsRequest {
        hashes: vec![hash::of(b"one")],
    };
    let error = send_with_count(&server, "ObjectServer.CheckObjects", &hashes, 1);
    assert!(!error.is_empty() && error != "\n", "{error:?}");
    assert_unharmed(&server, before);
}

/// Sends a request whose list of `count` elements says it has 2^60, and gives the answer's second line.
fn send_with_count<T: Gob>(server: &ImageServer, method: &str, request: &T, count: u8) -> String {
    let bytes = gob::to_vec(request);
    // The value is the last message: type id, field 1, count, elements.
    let mut start = 0;
    let (mut length, mut prefix) = message_at(&bytes, start);
    while start + prefix + length < bytes.len() {
        start += prefix + length;
        (length, prefix) = message_at(&bytes, start);
    }
    let body = &bytes[start + prefix..];
    let position = body.windows(2).position(|pair| pair == [1, count]).unwrap();
    let mut lie = body[..=position].to_vec();
    lie.extend([0xf8, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    lie.extend(&body[position + 2..]);
    let mut stream = connect(server.address()).unwrap();
    let mut sent = format!("{method}\n").into_bytes();
    sent.extend(&bytes[..start]);
    assert!(lie.len() < 0xff);
    sent.extend([0xff, lie.len() as u8]);
    sent.extend(lie);
    stream.get_mut().write_all(&sent).unwrap();
    stream.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).unwrap();
    assert_eq!(answer, "\n", "the call is accepted");
    answer.clear();
    stream.read_line(&mut answer).unwrap();
    answer
}

fn message_at(bytes: &[u8], start: usize) -> (usize, usize) {
    match bytes[start] {
        0xff => (bytes[start + 1] as usize, 2),
        0xfe => (
            u16::from_be_bytes([bytes[start + 1], bytes[start + 2]]) as usize,
            3,
        ),
        short => (short as usize, 1),
    }
}

#[test]
fn broken_requests_get_an_error_line_or_a_closed_connection() {
    let (_home, server) = server();
    let before = server.peak_memory_bytes().unwrap();
    let whole = gob::to_vec(&CheckImageRequest {
        image_name: "d/precious".to_owned(),
    });
    for cut in 1..whole.len() {
        let mut stream = connect(server.address()).unwrap();
        stream.get_mut().write_all(b"ImageServer.CheckImage\n").unwrap();
        stream.get_mut().write_all(&whole[..cut]).unwrap();
        stream.get_mut().shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with('\n') && !answer.contains("CheckImageResponse"),
            "cut at {cut}: {answer:?}"
        );
    }
    let mut stream = connect(server.address()).unwrap();
    stream
        .get_mut()
        .write_all(b"ImageServer.CheckImage\n\x05\x00\x00\x00\x00\x00")
        .unwrap();
    let mut lines = stream.lines();
    assert_eq!(lines.next().unwrap().unwrap(), "");
    assert!(lines.next().unwrap().unwrap().starts_with("gob: "));
    assert!(server.logs("call failed", 1), "{}", server.log_text());
    assert_unharmed(&server, before);
}

#[test]
fn malformed_and_endless_method_lines_are_refused() {
    let (_home, server) = server();
    let before = server.peak_memory_bytes().unwrap();
    let mut stream = connect(server.address()).unwrap();
    stream
        .get_mut()
        .write_all(b"no dots\nImageServer.A.B\nNobody.Home\nImageServer.Nothing\n\n")
        .unwrap();
    let answers: Vec<String> = stream.by_ref().lines().take(5).map(Result::unwrap).collect();
    assert_eq!(
        answers,
        [
            "malformed Service.Method: no dots",
            "malformed Service.Method: ImageServer.A.B",
            "unknown service: Nobody",
            "ImageServer: unknown method: Nothing",
            "",
        ]
    );
    assert!(server.logs("method line refused", 4), "{}", server.log_text());
    let mut stream = connect(server.address()).unwrap();
    let endless = vec![b'x'; 256 << 20];
    // The server hangs up long before all of it is sent.
    assert!(stream.get_mut().write_all(&endless).is_err());
    assert_unharmed(&server, before);
}
