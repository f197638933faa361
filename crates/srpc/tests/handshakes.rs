//! What both sides show and demand before the first call, down to the bytes where they matter.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use common::certificates::{Authority, Wanted, user};
use common::services::{Text, WhoAmI, text};
use common::{PATIENCE, Running};
use openssl::ssl::{NameType, SslAcceptor, SslConnector, SslMethod, SslVerifyMode, SslVersion};
use srpc::tls::ServerTls;
use srpc::{Client, ConnectError, ConnectOptions, Proxy};

const CONNECTED: &[u8] = b"HTTP/1.0 200 Connected to Go SRPC\n\n";

/// Keeps what it read.
#[derive(Debug)]
struct Tap {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.seen.extend_from_slice(&buffer[..length]);
        Ok(length)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A peer of our client: takes one connection after another, notes the line of the request, and goes on as told.
fn peer(
    connections: usize,
    mut go_on: impl FnMut(TcpStream) + Send + 'static,
) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\n\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            lines.push(String::from_utf8(head).unwrap());
            go_on(stream);
        }
        lines
    });
    (address, thread)
}

#[test]
fn a_server_names_the_authorities_it_trusts() {
    let (main, identity) = (Authority::new("main CA"), Authority::new("identity CA"));
    let (certificate, key) = srpc::tls::self_signed().unwrap();
    let one = std::slice::from_ref;
    let tls = ServerTls::new(
        &[certificate],
        &key,
        one(&main.certificate),
        Some(one(&identity.certificate)),
    );
    let running = Running::secure(tls.unwrap());
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"CONNECT /_go_TLS_SRPC_/ HTTP/1.0\n\n").unwrap();
    stream.read_exact(&mut [0; CONNECTED.len()]).unwrap();
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    // There the request for a certificate travels in the clear.
    builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    let connector = builder.build().configure().unwrap().verify_hostname(false);
    let seen = Vec::new();
    let failure = match connector.connect("x", Tap { stream, seen }).unwrap_err() {
        openssl::ssl::HandshakeError::Failure(failure) => failure,
        other => panic!("{other}"),
    };
    for authority in [&main, &identity] {
        let name = authority.certificate.subject_name().to_der().unwrap();
        assert!(contains(&failure.get_ref().seen, &name));
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_say_what_it_is_for_passes() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let wanted = Wanted {
        without_usage: true,
        ..user("u", &["*.*"])
    };
    let credentials = authority.issue(&wanted).credentials();
    let mut client = running.connect(Some(&credentials)).await.unwrap();
    let me: WhoAmI = client.call("Test.Powers", &text("")).await.unwrap();
    assert_eq!((me.username.as_str(), me.have_method_access), ("u", true));
}

#[tokio::test]
async fn what_a_certificate_does_not_say_its_authority_says() {
    let authority = Authority::with_claims("CA", &["Test.Powers"], &["of the CA"]);
    let running = Running::secure(authority.server_tls());
    for (wanted, username, groups) in [
        (user("", &[]), "CA", ["of the CA"]),
        (
            Wanted {
                groups: &["own"],
                ..user("u", &["Test.Other"])
            },
            "u",
            ["own"],
        ),
    ] {
        let credentials = authority.issue(&wanted).credentials();
        let mut client = running.connect(Some(&credentials)).await.unwrap();
        // The methods of both are permitted.
        let me: WhoAmI = client.call("Test.Powers", &text("")).await.unwrap();
        assert_eq!(
            (me.username.as_str(), me.groups.as_slice()),
            (username, &groups.map(String::from)[..])
        );
    }
}

#[tokio::test]
async fn a_client_does_not_look_at_the_certificate_of_the_server() {
    let (authority, stranger) = (Authority::new("CA"), Authority::new("stranger"));
    let expired = stranger.issue(&Wanted {
        validity: (-7200, -3600),
        ..user("another host", &[])
    });
    let tls = ServerTls::new(
        std::slice::from_ref(&expired.certificate),
        &expired.key,
        std::slice::from_ref(&authority.certificate),
        None,
    );
    let running = Running::secure(tls.unwrap());
    let credentials = authority.issue(&user("u", &["*.*"])).credentials();
    let mut client = running.connect(Some(&credentials)).await.unwrap();
    assert_eq!(client.transport_kind(), Some("TLS"));
    client.ping().await.unwrap();
}

#[tokio::test]
async fn a_client_sends_neither_a_host_name_nor_a_list_of_protocols() {
    let authority = Authority::new("CA");
    let issued = authority.issue(&user("server", &[]));
    let named = Arc::new(AtomicBool::new(false));
    let listed = Arc::new(AtomicBool::new(false));
    let (saw_name, saw_list) = (Arc::clone(&named), Arc::clone(&listed));
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_certificate(&issued.certificate).unwrap();
    builder.set_private_key(&issued.key).unwrap();
    builder.set_servername_callback(move |ssl, _| {
        saw_name.store(
            ssl.servername_raw(NameType::HOST_NAME).is_some(),
            Ordering::SeqCst,
        );
        Ok(())
    });
    builder.set_alpn_select_callback(move |_, _| {
        saw_list.store(true, Ordering::SeqCst);
        Err(openssl::ssl::AlpnError::NOACK)
    });
    let acceptor = builder.build();
    let (address, thread) = peer(1, move |mut stream| {
        stream.write_all(CONNECTED).unwrap();
        let mut stream = acceptor.accept(stream).unwrap();
        // A ping.
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(b"\n").unwrap();
    });
    let port = address.rsplit_once(':').unwrap().1;
    let options = ConnectOptions {
        unix_upgrade: false,
        // A name, so that there would be something to send.
        ..ConnectOptions::new(format!("localhost:{port}"))
    };
    let credentials = authority.issue(&user("u", &[])).credentials();
    let mut client = Client::connect(&options.with_tls(Some(credentials)))
        .await
        .unwrap();
    client.ping().await.unwrap();
    thread.join().unwrap();
    assert!(!named.load(Ordering::SeqCst) && !listed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_alert_about_a_bad_certificate_is_told_as_such() {
    let (address, thread) = peer(1, |mut stream| {
        stream.write_all(CONNECTED).unwrap();
        // All of the client's first record: its head tells the length.
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let length = u16::from_be_bytes([head[3], head[4]]);
        stream.read_exact(&mut vec![0; usize::from(length)]).unwrap();
        // Alert, TLS 1.2, two bytes: fatal, bad_certificate.
        stream.write_all(&[0x15, 3, 3, 0, 2, 2, 42]).unwrap();
    });
    let credentials = Authority::new("CA").issue(&user("u", &[])).credentials();
    let options = ConnectOptions::new(address).with_tls(Some(credentials));
    let error = Client::connect(&options).await.err().unwrap();
    assert!(matches!(error, ConnectError::BadCertificate), "{error:?}");
    assert_eq!(error.to_string(), "bad certificate");
    thread.join().unwrap();
}

#[tokio::test]
async fn the_endpoints_are_tried_in_the_specified_order() {
    let credentials = Authority::new("CA").issue(&user("u", &[])).credentials();
    let paths = [
        "/_go_TLS_SRPC_/",
        "/_SRPC_/TLS/JSON",
        "/_goSRPC_/",
        "/_SRPC_/unsecured/JSON",
    ];
    for (credentials, paths) in [(Some(credentials), &paths[..]), (None, &paths[2..])] {
        let (address, thread) = peer(paths.len(), |mut stream| {
            stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n").unwrap();
        });
        let options = ConnectOptions::new(address).with_tls(credentials);
        let error = Client::connect(&options).await.err().unwrap();
        assert!(matches!(error, ConnectError::NoEndpoint), "{error:?}");
        let expected: Vec<String> = paths
            .iter()
            .map(|path| format!("CONNECT {path} HTTP/1.0\n\n"))
            .collect();
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_the_connect_is_given_up() {
    // Nobody accepts, but the kernel does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = ConnectOptions {
        connect_timeout: Duration::from_millis(20),
        ..ConnectOptions::new(listener.local_addr().unwrap().to_string())
    };
    let error = Client::connect(&options).await.err().unwrap();
    assert!(matches!(error, ConnectError::Timeout), "{error:?}");
}

/// The kernel's timer of an established TCP connection from `from` to `to`: its kind and hundredths of a second.
fn timer(from: u16, to: u16) -> Option<(String, u64)> {
    let ends = [format!(":{from:04X}"), format!(":{to:04X}")];
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let found = fields.get(1)?.ends_with(&ends[0]) && fields.get(2)?.ends_with(&ends[1]);
        let (kind, left) = fields.get(5)?.split_once(':')?;
        (found && fields[3] == "01").then(|| (kind.to_owned(), u64::from_str_radix(left, 16).unwrap()))
    })
}

#[tokio::test]
async fn both_ends_keep_the_connection_alive_with_the_period_of_the_reference() {
    const KEEP_ALIVE: &str = "02";
    const PERIOD: u64 = 300 * 100;
    let running = Running::insecure();
    let server = running.address.port();
    let stream = running.raw();
    let mut client = running.connect(None).await.unwrap();
    client.ping().await.unwrap();
    let raw = stream.local_addr().unwrap().port();
    // Of all connections to the server, the one that is not `raw`.
    let ours = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = ours
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_ours = fields.get(2)?.ends_with(&format!(":{server:04X}")) && fields[3] == "01";
            let port = u16::from_str_radix(fields[1].rsplit_once(':')?.1, 16).ok()?;
            (is_ours && port != raw).then_some(port)
        })
        .next()
        .unwrap();
    // The server's end towards a caller that sets nothing, and our client's own end.
    for (from, to) in [(server, raw), (ours, server)] {
        let wait = async {
            loop {
                // What is not yet acknowledged has another timer.
                match timer(from, to) {
                    Some((kind, left)) if kind == KEEP_ALIVE => return left,
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        let left = tokio::time::timeout(PATIENCE, wait).await.unwrap();
        assert!((1..=PERIOD + 1).contains(&left), "{left}");
    }
}

fn take(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn take_port(stream: &mut TcpStream) -> u16 {
    u16::from_be_bytes(take(stream, 2).try_into().unwrap())
}

fn take_address(stream: &mut TcpStream) -> [u8; 4] {
    take(stream, 4).try_into().unwrap()
}

/// Up to a zero.
fn take_word(stream: &mut TcpStream) -> String {
    let mut word = Vec::new();
    loop {
        match take(stream, 1)[0] {
            0 => return String::from_utf8(word).unwrap(),
            byte => word.push(byte),
        }
    }
}

/// What is asked for by RFC 1928, after the first byte.
fn socks5(near: &mut TcpStream, code: u8) -> String {
    let methods = take(near, 1)[0];
    assert!(take(near, methods.into()).contains(&0));
    near.write_all(&[5, 0]).unwrap();
    assert_eq!(take(near, 3), [5, 1, 0]);
    let host = match take(near, 1)[0] {
        1 => Ipv4Addr::from(take_address(near)).to_string(),
        3 => {
            let length = take(near, 1)[0];
            String::from_utf8(take(near, length.into())).unwrap()
        }
        other => panic!("kind of address {other}"),
    };
    let port = take_port(near);
    // It connects from a host with a name.
    near.write_all(&[5, code, 0, 3, 4, b'h', b'o', b's', b't', 0, 9])
        .unwrap();
    format!("5 {host}:{port}")
}

/// The same in SOCKS4 and SOCKS4a.
fn socks4(near: &mut TcpStream, code: u8) -> String {
    assert_eq!(take(near, 1), [1]);
    let port = take_port(near);
    let address = take_address(near);
    assert_eq!(take_word(near), "");
    let host = match address {
        [0, 0, 0, last] if last > 0 => take_word(near),
        _ => Ipv4Addr::from(address).to_string(),
    };
    near.write_all(&[0, code, 0, 0, 0, 0, 0, 0]).unwrap();
    format!("4 {host}:{port}")
}

/// A proxy for one connection, which goes to `target` whatever is asked for; what was asked for. Refuses if there is none.
fn proxy(target: Option<SocketAddr>) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let asked = match take(&mut near, 1)[0] {
            5 => socks5(&mut near, if target.is_some() { 0 } else { 2 }),
            _ => socks4(&mut near, if target.is_some() { 0x5a } else { 0x5b }),
        };
        if let Some(target) = target {
            let mut far = TcpStream::connect(target).unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let upwards = std::thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            let _ = io::copy(&mut far, &mut near);
            upwards.join().unwrap();
        }
        asked
    });
    (port, thread)
}

#[tokio::test]
async fn calls_go_through_the_proxy_that_the_url_names() {
    let running = Running::insecure();
    for (scheme, host, asked) in [
        ("socks", "name.of.nobody", "5 name.of.nobody"),
        ("socks5", "127.0.0.1", "5 127.0.0.1"),
        ("socks4a", "name.of.nobody", "4 name.of.nobody"),
        ("socks4", "127.0.0.1", "4 127.0.0.1"),
        ("socks4", "localhost", "4 127.0.0.1"),
    ] {
        let (port, thread) = proxy(Some(running.address));
        let options = ConnectOptions {
            proxy: Proxy::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap(),
            // The proxy is on this machine; its server would be asked for a socket here.
            unix_upgrade: true,
            ..ConnectOptions::new(format!("{host}:6971"))
        };
        let mut client = Client::connect(&options).await.unwrap();
        let reply = client.call::<Text, Text>("Test.Echo", &text("through")).await;
        assert_eq!(reply.unwrap(), text("through"));
        drop(client);
        assert_eq!(thread.join().unwrap(), format!("{asked}:6971"));
    }
}

#[tokio::test]
async fn a_refusal_of_the_proxy_is_told_in_words() {
    for (scheme, why) in [
        ("socks5", "not allowed by its rules"),
        ("socks4", "request rejected"),
    ] {
        let (port, thread) = proxy(None);
        let options = ConnectOptions {
            proxy: Proxy::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap(),
            ..ConnectOptions::new("127.0.0.1:6971")
        };
        let error = Client::connect(&options).await.err().unwrap().to_string();
        assert_eq!(error, format!("proxy 127.0.0.1:{port}: 127.0.0.1:6971: {why}"));
        thread.join().unwrap();
    }
}
