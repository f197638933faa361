//! What the pages never see: CONNECT, and requests to upgrade.
//!
//! The HTTP library hands over the stream with what it had read already, so bytes sent right behind a CONNECT are kept.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_codec::Framed;
use actix_http::h1::Codec;
use actix_http::{Request, StatusCode, Version};
use actix_rt::net::TcpStream;
use srpc::Decision;
use tokio::io::AsyncWriteExt;

use super::limits::REFUSAL_TIMEOUT;

/// Serves the connection to its end.
pub(super) async fn serve(
    server: Arc<srpc::Server>,
    request: Request,
    framed: Framed<TcpStream, Codec>,
) -> Result<(), Infallible> {
    let parts = framed.into_parts();
    let mut stream = parts.io;
    let peer = request.peer_addr().or_else(|| stream.peer_addr().ok());
    let Some(peer) = peer.map(canonical) else {
        // It is gone already.
        return Ok(());
    };
    if let Err(error) = stream.write_all(&parts.write_buf).await {
        tracing::debug!(%peer, %error, "connection lost before its upgrade");
        return Ok(());
    }
    let decision = server.endpoint(request.method().as_str(), request.path(), request.uri().query());
    let version = request.version();
    // The head may be large and the session long.
    drop(request);
    let (status, body) = match decision {
        Decision::Accept(endpoint) => {
            server.serve_plain(stream, parts.read_buf, peer, endpoint).await;
            return Ok(());
        }
        Decision::Refuse(status) => {
            // A client with certificates tries the TLS paths first: 404 there is the ordinary way on.
            if status != 404 {
                tracing::info!(%peer, status, "connection refused");
            }
            (status, String::new())
        }
        Decision::Page(page) => match page.text(server.registry()) {
            Ok(text) => (200, text),
            Err(error) => (500, error + "\n"),
        },
        Decision::Elsewhere => (404, "404 page not found\n".to_owned()),
    };
    match tokio::time::timeout(REFUSAL_TIMEOUT, answer(&mut stream, version, status, &body)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%peer, %error, "refusal not delivered"),
        Err(_) => tracing::debug!(%peer, "refusal not delivered in time"),
    }
    Ok(())
}

/// An IPv4 peer of a socket for both is shown as IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = address.ip().to_canonical();
    SocketAddr::new(ip, address.port())
}

async fn answer(stream: &mut TcpStream, version: Version, status: u16, body: &str) -> io::Result<()> {
    let protocol = if version == Version::HTTP_10 {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused");
    let text = format!(
        "{protocol} {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}
