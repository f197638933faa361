//! The bytes on the wire are those that Go's peers were recorded with.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use common::services::{CheckImageRequest, CheckImageResponse, Text, text};
use common::{PATIENCE, Running, recording};
use srpc::{CallError, Client, Coder, ConnectOptions};

/// What our server answers to the client's recorded bytes.
fn replay_client(name: &str) -> Vec<u8> {
    let running = Running::insecure();
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&recording(name, "client.bin")).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn our_server_sends_go_s_bytes() {
    for name in [
        "connect",
        "ping",
        "error.malformed",
        "error.unknown-method",
        "error.unknown-service",
    ] {
        for coder in ["gob", "json"] {
            let name = format!("{name}.{coder}");
            assert_eq!(
                String::from_utf8_lossy(&replay_client(&name)),
                String::from_utf8_lossy(&recording(&name, "server.bin")),
                "{name}"
            );
        }
    }
    let name = "ImageServer.CheckImage.json";
    assert_eq!(replay_client(name), recording(name, "server.bin"));
}

#[test]
fn our_server_answers_a_go_client_s_gob_call() {
    // Type ids are the sender's choice: the same up to them.
    let answer = replay_client("ImageServer.CheckImage.gob");
    let head = b"HTTP/1.0 200 Connected to Go SRPC\n\n\n\n";
    assert_eq!(&answer[..head.len()], head);
    let (reply, consumed) =
        gob::from_slice::<CheckImageResponse>(&answer[head.len()..], gob::Limits::default()).unwrap();
    assert_eq!((reply.image_exists, head.len() + consumed), (true, answer.len()));
}

#[test]
fn our_server_without_a_socket_refuses_the_upgrade_and_goes_on() {
    let answer = replay_client("LocalUpgradeToUnix.no-socket.gob");
    let recorded = recording("LocalUpgradeToUnix.no-socket.gob", "server.bin");
    // All but the type ids of the second call is the same.
    assert_eq!(answer.len(), recorded.len() - 1);
    assert_eq!(answer[..0x8c + 1], recorded[..0x8c + 1]);
}

/// A peer that plays the server's recorded bytes; returns what our client sent.
fn replay_server(name: &str, use_client: impl AsyncFnOnce(Client)) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (recorded, head) = (recording(name, "server.bin"), 35);
    let peer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut sent = Vec::new();
        let mut byte = [0];
        while !sent.ends_with(b"\n\n") {
            stream.read_exact(&mut byte).unwrap();
            sent.push(byte[0]);
        }
        stream.write_all(&recorded[..head]).unwrap();
        stream.write_all(&recorded[head..]).unwrap();
        stream.read_to_end(&mut sent).unwrap();
        sent
    });
    let coder = if name.ends_with("json") {
        Coder::Json
    } else {
        Coder::Gob
    };
    let options = ConnectOptions {
        coder: Some(coder),
        unix_upgrade: false,
        ..ConnectOptions::new(address.to_string())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::connect(&options).await.unwrap();
        use_client(client).await;
    });
    drop(runtime);
    peer.join().unwrap()
}

#[test]
fn our_client_sends_go_s_bytes() {
    for coder in ["gob", "json"] {
        let name = format!("connect.{coder}");
        assert_eq!(
            replay_server(&name, async |_client| {}),
            recording(&name, "client.bin"),
            "{name}"
        );
        let name = format!("ping.{coder}");
        let ping = async |mut client: Client| client.ping().await.unwrap();
        assert_eq!(
            replay_server(&name, ping),
            recording(&name, "client.bin"),
            "{name}"
        );
        for (name, method, expected) in [
            (
                "error.malformed",
                "Malformed",
                "malformed Service.Method: Malformed",
            ),
            (
                "error.unknown-method",
                "ImageServer.Nope",
                "ImageServer: unknown method: Nope",
            ),
            ("error.unknown-service", "Nope.Nope", "unknown service: Nope"),
        ] {
            let name = format!("{name}.{coder}");
            let call = async |mut client: Client| {
                let error = client.call::<Text, Text>(method, &text("")).await.unwrap_err();
                assert!(
                    matches!(&error, CallError::Remote(text) if text == expected),
                    "{error}"
                );
                assert!(client.is_usable());
            };
            assert_eq!(
                replay_server(&name, call),
                recording(&name, "client.bin"),
                "{name}"
            );
        }
    }
}

#[test]
fn our_client_makes_a_go_client_s_call() {
    for coder in ["gob", "json"] {
        let name = format!("ImageServer.CheckImage.{coder}");
        let call = async |mut client: Client| {
            let request = CheckImageRequest {
                image_name: "small/v1".into(),
            };
            let reply: CheckImageResponse = client.call("ImageServer.CheckImage", &request).await.unwrap();
            assert!(reply.image_exists);
        };
        let sent = replay_server(&name, call);
        // A first type has the same id as in Go.
        assert_eq!(sent, recording(&name, "client.bin"), "{name}");
    }
}
