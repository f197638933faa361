//! Which name servers a command may ask.

use crate::Network;
use std::io::Read;
use std::net::IpAddr;

/// The host's configuration.
const FILE: &str = "/etc/resolv.conf";
/// Bytes of it that are taken; the resolver's own limits are far below.
const MOST_BYTES: u64 = 64 << 10;
/// Where the program that joins a network of its own to the outside takes queries, and hands them to the host's first name
/// server. Of the block that no network routes.
pub(crate) const FORWARDER: &str = "169.254.1.1";

/// What `/etc/resolv.conf` should say for a command with this network: the host's, without servers that only the host itself
/// reaches (systemd-resolved listens on 127.0.0.53). `None` if the host has none.
pub fn configuration(network: Network) -> Option<Vec<u8>> {
    let text = host_configuration().ok()?;
    Some(match network {
        Network::Outside => reachable(&text),
        Network::Host | Network::None => text,
    })
}

/// Whether the host's first name server is one that only the host itself reaches.
pub(crate) fn is_forwarder_needed() -> bool {
    host_configuration().is_ok_and(|text| is_first_on_loopback(&text))
}

fn host_configuration() -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(FILE)?
        .take(MOST_BYTES)
        .read_to_end(&mut text)?;
    Ok(text)
}

fn is_first_on_loopback(text: &[u8]) -> bool {
    // The forwarder has an address of version 4, and takes the place of the first server of that version.
    let first = lines(text).filter_map(server).find(IpAddr::is_ipv4);
    first.is_some_and(|address| address.is_loopback())
}

fn reachable(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    if is_first_on_loopback(text) {
        // And only then: replies of the server whose place it takes seem to come from it, which a program that asked the server
        // itself does not take for replies.
        result.extend_from_slice(format!("nameserver {FORWARDER}\n").as_bytes());
    }
    let reached = lines(text).filter(|line| !server(line).is_some_and(|address| address.is_loopback()));
    for line in reached {
        result.extend_from_slice(line);
    }
    result
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// The server that a line names.
fn server(line: &[u8]) -> Option<IpAddr> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    words.next().filter(|word| *word == "nameserver")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        String::from_utf8(reachable(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_server_on_the_host_s_loopback_is_asked_through_the_forwarder() {
        assert_eq!(
            shown("search example.com\nnameserver 127.0.0.53\noptions edns0\nnameserver ::1"),
            "nameserver 169.254.1.1\nsearch example.com\noptions edns0\n"
        );
    }

    #[test]
    fn servers_within_reach_are_asked_themselves() {
        let text = "nameserver 192.0.2.1\nnameserver 2001:db8::1\n";
        assert_eq!(shown(text), text);
        assert_eq!(
            shown("nameserver 192.0.2.1\nnameserver 127.0.0.1\n"),
            "nameserver 192.0.2.1\n"
        );
    }
}
