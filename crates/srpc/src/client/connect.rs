//! From an address to an established connection (srpc.md §10).

use std::pin::Pin;
use std::time::SystemTime;

use bytes::BytesMut;
use openssl::ssl::Ssl;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::statistics::OpenConnection;
use super::{Client, ConnectError, ConnectOptions, dial, ping, upgrade};
use crate::coder::Coder;
use crate::conn::{Coalesced, Conn, Transport};
use crate::http::{self, CONNECTED_STATUS};
use crate::server::paths;
use crate::tls::{KeyPair, alert};

/// A path to try, and whether TLS follows.
struct Door {
    path: &'static str,
    coder: Coder,
    tls: bool,
}

const DOORS: [Door; 4] = [
    Door {
        path: paths::TLS_GOB,
        coder: Coder::Gob,
        tls: true,
    },
    Door {
        path: paths::TLS_JSON,
        coder: Coder::Json,
        tls: true,
    },
    Door {
        path: paths::PLAIN_GOB,
        coder: Coder::Gob,
        tls: false,
    },
    Door {
        path: paths::PLAIN_JSON,
        coder: Coder::Json,
        tls: false,
    },
];

/// Why one attempt failed.
enum Failure {
    /// 404: the next door may be open.
    NoSuchDoor,
    /// The server did not like this certificate; another one may do.
    Certificate(ConnectError),
    Final(ConnectError),
}

impl<E: Into<ConnectError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

pub(super) async fn connect(options: &ConnectOptions) -> Result<Client, ConnectError> {
    if let Some(tls) = &options.tls {
        tls.check(SystemTime::now()).map_err(ConnectError::Credentials)?;
    }
    let doors = DOORS
        .iter()
        .filter(|door| !door.tls || options.tls.is_some())
        .filter(|door| options.coder.is_none_or(|coder| coder == door.coder));
    for door in doors {
        match enter(options, door).await {
            Ok(client) => return Ok(client),
            Err(Failure::NoSuchDoor) => {}
            Err(Failure::Certificate(error) | Failure::Final(error)) => return Err(error),
        }
    }
    Err(ConnectError::NoEndpoint)
}

/// Tries a door, with each certificate in turn if there are several.
async fn enter(options: &ConnectOptions, door: &Door) -> Result<Client, Failure> {
    let Some(credentials) = options.tls.as_ref().filter(|_| door.tls) else {
        return attempt(options, door, None, false).await;
    };
    let now = SystemTime::now();
    let mut order = credentials.order_for(&options.address);
    order.retain(|&index| credentials.pairs()[index].summary().invalidity(now).is_none());
    let has_choice = order.len() > 1;
    let mut result = Err(Failure::Final(ConnectError::MissingCertificate));
    for index in order {
        result = attempt(options, door, Some(&credentials.pairs()[index]), has_choice).await;
        match &result {
            Err(Failure::Certificate(_)) => {}
            Ok(_) if has_choice => {
                credentials.remember(&options.address, index);
                break;
            }
            _ => break,
        }
    }
    result
}

/// One TCP connection. `verify`: make sure that the server accepted the certificate, which TLS 1.3 does not tell otherwise.
async fn attempt(
    options: &ConnectOptions,
    door: &Door,
    pair: Option<&KeyPair>,
    verify: bool,
) -> Result<Client, Failure> {
    let stream = dial::dial(&options.address, options.proxy.as_ref(), options.dial_timeout).await?;
    crate::socket::configure(&stream, options.keep_alive_period);
    let work = establish(options, door, pair, verify, stream);
    match tokio::time::timeout(options.connect_timeout, work).await {
        Ok(result) => result,
        Err(_) => Err(Failure::Final(ConnectError::Timeout)),
    }
}

async fn establish(
    options: &ConnectOptions,
    door: &Door,
    pair: Option<&KeyPair>,
    verify: bool,
    mut stream: TcpStream,
) -> Result<Client, Failure> {
    let io_error = |error: std::io::Error| ConnectError::Dial(error.to_string());
    let peer = stream.peer_addr().map_err(io_error)?;
    let local = stream.local_addr().map_err(io_error)?;
    let mut received = BytesMut::new();
    ask(options, door, &mut stream, &mut received).await?;
    let mut conn = match pair {
        Some(pair) => Conn::new(handshake(pair, stream).await?, door.coder, BytesMut::new()),
        None => Conn::new(stream, door.coder, received),
    };
    conn.set_stall_timeout(options.stall_timeout);
    conn.set_limits(options.limits.clone());
    if verify {
        ping(&mut conn).await.map_err(first_exchange)?;
    }
    // Through a proxy the other end of the socket is not the server.
    if options.unix_upgrade && options.proxy.is_none() && peer.ip() == local.ip() {
        upgrade::upgrade(&mut conn).await.map_err(first_exchange)?;
        conn.set_limits(options.limits.clone());
        conn.reset_encoder();
    }
    Ok(Client {
        conn: Some(conn),
        peer,
        coder: door.coder,
        limits: options.limits.clone(),
        call_timeout: options.call_timeout,
        _open: OpenConnection::begin(),
    })
}

/// Sends the CONNECT and reads the answer.
async fn ask(
    options: &ConnectOptions,
    door: &Door,
    stream: &mut TcpStream,
    received: &mut BytesMut,
) -> Result<(), Failure> {
    let query = if options.do_not_use_method_powers {
        format!("?{}=true", paths::NO_POWERS)
    } else {
        String::new()
    };
    let request = format!("CONNECT {}{query} HTTP/1.0\n\n", door.path);
    let broken = |error: std::io::Error| ConnectError::Dial(error.to_string());
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let Some(line) = http::read_head(stream, received).await.map_err(broken)? else {
        return Err(Failure::Final(ConnectError::Dial("unexpected EOF".to_owned())));
    };
    verdict(&line)
}

/// What the first line of the answer to a CONNECT means.
fn verdict(line: &str) -> Result<(), Failure> {
    let status = match line.split_once(' ') {
        Some((version, status)) if version.starts_with("HTTP/") => status.trim(),
        _ => {
            return Err(Failure::Final(ConnectError::Http(format!(
                "malformed HTTP response {line:?}"
            ))));
        }
    };
    if status == CONNECTED_STATUS {
        return Ok(());
    }
    Err(match status.split(' ').next() {
        Some("404") => Failure::NoSuchDoor,
        Some("405") => Failure::Final(ConnectError::MissingCertificate),
        Some("401") => Failure::Final(ConnectError::BadCertificate),
        _ => Failure::Final(ConnectError::Http(status.to_owned())),
    })
}

/// For fuzz targets: whether the answer is the wanted one, and what is said if not.
#[cfg(feature = "fuzzing")]
pub(crate) fn is_connected(line: &str) -> Result<(), String> {
    verdict(line).map_err(|failure| match failure {
        Failure::NoSuchDoor => String::new(),
        Failure::Certificate(error) | Failure::Final(error) => error.to_string(),
    })
}

async fn handshake(pair: &KeyPair, stream: TcpStream) -> Result<Transport, Failure> {
    let failed = |error: openssl::error::ErrorStack| ConnectError::Tls(error.to_string());
    let ssl = Ssl::new(pair.context()).map_err(failed)?;
    let mut stream = SslStream::new(ssl, Coalesced::new(stream)).map_err(failed)?;
    Pin::new(&mut stream)
        .connect()
        .await
        .map_err(|error| certificate_failure(alert::describe_tls(&error)))?;
    Ok(stream.into())
}

/// In TLS 1.3 the server's verdict on our certificate arrives with the first thing that is read.
fn first_exchange(error: super::CallError) -> Failure {
    match error {
        super::CallError::Conn(conn_error) => {
            let text = conn_error.to_string();
            if alert::is_about_certificate(&text) {
                certificate_failure(text)
            } else {
                conn_error.into()
            }
        }
        other => Failure::Final(ConnectError::Tls(other.to_string())),
    }
}

fn certificate_failure(text: String) -> Failure {
    if text.contains("bad certificate") {
        Failure::Certificate(ConnectError::BadCertificate)
    } else if alert::is_about_certificate(&text) {
        Failure::Certificate(ConnectError::Tls(text))
    } else {
        Failure::Final(ConnectError::Tls(text))
    }
}
