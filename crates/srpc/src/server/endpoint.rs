//! From an HTTP request to an SRPC connection or a refusal (srpc.md §2.1, §2.3).

use super::paths::{NO_POWERS, PLAIN_GOB, PLAIN_JSON, TLS_GOB, TLS_JSON};
use crate::coder::Coder;

/// What kind of connection a CONNECT asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// How values are written.
    pub coder: Coder,
    /// A TLS handshake follows the status line.
    pub tls: bool,
    /// The caller's powers count (srpc.md §7.5).
    pub powers_allowed: bool,
}

/// What to do with an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand the stream to [`Server::serve_plain`](super::Server::serve_plain).
    Accept(Endpoint),
    /// Answer with this HTTP status, `Content-Type: text/plain; charset=utf-8` and an empty body.
    Refuse(u16),
    /// One of the pages below `/_goSRPC_/`, see [`crate::pages`].
    Page(crate::pages::Page),
    /// Not a path of this protocol.
    Elsewhere,
}

pub(super) struct Doors {
    pub(super) tls: bool,
    pub(super) unauthenticated_methods: bool,
}

pub(super) fn decide(http_method: &str, path: &str, query: Option<&str>, doors: &Doors) -> Decision {
    if let Some(page) = crate::pages::Page::at(path) {
        return Decision::Page(page);
    }
    let (coder, tls) = match path {
        PLAIN_JSON => (Coder::Json, false),
        TLS_JSON => (Coder::Json, true),
        _ if path.starts_with(PLAIN_GOB) => (Coder::Gob, false),
        _ if path.starts_with(TLS_GOB) => (Coder::Gob, true),
        _ => return Decision::Elsewhere,
    };
    if tls && !doors.tls {
        return Decision::Refuse(404);
    }
    if http_method != "CONNECT" {
        return Decision::Refuse(400);
    }
    if !tls && doors.tls && !doors.unauthenticated_methods {
        return Decision::Refuse(405);
    }
    match powers_given_up(query.unwrap_or_default()) {
        Some(given_up) => Decision::Accept(Endpoint {
            coder,
            tls,
            powers_allowed: !given_up,
        }),
        None => Decision::Refuse(400),
    }
}

/// Whether the first value of the key is `true`; `None` if the query does not parse.
fn powers_given_up(query: &str) -> Option<bool> {
    let mut first = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (unescape(key)?, unescape(value)?);
        if key == NO_POWERS.as_bytes() {
            first.get_or_insert(value == b"true");
        }
    }
    Some(first.unwrap_or(false))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    char::from(bytes.next()?)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                let high = digit()?;
                high << 4 | digit()?
            }
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Page;

    const SECURE: Doors = Doors {
        tls: true,
        unauthenticated_methods: false,
    };
    const MIXED: Doors = Doors {
        tls: true,
        unauthenticated_methods: true,
    };
    const INSECURE: Doors = Doors {
        tls: false,
        unauthenticated_methods: false,
    };

    fn accept(coder: Coder, tls: bool) -> Decision {
        Decision::Accept(Endpoint {
            coder,
            tls,
            powers_allowed: true,
        })
    }

    #[test]
    fn the_order_of_refusals_is_the_specified_one() {
        for (doors, method, path, query, expected) in [
            (&INSECURE, "CONNECT", TLS_GOB, None, Decision::Refuse(404)),
            (&INSECURE, "GET", TLS_JSON, Some("%zz"), Decision::Refuse(404)),
            (&SECURE, "GET", PLAIN_GOB, Some("%zz"), Decision::Refuse(400)),
            (&SECURE, "CONNECT", PLAIN_GOB, Some("%zz"), Decision::Refuse(405)),
            (&SECURE, "CONNECT", TLS_GOB, Some("%zz"), Decision::Refuse(400)),
            (&SECURE, "CONNECT", TLS_GOB, Some("a;b"), Decision::Refuse(400)),
            (&SECURE, "CONNECT", TLS_GOB, None, accept(Coder::Gob, true)),
            (&SECURE, "CONNECT", TLS_JSON, Some(""), accept(Coder::Json, true)),
            (&MIXED, "CONNECT", PLAIN_GOB, None, accept(Coder::Gob, false)),
            (&INSECURE, "CONNECT", PLAIN_JSON, None, accept(Coder::Json, false)),
            (
                &INSECURE,
                "CONNECT",
                "/_goSRPC_/below",
                None,
                accept(Coder::Gob, false),
            ),
            (
                &INSECURE,
                "CONNECT",
                "/_SRPC_/unsecured/JSON/below",
                None,
                Decision::Elsewhere,
            ),
            (&INSECURE, "GET", "/", None, Decision::Elsewhere),
            (
                &INSECURE,
                "GET",
                "/_goSRPC_/listMethods",
                None,
                Decision::Page(Page::ListMethods),
            ),
        ] {
            assert_eq!(
                decide(method, path, query, doors),
                expected,
                "{method} {path} {query:?}"
            );
        }
    }

    #[test]
    fn powers_can_be_given_up() {
        for (query, allowed) in [
            ("doNotUseMethodPowers=true", false),
            ("x=1&doNotUseMethodPowers=%74rue", false),
            ("doNotUseMethodPowers=yes", true),
            ("doNotUseMethodPowers=false&doNotUseMethodPowers=true", true),
            ("donotusemethodpowers=true", true),
        ] {
            let Decision::Accept(endpoint) = decide("CONNECT", PLAIN_GOB, Some(query), &INSECURE) else {
                panic!()
            };
            assert_eq!(endpoint.powers_allowed, allowed, "{query}");
        }
    }
}
