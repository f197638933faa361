use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::*;
use crate::logs::Logs;
use crate::testing::{Front, PATIENCE, body, expect, read_to_end};

const STATUS: &str = "HTTP/1.0 200 Connected to Go SRPC\n\n";

/// One call over the JSON coder on an established session.
async fn print(stream: &mut TcpStream, text: &str) {
    let call = format!("Logger.Print\n{{\"Args\":[\"{text}\"],\"Name\":\"\"}}\n");
    stream.write_all(call.as_bytes()).await.unwrap();
    expect(stream, "\n\n{}\n").await;
}

fn logged(front: &Front, text: &str) -> bool {
    front
        .site
        .logs()
        .recent()
        .iter()
        .any(|line| line.text() == format!("Logger.Print(): {text}"))
}

#[tokio::test]
async fn a_go_client_gets_exactly_the_status_line_and_then_its_calls() {
    let front = Front::start();
    let mut stream = front.connect().await;
    stream
        .write_all(b"CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n")
        .await
        .unwrap();
    expect(&mut stream, STATUS).await;
    print(&mut stream, "one").await;
    print(&mut stream, "two").await;
    stream.write_all(b"\nNo.Such\nLogger.NoSuch\n").await.unwrap();
    expect(
        &mut stream,
        "\nunknown service: No\nLogger: unknown method: NoSuch\n",
    )
    .await;
    assert!(logged(&front, "one") && logged(&front, "two"));
}

#[tokio::test]
async fn bytes_sent_right_behind_the_connect_are_kept() {
    let front = Front::start();
    for head in [
        "CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n",
        "CONNECT /_SRPC_/unsecured/JSON HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = front.connect().await;
        let early = format!("{head}Logger.Print\n{{\"Args\":[\"early\"],\"Name\":\"\"}}\n");
        stream.write_all(early.as_bytes()).await.unwrap();
        expect(&mut stream, &format!("{STATUS}\n\n{{}}\n")).await;
    }
    assert!(logged(&front, "early"));
}

#[tokio::test]
async fn gob_sessions_answer_with_the_bytes_that_were_recorded() {
    let front = Front::start();
    let mut stream = front.connect().await;
    stream
        .write_all(b"CONNECT /_goSRPC_/ HTTP/1.0\n\nLogger.Print\n")
        .await
        .unwrap();
    expect(&mut stream, &format!("{STATUS}\n")).await;
    // What a Go client sent, recorded: definitions, then {Args: [hello print], Name: ""}.
    let request = b"\x2c\x7f\x03\x01\x01\x0cPrintRequest\x01\xff\x80\x00\x01\x02\x01\x04Args\x01\xff\x82\x00\x01\x04Name\x01\x0c\x00\x00\x00\
        \x16\xff\x81\x02\x01\x01\x08[]string\x01\xff\x82\x00\x01\x0c\x00\x00\x11\xff\x80\x01\x02\x05hello\x05print\x00";
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_eq!(answer[0], b'\n');
    let (_, length) =
        gob::from_slice::<protocol::logger::PrintResponse>(&answer[1..], gob::Limits::default()).unwrap();
    assert_eq!(length, answer.len() - 1);
    assert!(logged(&front, "hello print"));
}

#[tokio::test]
async fn a_connection_may_turn_to_srpc_after_pages() {
    let front = Front::start();
    let mut stream = front.connect().await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\nOK") {
        let mut byte = [0];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte)
            .await
            .unwrap();
        answer.push(byte[0].into());
    }
    stream
        .write_all(b"CONNECT /_SRPC_/unsecured/JSON HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    expect(&mut stream, STATUS).await;
    print(&mut stream, "after a page").await;
}

#[tokio::test]
async fn page_and_connect_in_one_segment_are_answered_in_order() {
    let front = Front::start();
    let mut stream = front.connect().await;
    let both = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nCONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n\n";
    stream.write_all(both.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = String::from_utf8(read_to_end(&mut stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("OK{STATUS}\n")), "{answer}");
}

#[tokio::test]
async fn refusals_have_the_status_a_go_client_understands() {
    let front = Front::start();
    for (head, status) in [
        (
            "CONNECT /_go_TLS_SRPC_/ HTTP/1.0\n\n",
            "HTTP/1.0 404 Not Found\r\n",
        ),
        (
            "CONNECT /_SRPC_/TLS/JSON HTTP/1.0\n\n",
            "HTTP/1.0 404 Not Found\r\n",
        ),
        ("CONNECT /nowhere HTTP/1.0\n\n", "HTTP/1.0 404 Not Found\r\n"),
        (
            "CONNECT /_goSRPC_/?a;b HTTP/1.0\n\n",
            "HTTP/1.0 400 Bad Request\r\n",
        ),
        (
            "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n",
        ),
        (
            "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n",
        ),
        (
            "GET /_goSRPC_/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
        ),
        (
            "GET /_goSRPC_/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
        ),
        (
            "POST /_SRPC_/unsecured/JSON HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.0 400 Bad Request\r\n",
        ),
        (
            "GET /_go_TLS_SRPC_/ HTTP/1.0\r\n\r\n",
            "HTTP/1.0 404 Not Found\r\n",
        ),
        (
            "GET /_SRPC_/unsecured/JSON/x HTTP/1.0\r\n\r\n",
            "HTTP/1.0 404 Not Found\r\n",
        ),
    ] {
        let mut stream = front.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = String::from_utf8(read_to_end(&mut stream).await).unwrap();
        assert!(answer.starts_with(status), "{head:?} gave {answer:?}");
    }
}

#[tokio::test]
async fn the_tls_path_serves_who_has_a_certificate_and_the_plain_path_says_what_is_missing() {
    let authority = crate::testing::Authority::new();
    let front = Front::start_with(Logs::in_memory(), Some(authority.server()));
    let options = srpc::ConnectOptions::new(front.address.to_string())
        .with_tls(Some(authority.client("alice", &["Logger.*"])));
    let mut client = srpc::Client::connect(&options).await.unwrap();
    let request = protocol::logger::PrintRequest {
        args: vec!["by alice".into()],
        name: String::new(),
    };
    let _: protocol::logger::PrintResponse = client.call("Logger.Print", &request).await.unwrap();
    assert!(logged(&front, "by alice"));

    let options = options.with_tls(Some(authority.client("bob", &[])));
    let mut client = srpc::Client::connect(&options).await.unwrap();
    let refused: Result<protocol::logger::PrintResponse, _> = client.call("Logger.Print", &request).await;
    assert!(matches!(refused, Err(srpc::CallError::AccessDenied)));

    let mut stream = front.connect().await;
    stream
        .write_all(b"CONNECT /_goSRPC_/ HTTP/1.0\n\n")
        .await
        .unwrap();
    let answer = String::from_utf8(read_to_end(&mut stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.0 405 "), "{answer}");
}

#[tokio::test]
async fn helper_pages_list_the_methods() {
    let front = Front::start();
    let all = front.get("/_goSRPC_/listMethods").await;
    assert_eq!(
        body(&all),
        ".LocalUpgradeToUnix\nLogger.Debug\nLogger.GetStackTrace\nLogger.Print\nLogger.SetDebugLevel\nLogger.Watch\nTest.Slow\n"
    );
    assert_eq!(
        body(&front.get("/_goSRPC_/listPublicMethods").await),
        "Test.Slow\n"
    );
    let name = front.get("/_goSRPC_/getHostname").await;
    assert!(
        name.starts_with("HTTP/1.1 200 OK") && body(&name).ends_with('\n') && body(&name).len() > 1,
        "{name}"
    );
}

#[tokio::test]
async fn health_pages_tell_when_the_daemon_takes_work() {
    let front = Front::start();
    assert_eq!(body(&front.get("/healthz").await), "OK");
    assert!(front.get("/readiness").await.starts_with("HTTP/1.1 200 OK"));
    front.site.health().set_ready(false);
    let answer = front.get("/readiness").await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && body(&answer) == "not ready",
        "{answer}"
    );
    assert!(front.get("/healthz").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_pages_safe() {
    let front = Front::start();
    for target in [
        "/healthz",
        "/metrics/",
        "/logs",
        "/nowhere",
        "/assets/page.css",
        "/listImages?output=json",
    ] {
        let answer = front.get(target).await.to_ascii_lowercase();
        for header in [
            "\r\nx-frame-options: deny\r\n",
            "\r\nx-xss-protection: 1\r\n",
            "\r\nx-content-type-options: nosniff\r\n",
            "\r\ncontent-security-policy: default-src 'self' ;style-src 'self' 'unsafe-inline'\r\n",
        ] {
            assert!(answer.contains(header), "{target} lacks {header:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn hostile_heads_end_their_own_connection_only() {
    let front = Front::start();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    for head in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "CONNECT \u{7f} HTTP/9.9\n\n",
        long.as_str(),
    ] {
        let mut stream = front.connect().await;
        // The far end may close while this is still being sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        let _ = tokio::time::timeout(PATIENCE, read).await.unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "), "{head:.40}");
    }
    assert_eq!(body(&front.get("/healthz").await), "OK");
}

#[tokio::test]
async fn stopping_ends_idle_sessions_and_lets_running_calls_finish() {
    let front = Front::start();
    let mut idle = front.connect().await;
    idle.write_all(b"CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n")
        .await
        .unwrap();
    expect(&mut idle, STATUS).await;
    let mut page = front.connect().await;
    page.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    // Its answer is waited for: a request that arrives together with the stop may find the door closed.
    let mut answer = Vec::new();
    while !answer.ends_with(b"OK") {
        let read = tokio::io::AsyncReadExt::read_buf(&mut page, &mut answer);
        let read = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        assert!(read > 0, "the page's connection ended before its answer");
    }
    let mut busy = front.connect().await;
    let call = "CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\nTest.Slow\n{\"Args\":null,\"Name\":\"\"}\n";
    busy.write_all(call.as_bytes()).await.unwrap();
    expect(&mut busy, &format!("{STATUS}\n")).await;
    tokio::time::timeout(PATIENCE, front.entered.acquire())
        .await
        .unwrap()
        .unwrap()
        .forget();

    let address = front.address;
    let stopping = tokio::spawn(front.listening.stop(PATIENCE));
    assert!(
        read_to_end(&mut idle).await.is_empty(),
        "an idle session ends without a word"
    );
    assert!(
        read_to_end(&mut page).await.is_empty(),
        "an idle page connection ends as well"
    );
    let refused = tokio::time::timeout(PATIENCE, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    refused.await.expect("new connections are refused while stopping");
    assert!(!front.site.health().is_ready());
    assert!(!stopping.is_finished(), "a running call holds up the stop");

    front.leave.add_permits(1);
    expect(&mut busy, "\n{}\n").await;
    assert_eq!(
        tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap(),
        0
    );
}

#[tokio::test]
async fn a_call_that_outlasts_the_limit_is_cut_off_and_counted() {
    let front = Front::start();
    let mut busy = front.connect().await;
    let call = "CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\nTest.Slow\n{\"Args\":null,\"Name\":\"\"}\n";
    busy.write_all(call.as_bytes()).await.unwrap();
    tokio::time::timeout(PATIENCE, front.entered.acquire())
        .await
        .unwrap()
        .unwrap()
        .forget();
    let stopped = tokio::time::timeout(PATIENCE, front.listening.stop(Duration::from_millis(50))).await;
    assert_eq!(stopped.unwrap(), 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_in_the_originals_words() {
    let front = Front::start();
    let second = Listener::new(
        Arc::clone(&front.site),
        Arc::clone(&front.server),
        front.address.port(),
    )
    .address(Some(front.address.ip()))
    .start(PATIENCE);
    let Err(error) = second else {
        panic!("the port was had twice")
    };
    let text = error.to_string();
    let start = format!(
        "Unable to create http server: listen tcp 127.0.0.1:{}: ",
        front.address.port()
    );
    assert!(text.starts_with(&start), "{text}");
}

#[tokio::test]
async fn without_an_address_both_families_are_served() {
    let listener = socket::listen_on(None, 0).unwrap();
    let port = listener.local_addr().unwrap().port();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    if listener.local_addr().unwrap().is_ipv6() {
        assert!(TcpStream::connect(("::1", port)).await.is_ok());
    }
}

#[tokio::test]
async fn the_figures_of_the_transport_are_on_the_metrics_pages() {
    let front = Front::start();
    let mut stream = front.connect().await;
    stream
        .write_all(b"CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n")
        .await
        .unwrap();
    expect(&mut stream, STATUS).await;
    print(&mut stream, "x").await;
    let text = front.get("/metrics/srpc/server?format=text").await;
    for line in [
        "/srpc/server/num-open-connections 1\n",
        "/srpc/server/Logger/Print/num-permitted-calls 1\n",
        "/srpc/server/Logger/Print/num-denied-calls 0\n",
        "/srpc/server/LocalUpgradeToUnix/num-permitted-calls 0\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(
        text.contains("/srpc/server/Logger/Print/successful-call-durations {min:"),
        "{text}"
    );
    assert!(!text.contains("Logger/Watch/successful-request-reply-call-durations"));
}

#[tokio::test]
async fn every_figure_of_the_server_side_has_the_name_scripts_know() {
    let authority = crate::testing::Authority::new();
    let front = Front::start_with(Logs::in_memory(), Some(authority.server()));
    let text = front.get("/metrics/srpc/server?format=text").await;
    let names: Vec<&str> = body(&text)
        .lines()
        .filter_map(|line| line.split(' ').next()?.strip_prefix("/srpc/server/"))
        .collect();
    for name in [
        "num-connections",
        "num-open-connections",
        "num-open-raw-connections",
        "num-rejected-connections",
        "num-running-methods",
        "num-panics",
        "earliest-certificate-expiration",
        "earliest-expiring-certificate-activation",
        "earliest-ca-expiration",
        "LocalUpgradeToUnix/num-permitted-calls",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for name in [
        "num-denied-calls",
        "num-permitted-calls",
        "num-running-calls",
        "successful-call-durations",
        "failed-call-durations",
        "successful-request-reply-call-durations",
        "failed-request-reply-call-durations",
    ] {
        let name = format!("Logger/Print/{name}");
        assert!(names.contains(&name.as_str()), "{name} is not in {names:?}");
    }
    let text = front.get("/metrics/srpc/client?format=text").await;
    for name in [
        "/srpc/client/num-open-connections ",
        "/srpc/client/num-open-calls ",
        "/srpc/client/num-in-use-connections ",
    ] {
        assert!(text.contains(name), "{name} is not in {text}");
    }
    let text = front.get("/metrics/resourcepool?format=text").await;
    for name in ["maximum", "num-in-use", "num-unused", "num-releasing"] {
        let name = format!("/resourcepool/connections/{name} ");
        assert!(text.contains(&name), "{name} is not in {text}");
    }
}
