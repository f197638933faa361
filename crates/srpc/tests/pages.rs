//! The plain-text pages.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};

use common::{PATIENCE, Running};

fn get(running: &Running, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_pages_list_methods_and_name_the_host() {
    let running = Running::insecure();
    let all = get(&running, "/_goSRPC_/listMethods");
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    assert!(
        body.starts_with(".LocalUpgradeToUnix\nImageServer.CheckImage\nTest.Echo\n"),
        "{body}"
    );
    let public = get(&running, "/_goSRPC_/listPublicMethods");
    assert!(public.ends_with("\r\n\r\nTest.Public\n"), "{public}");
    let host = get(&running, "/_goSRPC_/getHostname");
    let name = host.split_once("\r\n\r\n").unwrap().1;
    assert!(
        name.len() > 1 && name.ends_with('\n') && !name.trim().contains(char::is_whitespace),
        "{name}"
    );
    assert!(get(&running, "/_goSRPC_/").starts_with("HTTP/1.0 400 "));
    assert!(get(&running, "/").starts_with("HTTP/1.0 404 "));
}
