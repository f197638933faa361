//! The recorded moves of a caller on the same machine to a Unix socket are answered alike, and the session goes on
//! there (`srpc.md` §6).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result};
use image::{DirectoryInode, FileSystem, Image};
use integration::golden::Recording;
use integration::golden::gob_value::GobValues;
use integration::plain_call::call;
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use protocol::logger::GetStackTraceResponse;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::time::Duration;

/// Only a failing test waits so long.
const SILENCE: Duration = Duration::from_secs(20);
const METHOD_LINE: &[u8] = b".LocalUpgradeToUnix\n";
/// What precedes the first value of every answer: the opening, and the line that accepts the call.
const ACCEPTED: &[u8] = b"HTTP/1.0 200 Connected to Go SRPC\n\n\n";
const DIRECTORY_MODE: u32 = 0o040755;

fn recording(name: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden/srpc")
        .join(name);
    Recording::read(&path).unwrap()
}

/// A server with the image that the recorded callers ask for.
fn server(flags: &[&str]) -> (Home, ImageServer) {
    let home = Home::new().unwrap();
    let server = home.start_insecure(flags).unwrap();
    let directory = MakeDirectoryRequest {
        directory_name: "small".to_owned(),
        make_all: false,
    };
    let _: MakeDirectoryResponse = call(server.address(), "ImageServer.MakeDirectory", &directory).unwrap();
    let file_system = FileSystem {
        directory_inode: DirectoryInode {
            mode: DIRECTORY_MODE,
            ..Default::default()
        },
        ..Default::default()
    };
    let image = Image {
        file_system: Some(file_system),
        ..Image::default()
    };
    let image = AddImageRequest {
        image_name: "small/v1".to_owned(),
        image: Some(image),
    };
    let _: AddImageResponse = call(server.address(), "ImageServer.AddImage", &image).unwrap();
    (home, server)
}

/// The first `count` values of one direction of a call, if they are all there, and how many bytes they take.
fn values(bytes: &[u8], is_json: bool, count: usize) -> Option<(Vec<Value>, usize)> {
    let mut values = Vec::new();
    if is_json {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let mut taken = 0;
        for _ in 0..count {
            let line = lines.next().filter(|line| line.ends_with(b"\n"))?;
            values.push(serde_json::from_slice(line).unwrap());
            taken += line.len();
        }
        return Some((values, taken));
    }
    let mut gob = GobValues::new(bytes);
    for _ in 0..count {
        values.push(gob.next_value().ok()?);
    }
    Some((values, gob.consumed()))
}

/// Reads until `count` values are there; nothing may follow them.
fn receive(
    stream: &mut TcpStream,
    is_json: bool,
    received: &mut Vec<u8>,
    count: usize,
) -> Result<Vec<Value>> {
    loop {
        if let Some((values, taken)) = values(received, is_json, count) {
            anyhow::ensure!(taken == received.len(), "more than {count} values");
            return Ok(values);
        }
        let mut buffer = [0; 512];
        let length = stream.read(&mut buffer)?;
        anyhow::ensure!(length > 0, "closed after {received:?}");
        received.extend_from_slice(&buffer[..length]);
    }
}

/// The bytes behind a value: hexadecimal as the judge of gob tells them, base64 in JSON.
fn bytes_of(value: &Value, is_json: bool) -> Vec<u8> {
    if is_json {
        let holder: GetStackTraceResponse = serde_json::from_value(json!({ "Data": value })).unwrap();
        return holder.data;
    }
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn position_after(haystack: &[u8], needle: &[u8]) -> usize {
    let start = haystack.windows(needle.len()).position(|window| window == needle);
    start.unwrap() + needle.len()
}

/// Two calls and a ping in between on what is left of the session.
fn goes_on(unix: &mut UnixStream, is_json: bool) {
    let mut decoded = Vec::new();
    for (name, exists) in [("small/v1", true), ("small/v0", false)] {
        let request = CheckImageRequest {
            image_name: name.to_owned(),
        };
        let mut sent = b"\nImageServer.CheckImage\n".to_vec();
        if is_json {
            sent.extend(format!("{}\n", serde_json::to_string(&request).unwrap()).into_bytes());
        } else {
            sent.extend(gob::to_vec(&request));
        }
        unix.write_all(&sent).unwrap();
        decoded.push((name, exists));
    }
    unix.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    unix.read_to_end(&mut answer).unwrap();
    let mut rest = answer.as_slice();
    for (name, exists) in decoded {
        // The ping's answer, the accepting line, the line before the reply.
        rest = rest.strip_prefix(b"\n\n\n").unwrap();
        let (values, taken) = values(rest, is_json, 1).unwrap();
        let told = values[0].get("ImageExists").and_then(Value::as_bool);
        assert_eq!(told.unwrap_or_default(), exists, "{name}");
        rest = &rest[taken..];
    }
    assert!(rest.is_empty(), "{rest:?}");
}

fn replay_accepted(name: &str, server: &ImageServer) {
    let recording = recording(name);
    let is_json = recording.is_json();
    let start = position_after(&recording.client, METHOD_LINE);
    let (asked, first) = values(&recording.client[start..], is_json, 1).unwrap();
    let client_cookie = bytes_of(&asked[0]["ClientCookie"], is_json);
    let (theirs, taken) = values(&recording.server[ACCEPTED.len()..], is_json, 2).unwrap();
    assert_eq!(ACCEPTED.len() + taken, recording.server.len());

    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    stream.write_all(&recording.client[..start + first]).unwrap();
    let mut accepted = vec![0; ACCEPTED.len()];
    stream.read_exact(&mut accepted).unwrap();
    assert_eq!(accepted, ACCEPTED, "{name}");
    let mut received = Vec::new();
    let ours = receive(&mut stream, is_json, &mut received, 1).unwrap();
    let server_cookie = bytes_of(&ours[0]["ServerCookie"], is_json);
    assert_eq!(
        ours[0]["SocketPathname"],
        format!("@SRPC.{}", server.process_id())
    );
    assert_eq!(
        server_cookie.len(),
        bytes_of(&theirs[0]["ServerCookie"], is_json).len()
    );
    // All that is not of the moment.
    let mut expected = theirs[0].clone();
    for field in ["ServerCookie", "SocketPathname"] {
        expected[field] = ours[0][field].clone();
    }
    assert_eq!(ours[0], expected, "{name}");

    let socket = ours[0]["SocketPathname"]
        .as_str()
        .unwrap()
        .trim_start_matches('@');
    let mut unix = UnixStream::connect_addr(&SocketAddr::from_abstract_name(socket).unwrap()).unwrap();
    unix.set_read_timeout(Some(SILENCE)).unwrap();
    unix.write_all(&server_cookie).unwrap();
    let mut zero = [1];
    unix.read_exact(&mut zero).unwrap();
    assert_eq!(zero, [0]);
    stream.write_all(&recording.client[start + first..]).unwrap();
    let ours = receive(&mut stream, is_json, &mut received, 2).unwrap();
    assert_eq!(ours[1], theirs[1], "{name}");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the TCP connection is closed");
    let mut echoed = vec![0; client_cookie.len()];
    unix.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, client_cookie);
    goes_on(&mut unix, is_json);
}

#[test]
fn an_accepted_upgrade_is_as_recorded_and_the_session_goes_on_on_the_unix_socket() {
    let (_home, server) = server(&[]);
    for name in [
        "LocalUpgradeToUnix.accepted.gob",
        "LocalUpgradeToUnix.accepted.json",
    ] {
        replay_accepted(name, &server);
    }
    let (_, methods) = server.page("/_goSRPC_/listMethods").unwrap();
    assert!(methods.starts_with(".LocalUpgradeToUnix\n"), "{methods}");
}

#[test]
fn an_upgrade_without_socket_is_refused_as_recorded_and_the_caller_stays() {
    let (_home, server) = server(&["-srpcUnixSocketPath="]);
    let recording = recording("LocalUpgradeToUnix.no-socket.gob");
    let ours = recording.replay(server.address()).unwrap();
    let cut = |bytes: &[u8]| -> Result<(Value, Value)> {
        let rest = bytes.strip_prefix(ACCEPTED).context("not accepted")?;
        let (refusal, taken) = values(rest, false, 1).context("no refusal")?;
        let rest = rest[taken..].strip_prefix(b"\n\n").context("no next call")?;
        let (reply, taken) = values(rest, false, 1).context("no reply")?;
        anyhow::ensure!(taken == rest.len(), "more behind the reply");
        Ok((refusal[0].clone(), reply[0].clone()))
    };
    let (ours, theirs) = (cut(&ours).unwrap(), cut(&recording.server).unwrap());
    assert_eq!(theirs.0, json!({ "Error": "no socket" }));
    assert_eq!(ours, theirs);
}
