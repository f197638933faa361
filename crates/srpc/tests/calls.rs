//! Calls of both kinds, and what goes wrong with them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use common::services::{Length, Text, text};
use common::{Running, certificates::Authority, certificates::user};
use srpc::{CallError, Client, Coder, ConnectOptions};

fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match stream.read(&mut byte).unwrap() {
            0 => panic!("end of stream after {line:?}"),
            _ if byte == *b"\n" => return String::from_utf8(line).unwrap(),
            _ => line.push(byte[0]),
        }
    }
}

async fn each_coding(running: &Running) -> Vec<Client> {
    let mut clients = Vec::new();
    for coder in [Coder::Gob, Coder::Json] {
        let options = ConnectOptions {
            coder: Some(coder),
            ..running.options(None)
        };
        clients.push(Client::connect(&options).await.unwrap());
    }
    clients
}

#[tokio::test]
async fn a_connection_carries_any_number_of_calls() {
    let running = Running::insecure();
    for mut client in each_coding(&running).await {
        for round in 0..100 {
            let request = text(&format!("<{round}> & \u{2028}"));
            assert_eq!(
                client.call::<Text, Text>("Test.Echo", &request).await.unwrap(),
                request
            );
        }
        client.ping().await.unwrap();
    }
}

#[tokio::test]
async fn an_error_is_one_line_and_the_connection_goes_on() {
    let running = Running::insecure();
    for mut client in each_coding(&running).await {
        let error = client
            .call::<Text, Text>("Test.Echo", &text("fail two\nlines"))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, CallError::Remote(text) if text == "two lines"),
            "{error}"
        );
        client.call::<Text, Text>("Test.Echo", &text("x")).await.unwrap();
    }
}

#[tokio::test]
async fn a_large_value_arrives_whole() {
    let running = Running::insecure();
    for mut client in each_coding(&running).await {
        let request = text(&"0123456789abcdef".repeat(1 << 18));
        assert_eq!(
            client.call::<Text, Text>("Test.Echo", &request).await.unwrap(),
            request
        );
        client.ping().await.unwrap();
    }
}

#[test]
fn refusals_have_the_specified_texts() {
    let running = Running::insecure();
    let mut stream = running.raw();
    for (line, answer) in [
        ("NoDot", "malformed Service.Method: NoDot"),
        ("a.b.c", "malformed Service.Method: a.b.c"),
        ("  spaces around \t\r", "malformed Service.Method: spaces around"),
        ("Nope.Nope", "unknown service: Nope"),
        ("Test.Nope", "Test: unknown method: Nope"),
        (".Nope", ": unknown method: Nope"),
        ("\r", ""),
        ("", ""),
    ] {
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        assert_eq!(read_line(&mut stream), answer, "{line:?}");
    }
}

#[test]
fn an_overlong_method_line_ends_the_connection() {
    let running = Running::insecure();
    let mut stream = running.raw();
    // What is not read by the server may turn its close into a reset, after the text.
    stream
        .write_all(&vec![b'x'; srpc::server::METHOD_LINE_MAX_BYTES + 1])
        .unwrap();
    assert_eq!(read_line(&mut stream), "line longer than 4096 bytes");
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    running.raw();
}

#[test]
fn garbage_for_a_request_is_answered_and_the_connection_goes_on() {
    let running = Running::insecure();
    let mut stream = running.raw();
    stream.write_all(b"Test.Echo\n").unwrap();
    assert_eq!(read_line(&mut stream), "");
    // A value of type 65, which nobody has defined.
    stream.write_all(&[4, 0xff, 0x82, 1, 0]).unwrap();
    assert_eq!(read_line(&mut stream), "gob: unknown type id or corrupted data");
    stream.write_all(b"\n").unwrap();
    assert_eq!(read_line(&mut stream), "");
}

#[test]
fn a_truncated_request_ends_that_connection_only() {
    let running = Running::insecure();
    let mut stream = running.raw();
    stream.write_all(b"Test.Echo\n").unwrap();
    assert_eq!(read_line(&mut stream), "");
    stream.write_all(&gob::to_vec(&text("some text"))[..5]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_line(&mut stream), "unexpected EOF");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    running.raw();
}

#[test]
fn a_caller_that_closed_its_sending_side_gets_its_answers() {
    let running = Running::insecure();
    for (path, value, end) in [
        ("/_goSRPC_/", gob::to_vec(&Length { length: 3 }), vec![]),
        (
            "/_SRPC_/unsecured/JSON",
            b"{\"Length\":3}\n".to_vec(),
            b"{\"Length\":0}\n".to_vec(),
        ),
    ] {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.set_read_timeout(Some(common::PATIENCE)).unwrap();
        let mut all = format!("CONNECT {path} HTTP/1.0\n\nTest.Mirror\n").into_bytes();
        all.extend(value);
        all.extend(b"abc");
        all.extend(end);
        stream.write_all(&all).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains("abc"), "{path} {answer:?}");
    }
}

#[tokio::test]
async fn an_oversized_message_is_refused_before_it_is_read() {
    let running = Running::insecure();
    let mut stream = running.raw();
    stream.write_all(b"Test.Echo\n").unwrap();
    assert_eq!(read_line(&mut stream), "");
    // A message of 1 TiB.
    stream.write_all(&[0xfa, 1, 0, 0, 0, 0, 0]).unwrap();
    assert!(read_line(&mut stream).contains("limit"));
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_panic_ends_its_connection_only_and_is_counted() {
    let running = Running::insecure();
    let (mut doomed, mut other) = (
        running.connect(None).await.unwrap(),
        running.connect(None).await.unwrap(),
    );
    let error = doomed
        .call::<Text, Text>("Test.Panic", &text("now"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "EOF");
    assert!(!doomed.is_usable());
    assert_eq!(
        doomed.ping().await.unwrap_err().to_string(),
        "connection is closed: connect again"
    );
    other.ping().await.unwrap();
    let statistics = running.server.statistics();
    assert_eq!((statistics.panics, statistics.running_methods), (1, 0));
}

#[tokio::test]
async fn a_failing_raw_method_closes_without_a_word() {
    let running = Running::insecure();
    let mut client = running.connect(None).await.unwrap();
    let mut stream = client.open("Test.FailRaw").await.unwrap();
    assert_eq!(stream.read_line(100).await.unwrap(), None);
}

#[tokio::test]
async fn values_and_raw_bytes_follow_each_other_and_the_next_call_works() {
    let running = Running::insecure();
    for mut client in each_coding(&running).await {
        for _ in 0..2 {
            let mut stream = client.open("Test.Mirror").await.unwrap();
            for length in [1_u64, 10, 4095, 65_536, 3_000_001] {
                // Line ends first: in JSON they must not be taken for the end of the value.
                let data: Vec<u8> = (0..length)
                    .map(|at| if at < 3 { b'\n' } else { (at % 251) as u8 })
                    .collect();
                stream.write_value(&Length { length }).await.unwrap();
                stream.write_raw(&data).await.unwrap();
                stream.flush().await.unwrap();
                assert_eq!(stream.read_value::<Length>().await.unwrap().length, length);
                let mut answer = vec![0; data.len()];
                stream.read_exact(&mut answer).await.unwrap();
                assert!(answer == data, "{length}");
            }
            stream.write_value(&Length { length: 0 }).await.unwrap();
            stream.flush().await.unwrap();
            assert_eq!(stream.read_value::<Length>().await.unwrap().length, 0);
            stream.finish().await.unwrap();
            client
                .call::<Text, Text>("Test.Echo", &text("next"))
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn lines_are_read_to_the_empty_one() {
    let running = Running::insecure();
    let mut client = running.connect(None).await.unwrap();
    let mut stream = client.open("Test.Lines").await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = stream
        .read_line(1000)
        .await
        .unwrap()
        .filter(|line| !line.is_empty())
    {
        lines.push(line);
    }
    assert_eq!(lines, ["a/b/1", "a/b/2"]);
    stream.finish().await.unwrap();
    client.ping().await.unwrap();
}

#[tokio::test]
async fn an_abandoned_stream_closes_the_connection() {
    let running = Running::insecure();
    let mut client = running.connect(None).await.unwrap();
    let mut stream = client.open("Test.Subscribe").await.unwrap();
    assert_eq!(stream.read_value::<Text>().await.unwrap(), text("begun"));
    drop(stream);
    assert!(!client.is_usable());
    while running.server.statistics().running_methods > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_peers_that_both_send_do_not_wait_for_each_other() {
    let running = Running::insecure();
    let mut client = running.connect(None).await.unwrap();
    let mut stream = client.open("Test.Mirror").await.unwrap();
    let (length, rounds) = (100_000_u64, 35);
    // More than all socket buffers hold, before anything is read; less than may be read ahead.
    for _ in 0..rounds {
        stream.write_value(&Length { length }).await.unwrap();
        stream.write_raw(&vec![7; 100_000]).await.unwrap();
        stream.flush().await.unwrap();
    }
    for _ in 0..rounds {
        assert_eq!(stream.read_value::<Length>().await.unwrap().length, length);
        let mut answer = vec![0; 100_000];
        stream.read_exact(&mut answer).await.unwrap();
    }
    assert!(stream.try_read_value::<Length>().unwrap().is_none());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let running = Running::start(common::services::waiting_registry(&go), None, common::no_socket());
    let mut client = running.connect(None).await.unwrap();
    let limit = Some(std::time::Duration::from_millis(10));
    let error = client
        .call_within::<Text, Text>("Test.Wait", &text(""), limit)
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error}");
    go.notify_one();
}

#[tokio::test]
async fn a_message_that_stands_still_ends_the_connection_and_an_idle_one_does_not() {
    let policy = srpc::Policy {
        stall_timeout: std::time::Duration::from_millis(50),
        ..common::no_socket()
    };
    let running = Running::start(common::services::registry(), None, policy);
    let (mut idle, mut stalled) = (running.raw(), running.raw());
    stalled.write_all(b"Test.Echo\n").unwrap();
    assert_eq!(read_line(&mut stalled), "");
    stalled.write_all(&[40, 0x7f]).unwrap();
    assert!(read_line(&mut stalled).starts_with("stalled"));
    assert_eq!(stalled.read(&mut [0]).unwrap(), 0);
    idle.write_all(b"\n").unwrap();
    assert_eq!(read_line(&mut idle), "");
}

#[tokio::test]
async fn bulk_bytes_travel_through_tls() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let credentials = authority.issue(&user("u", &["*.*"])).credentials();
    let mut client = running.connect(Some(&credentials)).await.unwrap();
    assert_eq!(client.transport_kind(), Some("TLS"));
    let mut stream = client.open("Test.Mirror").await.unwrap();
    let data: Vec<u8> = (0..2_000_003_u32).map(|at| (at % 253) as u8).collect();
    stream
        .write_value(&Length {
            length: data.len() as u64,
        })
        .await
        .unwrap();
    stream.write_raw(&data).await.unwrap();
    stream.flush().await.unwrap();
    stream.read_value::<Length>().await.unwrap();
    let mut answer = Vec::new();
    while answer.len() < data.len() {
        let left = (data.len() - answer.len()) as u64;
        assert!(stream.read_raw_into(&mut answer, left).await.unwrap() > 0);
    }
    assert!(answer == data);
}

#[tokio::test]
async fn both_halves_work_side_by_side() {
    let authority = Authority::new("CA");
    let secure = Running::secure(authority.server_tls());
    let insecure = Running::insecure();
    let credentials = authority.issue(&user("u", &["*.*"])).credentials();
    for mut client in [
        secure.connect(Some(&credentials)).await.unwrap(),
        insecure.connect(None).await.unwrap(),
    ] {
        let mut stream = client.open("Test.Mirror").await.unwrap();
        let (reader, writer) = stream.split();
        // More than may be read ahead.
        let (length, rounds) = (1_000_000_u64, 12);
        let write = async {
            let data = vec![7; 1_000_000];
            for _ in 0..rounds {
                writer.write_value(&Length { length }).await.unwrap();
                writer.write_raw(&data).await.unwrap();
            }
            writer.write_value(&Length { length: 0 }).await.unwrap();
            writer.flush().await.unwrap();
        };
        let read = async {
            let mut bytes = 0;
            loop {
                let mut left = usize::try_from(reader.read_value::<Length>().await.unwrap().length).unwrap();
                if left == 0 {
                    return bytes;
                }
                while left > 0 {
                    let seen = reader.fill_buf().await.unwrap().len().min(left);
                    reader.consume(seen);
                    left -= seen;
                    bytes += seen;
                }
            }
        };
        let ((), bytes) = tokio::join!(write, read);
        assert_eq!(bytes, 12_000_000);
        stream.finish().await.unwrap();
        client.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_does_not_take_what_we_send_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let peer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 29]).unwrap();
        stream
            .write_all(b"HTTP/1.0 200 Connected to Go SRPC\n\n\n")
            .unwrap();
        stream
    });
    let options = ConnectOptions {
        unix_upgrade: false,
        stall_timeout: std::time::Duration::from_millis(50),
        ..ConnectOptions::new(address)
    };
    let mut client = Client::connect(&options).await.unwrap();
    let mut stream = client.open("Any.Method").await.unwrap();
    let error = stream.write_raw(&vec![0; 64 << 20]).await.unwrap_err();
    assert!(error.to_string().starts_with("stalled"), "{error}");
    assert!(
        stream.flush().await.is_err(),
        "what follows would be taken for the rest"
    );
    drop(peer.join().unwrap());
}

#[test]
fn futures_of_the_client_may_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    let options = ConnectOptions::new("localhost:1");
    check(&Client::connect(&options));
    async fn calls(mut client: Client) {
        let _ = client.call::<Text, Text>("a.b", &Text::default()).await;
        if let Ok(mut stream) = client.open("a.b").await {
            let _ = stream.read_value::<Text>().await;
            let _ = stream.write_value(&Text::default()).await;
            let _ = stream.finish().await;
        }
    }
    fn check_function<F: Future + Send>(_: impl Fn(Client) -> F) {}
    check_function(calls);
}
