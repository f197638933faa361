//! Who gets in, as whom, and what they may call.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use common::certificates::{Authority, Wanted, user};
use common::services::{self, Text, WhoAmI, text};
use common::{PATIENCE, Running, no_socket};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use srpc::tls::{ClientCredentials, ServerTls, self_signed};
use srpc::{CallError, Client, ConnectError, ConnectOptions, Policy, Trusted};

/// `Ok`: the reply. The error's text otherwise.
async fn who_am_i(client: &mut Client, method: &str) -> Result<WhoAmI, String> {
    let result = client.call::<Text, WhoAmI>(method, &text("")).await;
    result.map_err(|error| error.to_string())
}

fn denied() -> Result<WhoAmI, String> {
    Err("access to method denied".to_owned())
}

fn known(username: &str, groups: &[&str], have_method_access: bool) -> Result<WhoAmI, String> {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Ok(WhoAmI {
        username: username.into(),
        groups,
        have_method_access,
    })
}

#[tokio::test]
async fn each_class_of_caller_may_call_what_it_should() {
    let authority = Authority::new("CA");
    let trusted = Trusted {
        users: ["root".into()].into(),
        groups: ["admins".into()].into(),
    };
    let policy = Policy {
        trusted,
        ..no_socket()
    };
    let running = Running::start(services::mixed_registry(), Some(authority.server_tls()), policy);

    let mut plain = running.connect(None).await.unwrap();
    assert_eq!(plain.transport_kind(), Some("TCP"));
    assert_eq!(who_am_i(&mut plain, "Test.Powers").await, denied());
    assert_eq!(who_am_i(&mut plain, "Test.Public").await, denied());
    assert_eq!(who_am_i(&mut plain, "Test.Open").await, known("", &[], false));

    let in_group = |groups| Wanted {
        groups,
        ..user("member", &[])
    };
    for (wanted, powers, have_access) in [
        (user("nobody", &[]), false, false),
        (user("other", &["Other.*"]), false, false),
        (user("admin", &["*.*"]), true, true),
        (
            user("exact", &["Test.Powers", "Test.Public", "Test.Open"]),
            true,
            true,
        ),
        (user("root", &[]), true, true),
        (in_group(&["users", "admins"]), true, true),
        (in_group(&["users"]), false, false),
    ] {
        let credentials = authority.issue(&wanted).credentials();
        let mut client = running.connect(Some(&credentials)).await.unwrap();
        let answer = known(wanted.name, wanted.groups, have_access);
        assert_eq!(who_am_i(&mut client, "Test.Public").await, answer);
        assert_eq!(who_am_i(&mut client, "Test.Open").await, answer);
        let expected = if powers { answer } else { denied() };
        assert_eq!(
            who_am_i(&mut client, "Test.Powers").await,
            expected,
            "{}",
            wanted.name
        );
    }
    let denied_calls = |name: &str| {
        let methods = running.server.statistics().methods;
        methods
            .iter()
            .find(|method| &*method.name == name)
            .unwrap()
            .denied_calls
    };
    assert_eq!(
        (
            denied_calls("Test.Powers"),
            denied_calls("Test.Public"),
            denied_calls("Test.Open")
        ),
        (4, 1, 0)
    );
}

#[tokio::test]
async fn the_owners_of_the_machine_may_call_everything() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let credentials = authority.issue(&user("owner", &[])).credentials();
    let mut client = running.connect(Some(&credentials)).await.unwrap();
    assert_eq!(who_am_i(&mut client, "Test.Powers").await, denied());
    running.server.set_machine_owners(Trusted {
        users: ["owner".into()].into(),
        ..Trusted::default()
    });
    assert_eq!(
        who_am_i(&mut client, "Test.Powers").await,
        known("owner", &[], true)
    );
}

#[tokio::test]
async fn an_admin_can_do_without_powers() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let credentials = authority.issue(&user("admin", &["*.*"])).credentials();
    let options = ConnectOptions {
        do_not_use_method_powers: true,
        ..running.options(Some(&credentials))
    };
    let mut client = Client::connect(&options).await.unwrap();
    assert_eq!(who_am_i(&mut client, "Test.Powers").await, denied());
    assert_eq!(
        who_am_i(&mut client, "Test.Public").await,
        known("admin", &[], false)
    );
}

#[tokio::test]
async fn an_identity_ca_grants_names_and_no_powers() {
    let (main, identity) = (Authority::new("main CA"), Authority::new("identity CA"));
    let (certificate, key) = self_signed().unwrap();
    let one = std::slice::from_ref;
    let tls = ServerTls::new(
        &[certificate],
        &key,
        one(&main.certificate),
        Some(one(&identity.certificate)),
    )
    .unwrap();
    let running = Running::secure(tls);
    for (authority, has_powers) in [(&main, true), (&identity, false)] {
        let wanted = Wanted {
            groups: &["g"],
            ..user("u", &["*.*"])
        };
        let credentials = authority.issue(&wanted).credentials();
        let mut client = running.connect(Some(&credentials)).await.unwrap();
        assert_eq!(
            who_am_i(&mut client, "Test.Public").await,
            known("u", &["g"], has_powers)
        );
        assert_eq!(who_am_i(&mut client, "Test.Powers").await.is_ok(), has_powers);
    }
}

/// Connects and makes a call: with TLS 1.3 the server's verdict arrives with the first answer.
async fn first_error(running: &Running, credentials: &Arc<ClientCredentials>) -> String {
    match running.connect(Some(credentials)).await {
        Err(error) => error.to_string(),
        Ok(mut client) => client.ping().await.unwrap_err().to_string(),
    }
}

async fn wait_for_rejections(running: &Running, count: u64) {
    let all = async {
        while running.server.statistics().rejected_connections < count {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}

#[tokio::test]
async fn unwelcome_certificates_are_refused() {
    let (authority, stranger) = (Authority::new("CA"), Authority::new("stranger"));
    let running = Running::secure(authority.server_tls());
    let error = first_error(&running, &stranger.issue(&user("u", &["*.*"])).credentials()).await;
    assert_eq!(error, "remote error: tls: unknown certificate authority");
    // The same name as the real one, another key.
    let forged = Authority::new("CA");
    let error = first_error(&running, &forged.issue(&user("u", &["*.*"])).credentials()).await;
    assert!(error.starts_with("remote error: tls: "), "{error}");
    let for_servers = Wanted {
        for_servers_only: true,
        ..user("u", &["*.*"])
    };
    let error = first_error(&running, &authority.issue(&for_servers).credentials()).await;
    assert!(error.starts_with("remote error: tls: "), "{error}");
    wait_for_rejections(&running, 3).await;
}

#[tokio::test]
async fn an_expired_certificate_is_not_even_sent() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let expired = Wanted {
        validity: (-7200, -3600),
        ..user("u", &["*.*"])
    };
    let error = running
        .connect(Some(&authority.issue(&expired).credentials()))
        .await
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with("no valid certificates: expired 1h0m"),
        "{error}"
    );
    let early = Wanted {
        validity: (7200, 86400),
        ..user("u", &["*.*"])
    };
    let error = running
        .connect(Some(&authority.issue(&early).credentials()))
        .await
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with("no valid certificates: will not be valid for "),
        "{error}"
    );
    let error = running
        .connect(Some(&ClientCredentials::new(Vec::new())))
        .await
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "no certificates in TLS configuration");
}

/// The handshake of a client that is not ours; what the server says to it.
fn foreign_handshake(
    running: &Running,
    configure: impl FnOnce(&mut openssl::ssl::SslConnectorBuilder),
) -> String {
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(b"CONNECT /_go_TLS_SRPC_/ HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut status = [0; 35];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.0 200 Connected to Go SRPC\n\n");
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    configure(&mut builder);
    let connector = builder.build().configure().unwrap().verify_hostname(false);
    match connector.connect("x", stream) {
        Err(error) => error.to_string(),
        Ok(mut stream) => {
            stream.write_all(b"\n").unwrap();
            let mut answer = [0];
            match stream.read(&mut answer) {
                Ok(bytes) => format!("{:?}", &answer[..bytes]),
                Err(error) => error.to_string(),
            }
        }
    }
}

#[test]
fn expired_missing_and_outdated_handshakes_are_refused_by_the_server() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let expired = authority.issue(&Wanted {
        validity: (-7200, -3600),
        ..user("u", &["*.*"])
    });
    let error = foreign_handshake(&running, |builder| {
        builder.set_certificate(&expired.certificate).unwrap();
        builder.set_private_key(&expired.key).unwrap();
    });
    assert!(error.contains("certificate expired"), "{error}");
    let error = foreign_handshake(&running, |_| {});
    assert!(error.contains("certificate required"), "{error}");
    let error = foreign_handshake(&running, |builder| {
        builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    });
    assert!(error.contains("handshake failure"), "{error}");
    let good = authority.issue(&user("u", &["*.*"]));
    let with = |version| {
        foreign_handshake(&running, |builder| {
            builder.set_certificate(&good.certificate).unwrap();
            builder.set_private_key(&good.key).unwrap();
            builder.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
            builder.set_max_proto_version(Some(version)).unwrap();
            builder.set_security_level(0);
        })
    };
    assert!(
        with(SslVersion::TLS1_1).contains("protocol version"),
        "{}",
        with(SslVersion::TLS1_1)
    );
    assert_eq!(with(SslVersion::TLS1_2), "[10]");
    assert_eq!(with(SslVersion::TLS1_3), "[10]");
}

#[tokio::test]
async fn a_certificate_with_broken_extensions_is_shown_the_door() {
    let authority = Authority::new("CA");
    let running = Running::secure(authority.server_tls());
    let mut count = 0;
    for raw in [
        &b"no DER"[..],
        &srpc::powers::extension_der(["NoDot"]),
        &srpc::powers::extension_der(["a.b.c"]),
    ] {
        let broken = authority.issue(&Wanted {
            raw_methods: Some(raw),
            ..user("u", &[])
        });
        let outcome = foreign_handshake(&running, |builder| {
            builder.set_certificate(&broken.certificate).unwrap();
            builder.set_private_key(&broken.key).unwrap();
        });
        // The end of the stream, a reset, or the like: no byte in any case.
        assert_ne!(outcome, "[10]");
        count += 1;
        wait_for_rejections(&running, count).await;
    }
}

#[tokio::test]
async fn an_insecure_server_answers_404_on_its_tls_paths_and_the_client_moves_on() {
    let running = Running::insecure();
    for path in ["/_go_TLS_SRPC_/", "/_SRPC_/TLS/JSON"] {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(format!("CONNECT {path} HTTP/1.0\n\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 404 Not Found\r\n"), "{answer}");
    }
    let credentials = Authority::new("CA").issue(&user("u", &[])).credentials();
    let mut client = running.connect(Some(&credentials)).await.unwrap();
    assert_eq!(client.transport_kind(), Some("TCP"));
    assert_eq!(who_am_i(&mut client, "Test.Powers").await, known("", &[], true));
}

#[tokio::test]
async fn a_secure_server_without_open_methods_wants_a_certificate() {
    let running = Running::secure(Authority::new("CA").server_tls());
    let error = running.connect(None).await.err().unwrap();
    assert!(matches!(error, ConnectError::MissingCertificate), "{error}");
    assert_eq!(error.to_string(), "missing certificate");
}

#[tokio::test]
async fn errors_of_connecting_have_the_specified_texts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = Client::connect(&ConnectOptions::new(address))
        .await
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "connection refused");
    for (answer, text) in [
        ("HTTP/1.0 404 Not Found\r\n\r\n", "no SRPC endpoint"),
        ("HTTP/1.0 401 Unauthorized\r\n\r\n", "bad certificate"),
        ("HTTP/1.0 405 Method Not Allowed\r\n\r\n", "missing certificate"),
        (
            "HTTP/1.1 400 Bad Request\r\nX: y\r\n\r\n",
            "unexpected HTTP response: 400 Bad Request",
        ),
        ("HTTP/1.0 200 OK\n\n", "unexpected HTTP response: 200 OK"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let peer = std::thread::spawn(move || {
            // The client comes once for each endpoint while the answer is 404.
            for _ in 0..if answer.contains("404") { 2 } else { 1 } {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 29]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let error = Client::connect(&ConnectOptions::new(address))
            .await
            .err()
            .unwrap();
        assert_eq!(error.to_string(), text);
        peer.join().unwrap();
    }
}

#[tokio::test]
async fn of_several_certificates_the_one_that_the_server_accepts_is_found() {
    let (authority, other) = (Authority::new("CA"), Authority::new("other"));
    let running = Running::secure(authority.server_tls());
    let pairs = vec![
        other.issue(&user("wrong", &["*.*"])).pair(),
        other.issue(&user("wrong too", &["*.*"])).pair(),
        authority.issue(&user("right", &["Test.*"])).pair(),
    ];
    let credentials = ClientCredentials::new(pairs);
    for _ in 0..2 {
        let mut client = running.connect(Some(&credentials)).await.unwrap();
        assert_eq!(
            who_am_i(&mut client, "Test.Powers").await,
            known("right", &[], true)
        );
    }
    // The second time the right one was tried first.
    assert_eq!(running.server.statistics().rejected_connections, 2);
}

#[tokio::test]
async fn a_slow_handshake_is_given_up() {
    let policy = Policy {
        handshake_timeout: std::time::Duration::from_millis(20),
        ..no_socket()
    };
    let running = Running::start(
        services::registry(),
        Some(Authority::new("CA").server_tls()),
        policy,
    );
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"CONNECT /_go_TLS_SRPC_/ HTTP/1.0\n\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"HTTP/1.0 200 Connected to Go SRPC\n\n");
}

#[tokio::test]
async fn a_user_s_second_call_of_a_limited_method_is_vetoed() {
    let go = Arc::new(tokio::sync::Notify::new());
    let authority = Authority::new("CA");
    let running = Running::start(
        services::waiting_registry(&go),
        Some(authority.server_tls()),
        no_socket(),
    );
    let credentials = authority.issue(&user("u", &[])).credentials();
    let (mut first, mut second) = (
        running.connect(Some(&credentials)).await.unwrap(),
        running.connect(Some(&credentials)).await.unwrap(),
    );
    let waiting = tokio::spawn(async move { first.call::<Text, Text>("Test.Wait", &text("")).await });
    while running.server.statistics().running_methods == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let error = second
        .call::<Text, Text>("Test.Wait", &text(""))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(text) if text == "u reached limit of 1 calls for Wait"),
        "{error}"
    );
    go.notify_one();
    waiting.await.unwrap().unwrap();
    go.notify_one();
    second.call::<Text, Text>("Test.Wait", &text("")).await.unwrap();
}
