//! What methods answer about objects and inodes, some of it byte by byte, where no other test shows it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use anyhow::Result;
use image::{ComputedRegularInode, DirectoryEntry, DirectoryInode, Inode};
use integration::images::{add, image, object_sizes, store};
use integration::plain_call::{call, connect};
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use protocol::object_server::*;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// GetObjects calls at a time (`imageserver.md §4.3`).
const SLOTS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

fn server() -> Result<(Home, ImageServer)> {
    let home = Home::new()?;
    let server = home.start_insecure(&[])?;
    Ok((home, server))
}

/// The next value of a stream, and nothing behind it.
fn value<T: gob::Gob>(stream: &mut BufReader<TcpStream>, decoder: &mut gob::Decoder) -> Result<T> {
    let mut bytes = Vec::new();
    loop {
        if let gob::Progress::Value { value, .. } = decoder.decode::<T>(&bytes)? {
            return Ok(value);
        }
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
}

fn accepted(server: &ImageServer, method: &str) -> BufReader<TcpStream> {
    let mut stream = connect(server.address()).unwrap();
    let line = format!("{method}\n");
    stream.get_mut().write_all(line.as_bytes()).unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"\n");
    stream
}

#[test]
fn the_end_of_the_stream_is_taken_for_the_end_mark() {
    let (_home, server) = server().unwrap();
    let mut stream = accepted(&server, "ObjectServer.AddObjects");
    let mut bytes = Vec::new();
    let request = AddObjectRequest {
        length: 7,
        expected_hash: None,
    };
    gob::Encoder::new().encode(&request, &mut bytes);
    bytes.extend(b"content");
    stream.get_mut().write_all(&bytes).unwrap();
    stream.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let (answer, _) = gob::from_slice::<AddObjectResponse>(&answer, gob::Limits::default()).unwrap();
    assert!(answer.added && answer.error_string.is_empty(), "{answer:?}");
    assert_eq!(object_sizes(&server, &[hash::of(b"content")]).unwrap(), [7]);
}

#[test]
fn a_request_that_is_none_closes_the_connection_and_keeps_what_came_before() {
    let (_home, server) = server().unwrap();
    let mut stream = accepted(&server, "ObjectServer.AddObjects");
    let mut bytes = Vec::new();
    let request = AddObjectRequest {
        length: 7,
        expected_hash: None,
    };
    gob::Encoder::new().encode(&request, &mut bytes);
    bytes.extend(b"content");
    stream.get_mut().write_all(&bytes).unwrap();
    // Its answer shows that the object is stored.
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let answer: AddObjectResponse = value(&mut stream, &mut decoder).unwrap();
    assert!(answer.added);
    stream.get_mut().write_all(b"\x05garbage and more").unwrap();
    let mut rest = Vec::new();
    // Closed with what it has not read still under way, the connection may end in a reset.
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(object_sizes(&server, &[hash::of(b"content")]).unwrap(), [7]);
}

#[test]
fn after_an_object_that_is_refused_the_stream_and_the_connection_go_on() {
    let (_home, server) = server().unwrap();
    let mut stream = accepted(&server, "ObjectServer.AddObjects");
    let mut encoder = gob::Encoder::new();
    let mut bytes = Vec::new();
    let wrong = hash::of(b"something else");
    for expected_hash in [Some(wrong), None, None] {
        let request = AddObjectRequest {
            length: 7,
            expected_hash,
        };
        encoder.encode(&request, &mut bytes);
        bytes.extend(b"content");
    }
    encoder.encode(&AddObjectRequest::default(), &mut bytes);
    bytes.extend(b"ImageServer.NoSuch\n");
    stream.get_mut().write_all(&bytes).unwrap();
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let answers: Vec<AddObjectResponse> = (0..3)
        .map(|_| value(&mut stream, &mut decoder).unwrap())
        .collect();
    let content = hash::of(b"content");
    assert_eq!(
        answers[0].error_string,
        format!("hash mismatch. Computed={content}, expected={wrong}")
    );
    assert_eq!((answers[0].hash, answers[0].added), (content, false));
    assert_eq!((answers[1].hash, answers[1].added), (content, true));
    assert_eq!((answers[2].hash, answers[2].added), (content, false));
    stream.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ImageServer: unknown method: NoSuch\n");
}

#[test]
fn sizes_come_in_the_order_asked_and_0_is_absent() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"one", b"three"]).unwrap();
    let asked = [b"three".as_slice(), b"none", b"one", b"three"].map(hash::of);
    assert_eq!(object_sizes(&server, &asked).unwrap(), [5, 0, 3, 5]);
    assert!(object_sizes(&server, &[]).unwrap().is_empty());
}

fn get_request(hashes: &[hash::Hash]) -> Vec<u8> {
    let request = GetObjectsRequest {
        exclusive: true,
        hashes: hashes.to_vec(),
    };
    gob::to_vec(&request)
}

#[test]
fn contents_follow_each_other_and_missing_ones_end_the_call_but_not_the_connection() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"one", b"three"]).unwrap();
    let [one, three, a, b] = [b"one".as_slice(), b"three", b"a", b"b"].map(hash::of);
    let mut stream = connect(server.address()).unwrap();
    let mut ask = |hashes: &[hash::Hash], size: usize| {
        stream.get_mut().write_all(b"ObjectServer.GetObjects\n").unwrap();
        stream.get_mut().write_all(&get_request(hashes)).unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"\n");
        let mut decoder = gob::Decoder::new(gob::Limits::default());
        let head: GetObjectsResponse = value(&mut stream, &mut decoder).unwrap();
        let mut contents = vec![0; size];
        stream.read_exact(&mut contents).unwrap();
        (head, String::from_utf8(contents).unwrap())
    };
    let (head, _) = ask(&[one, a], 0);
    assert_eq!(head.response_string, format!("unknown object: {a}"));
    let (head, _) = ask(&[a, one, b], 0);
    assert_eq!(head.response_string, format!("first of 2 unknown objects: {b}"));
    let (head, contents) = ask(&[three, one, three], 13);
    assert_eq!(head.object_sizes, [5, 3, 5]);
    assert_eq!(contents, "threeonethree");
}

#[test]
fn a_hundred_calls_get_objects_at_a_time_and_the_next_one_waits_for_its_turn() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"content"]).unwrap();
    let running = || {
        let (_, text) = server.page("/metrics/get-requests?format=text").unwrap();
        text.trim().parse::<usize>().unwrap()
    };
    let wait_for = |count: usize| {
        let deadline = Instant::now() + PATIENCE;
        while running() != count {
            assert!(Instant::now() < deadline, "{} calls run, not {count}", running());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let mut holders: Vec<_> = (0..SLOTS)
        .map(|_| accepted(&server, "ObjectServer.GetObjects"))
        .collect();
    wait_for(SLOTS);
    let mut waiting = accepted(&server, "ObjectServer.GetObjects");
    waiting
        .get_mut()
        .write_all(&get_request(&[hash::of(b"content")]))
        .unwrap();
    assert_eq!(running(), SLOTS);
    assert!(server.page("/").unwrap().1.contains("100 out of 100"));
    drop(holders.pop());
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let head: GetObjectsResponse = value(&mut waiting, &mut decoder).unwrap();
    assert_eq!(head.object_sizes, [7]);
    drop(holders);
    wait_for(0);
}

/// `/one` and `/again`, the same inode; `/empty`; the computed `/made`; `/sub`, a directory with `/sub/one`, the same inode as
/// well.
fn linked() -> image::Image {
    let mut image = image(&[("one", b"content"), ("empty", b"")]);
    let tree = image.file_system.as_mut().unwrap();
    let entry = |name: &str, inode_number| DirectoryEntry {
        name: name.into(),
        inode_number,
    };
    let directory = DirectoryInode {
        mode: 0o040_755,
        entry_list: vec![entry("one", 1)],
        ..DirectoryInode::default()
    };
    let computed = ComputedRegularInode {
        mode: 0o100_644,
        source: "host:6910".to_owned(),
        ..ComputedRegularInode::default()
    };
    tree.inode_table.insert(3, Inode::Directory(directory));
    tree.inode_table.insert(4, Inode::ComputedRegular(computed));
    let entries = &mut tree.directory_inode.entry_list;
    entries.extend([entry("again", 1), entry("made", 4), entry("sub", 3)]);
    tree.recount();
    image
}

#[test]
fn inodes_are_found_by_path_with_the_number_of_their_names() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"content"]).unwrap();
    add(&server, "linked", linked()).unwrap();
    let ask = |image_name: &str, paths: &[&str]| -> GetImageInodesResponse {
        let request = GetImageInodesRequest {
            image_name: image_name.to_owned(),
            filenames: paths.iter().map(|path| (*path).into()).collect(),
        };
        call(server.address(), "ImageServer.GetImageInodes", &request).unwrap()
    };
    let reply = ask(
        "linked",
        &["/one", "/sub/one", "/sub", "/none", "/", "one", "/sub/"],
    );
    assert!(reply.image_exists && reply.error.is_empty());
    let numbers = reply.inode_numbers.unwrap();
    let numbers: Vec<(String, u64)> = numbers
        .iter()
        .map(|(path, number)| (path.to_string(), *number))
        .collect();
    let expected = [("/one", 1), ("/sub", 3), ("/sub/one", 1)];
    assert_eq!(numbers, expected.map(|(path, number)| (path.to_owned(), number)));
    let (inodes, links) = (reply.inodes.unwrap(), reply.num_links.unwrap());
    assert!(matches!(inodes.get(1), Some(Inode::Regular(inode)) if inode.hash == hash::of(b"content")));
    assert!(matches!(inodes.get(3), Some(Inode::Directory(_))));
    assert_eq!(links.into_iter().collect::<Vec<_>>(), [(1, 3), (3, 1)]);
    // Nothing found is no failure, and the maps are there; so is no image, without them.
    let nothing = ask("linked", &["/none"]);
    assert!(nothing.image_exists && nothing.error.is_empty());
    assert!(nothing.inode_numbers.is_some_and(|found| found.is_empty()));
    assert!(nothing.num_links.is_some_and(|found| found.is_empty()));
    let none = ask("none", &["/one"]);
    assert!(!none.image_exists && none.error.is_empty() && none.inode_numbers.is_none());
}

#[test]
fn what_images_have_in_common_is_counted_once() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"content", b"other content"]).unwrap();
    add(&server, "linked", linked()).unwrap();
    let more: &[(&str, &[u8])] = &[("a", b"content"), ("b", b"other content"), ("c", b"content")];
    add(&server, "more", image(more)).unwrap();
    let ask = |names: &[&str], ignore_missing| -> GetObjectStatisticsForImagesResponse {
        let request = GetObjectStatisticsForImagesRequest {
            ignore_missing,
            image_names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        call(
            server.address(),
            "ImageServer.GetObjectStatisticsForImages",
            &request,
        )
        .unwrap()
    };
    let counted = |reply: GetObjectStatisticsForImagesResponse| {
        assert_eq!(reply.error, "");
        (
            reply.num_images,
            (reply.num_file_inodes, reply.total_file_inode_bytes),
            (reply.num_objects, reply.total_object_bytes),
        )
    };
    assert_eq!(counted(ask(&["linked"], false)), (1, (2, 7), (1, 7)));
    assert_eq!(counted(ask(&["linked", "more"], false)), (2, (5, 34), (2, 20)));
    assert_eq!(counted(ask(&["more", "none"], true)), (1, (3, 27), (2, 20)));
    assert_eq!(counted(ask(&[], false)), (0, (0, 0), (0, 0)));
    assert_eq!(ask(&["more", "none"], false).error, "unknown image: none");
}
