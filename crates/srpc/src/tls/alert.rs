//! TLS alerts in the words of Go's library, which scripts and people know.

use std::io;

/// OpenSSL reports an alert from the peer as this plus the alert's number.
const REASON_OF_ALERT: i32 = 1000;

/// The text of an error from a socket or from TLS. An alert of the peer reads `remote error: tls: ...`.
pub(crate) fn describe(error: &io::Error) -> String {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<openssl::ssl::Error>())
        .map_or_else(|| error.to_string(), describe_tls)
}

/// As [`describe`], for errors of a handshake.
pub(crate) fn describe_tls(error: &openssl::ssl::Error) -> String {
    if let Some(io_error) = error.io_error() {
        return io_error.to_string();
    }
    match alert(error) {
        Some(text) => format!("remote error: tls: {text}"),
        None => error.to_string(),
    }
}

/// Whether the peer refused our certificate, or its absence, so that another one is worth a try.
pub(crate) fn is_about_certificate(text: &str) -> bool {
    const TEXTS: [&str; 8] = [
        "bad certificate",
        "unsupported certificate",
        "revoked certificate",
        "expired certificate",
        "unknown certificate",
        "access denied",
        "certificate required",
        "handshake failure",
    ];
    text.strip_prefix("remote error: tls: ")
        .is_some_and(|text| TEXTS.iter().any(|known| text.starts_with(known)))
}

fn alert(error: &openssl::ssl::Error) -> Option<&'static str> {
    let number = error.ssl_error()?.errors().first()?.reason_code() - REASON_OF_ALERT;
    Some(match number {
        10 => "unexpected message",
        20 => "bad record MAC",
        22 => "record overflow",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "revoked certificate",
        45 => "expired certificate",
        46 => "unknown certificate",
        47 => "illegal parameter",
        48 => "unknown certificate authority",
        49 => "access denied",
        50 => "error decoding message",
        51 => "error decrypting message",
        70 => "protocol version not supported",
        71 => "insufficient security level",
        80 => "internal error",
        90 => "user canceled",
        109 => "missing extension",
        110 => "unsupported extension",
        116 => "certificate required",
        _ => return None,
    })
}
