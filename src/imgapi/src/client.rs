//! Who is at the other end, and by which address this server is known there: told by the connection, or by a proxy that is trusted
//! (`trustedProxies`).

use std::net::IpAddr;

use actix_web::HttpRequest;
use repository::configuration::Settings;

use crate::request::header;

/// Put into the data of a connection that came with TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithTls;

/// The address of the client; that of a proxy which is not trusted is the client's. Nothing when the connection is gone.
pub(crate) fn address(http: &HttpRequest, settings: &Settings) -> Option<IpAddr> {
    let peer = http.peer_addr()?.ip().to_canonical();
    if !is_trusted(peer, settings) {
        return Some(peer);
    }
    // Each proxy adds whom it speaks with at the end; what is before the last untrusted one may be made up.
    let forwarded = header(http, "x-forwarded-for").unwrap_or_default();
    let told = forwarded.rsplit(',').map(|text| text.trim().parse::<IpAddr>());
    for address in told {
        match address {
            Ok(address) if is_trusted(address.to_canonical(), settings) => continue,
            Ok(address) => return Some(address.to_canonical()),
            Err(_) => break,
        }
    }
    Some(peer)
}

/// Scheme and host by which the client reaches this server, such as `https://images.example.com`: the base of addresses it is told.
pub(crate) fn base_url(http: &HttpRequest, settings: &Settings) -> String {
    let is_trusted = http
        .peer_addr()
        .is_some_and(|peer| is_trusted(peer.ip().to_canonical(), settings));
    let forwarded = |name| header(http, name).filter(|_| is_trusted);
    let scheme = match (
        forwarded("x-forwarded-proto").as_deref(),
        http.conn_data::<WithTls>(),
    ) {
        (Some("https"), _) => "https",
        (Some("http"), _) | (_, None) => "http",
        (_, Some(_)) => "https",
    };
    let host = forwarded("x-forwarded-host").or_else(|| header(http, "host"));
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '\\', '@', ' ', ',', '"']);
    match host.as_deref().filter(|host| is_host(host)) {
        Some(host) => format!("{scheme}://{host}"),
        None => format!("{scheme}://{}:{}", settings.address, settings.port),
    }
}

fn is_trusted(address: IpAddr, settings: &Settings) -> bool {
    settings
        .own
        .trusted_proxies
        .iter()
        .any(|proxy| proxy.to_canonical() == address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use repository::configuration::Configuration;

    fn settings(proxies: &str) -> Settings {
        let text = format!("{{\"trustedProxies\": {proxies}}}");
        Configuration::read(&text).unwrap().settings().clone()
    }

    fn request(peer: &str) -> TestRequest {
        TestRequest::default()
            .peer_addr(peer.parse().unwrap())
            .insert_header(("x-forwarded-for", "6.6.6.6, 9.9.9.9, 10.0.0.2"))
            .insert_header(("x-forwarded-proto", "https"))
            .insert_header(("host", "images.example.com"))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let settings = settings(r#"["10.0.0.1", "10.0.0.2"]"#);
        let asked = |peer| {
            let http = request(peer).to_http_request();
            let address = address(&http, &settings).unwrap().to_string();
            (address, base_url(&http, &settings))
        };
        let told = |address: &str, url: &str| (address.to_owned(), url.to_owned());
        assert_eq!(asked("10.0.0.1:5"), told("9.9.9.9", "https://images.example.com"));
        assert_eq!(
            asked("[::ffff:10.0.0.1]:5"),
            told("9.9.9.9", "https://images.example.com")
        );
        assert_eq!(asked("10.0.0.3:5"), told("10.0.0.3", "http://images.example.com"));
    }

    #[test]
    fn what_is_no_host_is_not_passed_on() {
        let settings = settings("[]");
        let http = TestRequest::default()
            .insert_header(("host", "a/b"))
            .to_http_request();
        assert_eq!(base_url(&http, &settings), "http://127.0.0.1:8080");
    }
}
