//! Callers on the same machine move to a Unix socket, or stay.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use common::certificates::{Authority, user};
use common::services::{self, Text, WhoAmI, text};
use common::{PATIENCE, Running};
use gob::{Decoder, Encoder, Gob, Limits, Progress};
use serde::{Deserialize, Serialize};
use srpc::{Client, Coder, ConnectOptions, Policy, UnixSocket};

fn with_socket(socket: UnixSocket) -> Policy {
    Policy {
        unix_socket: socket,
        ..Policy::default()
    }
}

fn abstract_socket(name: &str) -> UnixSocket {
    UnixSocket::parse(&format!("@srpc-test-{name}-{}", std::process::id()))
}

#[tokio::test]
async fn a_caller_on_this_machine_moves_and_keeps_its_identity() {
    let authority = Authority::new("CA");
    let policy = with_socket(abstract_socket("identity"));
    let running = Running::start(services::registry(), Some(authority.server_tls()), policy);
    let credentials = authority.issue(&user("u", &["*.*"])).credentials();
    for coder in [Coder::Gob, Coder::Json] {
        let options = ConnectOptions {
            unix_upgrade: true,
            coder: Some(coder),
            ..running.options(Some(&credentials))
        };
        let mut client = Client::connect(&options).await.unwrap();
        assert_eq!(client.transport_kind(), Some("Unix"));
        for _ in 0..3 {
            let me: WhoAmI = client.call("Test.Powers", &text("")).await.unwrap();
            assert_eq!((me.username.as_str(), me.have_method_access), ("u", true));
        }
        client.ping().await.unwrap();
    }
    let calls = running.server.statistics();
    let upgrades = calls
        .methods
        .iter()
        .find(|method| &*method.name == ".LocalUpgradeToUnix")
        .unwrap();
    assert_eq!(upgrades.successful_call_durations.count, 2);
}

#[tokio::test]
async fn a_socket_file_works_too_and_an_old_one_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    std::fs::write(&path, "old").unwrap();
    let socket = UnixSocket::parse(path.to_str().unwrap());
    assert_eq!(socket, UnixSocket::Path(path));
    let running = Running::start(services::registry(), None, with_socket(socket));
    let options = ConnectOptions {
        unix_upgrade: true,
        ..running.options(None)
    };
    let mut client = Client::connect(&options).await.unwrap();
    assert_eq!(client.transport_kind(), Some("Unix"));
    client.call::<Text, Text>("Test.Echo", &text("x")).await.unwrap();
}

#[tokio::test]
async fn a_caller_stays_on_tcp_when_there_is_no_socket_or_it_cannot_be_made() {
    let unusable = UnixSocket::Path("/nonexistent/directory/socket".into());
    for socket in [UnixSocket::parse(""), unusable] {
        let running = Running::start(services::registry(), None, with_socket(socket));
        let options = ConnectOptions {
            unix_upgrade: true,
            ..running.options(None)
        };
        let mut client = Client::connect(&options).await.unwrap();
        assert_eq!(client.transport_kind(), Some("TCP"));
        client.call::<Text, Text>("Test.Echo", &text("x")).await.unwrap();
    }
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default)]
struct RequestOne {
    client_cookie: Vec<u8>,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default)]
struct ResponseOne {
    error: String,
    server_cookie: Vec<u8>,
    socket_pathname: String,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default)]
struct RequestTwo {
    sent_server_cookie: bool,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default)]
struct ResponseTwo {
    error: String,
}

/// A caller that follows the steps by hand, as far as wanted.
struct Handmade {
    stream: std::net::TcpStream,
    encoder: Encoder,
    decoder: Decoder,
    received: Vec<u8>,
}

impl Handmade {
    fn begin(running: &Running) -> Self {
        let mut stream = running.raw();
        stream.write_all(b".LocalUpgradeToUnix\n").unwrap();
        let mut accepted = [0];
        stream.read_exact(&mut accepted).unwrap();
        assert_eq!(&accepted, b"\n");
        Self {
            stream,
            encoder: Encoder::new(),
            decoder: Decoder::new(Limits::default()),
            received: Vec::new(),
        }
    }

    fn send<T: Gob>(&mut self, value: &T) {
        let mut bytes = Vec::new();
        self.encoder.encode(value, &mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    fn receive<T: Gob>(&mut self) -> T {
        loop {
            if let Progress::Value { value, consumed } = self.decoder.decode(&self.received).unwrap() {
                self.received.drain(..consumed);
                return value;
            }
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            self.received.push(byte[0]);
        }
    }

    fn is_alive(&mut self) {
        self.stream.write_all(b"\n").unwrap();
        let mut answer = [0];
        self.stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"\n");
    }
}

fn connect(name: &str) -> UnixStream {
    let address = SocketAddr::from_abstract_name(name.strip_prefix('@').unwrap()).unwrap();
    let stream = UnixStream::connect_addr(&address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn a_wrong_cookie_gets_nowhere_and_the_caller_stays_on_tcp() {
    let running = Running::start(services::registry(), None, with_socket(abstract_socket("wrong")));
    let mut caller = Handmade::begin(&running);
    caller.send(&RequestOne {
        client_cookie: vec![1; 8],
    });
    let answer: ResponseOne = caller.receive();
    assert_eq!((answer.error.as_str(), answer.server_cookie.len()), ("", 8));
    let mut unix = connect(&answer.socket_pathname);
    unix.write_all(&[0; 8]).unwrap();
    assert_eq!(unix.read(&mut [0]).unwrap(), 0, "closed without a byte");
    caller.send(&RequestTwo {
        sent_server_cookie: true,
    });
    assert_eq!(caller.receive::<ResponseTwo>().error, "cookie not found");
    caller.is_alive();
}

#[test]
fn a_caller_that_could_not_reach_the_socket_stays_on_tcp() {
    let running = Running::start(
        services::registry(),
        None,
        with_socket(abstract_socket("declined")),
    );
    let mut caller = Handmade::begin(&running);
    caller.send(&RequestOne {
        client_cookie: vec![1; 8],
    });
    let answer: ResponseOne = caller.receive();
    caller.send(&RequestTwo {
        sent_server_cookie: false,
    });
    caller.is_alive();
    // The cookie is worth nothing any more.
    let mut unix = connect(&answer.socket_pathname);
    unix.write_all(&answer.server_cookie).unwrap();
    assert_eq!(unix.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_steps_are_the_specified_ones() {
    let running = Running::start(services::registry(), None, with_socket(abstract_socket("steps")));
    let mut caller = Handmade::begin(&running);
    caller.send(&RequestOne {
        client_cookie: (1..=8).collect(),
    });
    let answer: ResponseOne = caller.receive();
    let mut unix = connect(&answer.socket_pathname);
    unix.write_all(&answer.server_cookie).unwrap();
    let mut byte = [1];
    unix.read_exact(&mut byte).unwrap();
    assert_eq!(byte, [0]);
    // A second connection with the same cookie does not replace the first.
    let mut second = connect(&answer.socket_pathname);
    second.write_all(&answer.server_cookie).unwrap();
    assert_eq!(second.read(&mut byte).unwrap(), 0);
    caller.send(&RequestTwo {
        sent_server_cookie: true,
    });
    assert_eq!(caller.receive::<ResponseTwo>().error, "");
    let mut cookie = [0; 8];
    unix.read_exact(&mut cookie).unwrap();
    assert_eq!(cookie, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(
        caller.stream.read(&mut byte).unwrap(),
        0,
        "the TCP connection is closed"
    );
    unix.write_all(b"Nope.Nope\n").unwrap();
    let mut line = [0; 22];
    unix.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"unknown service: Nope\n");
}
