//! The HTTP before a connection becomes SRPC.

use std::sync::Arc;

use srpc::{Decision, Server, fuzzing};

use super::services;
use super::stream::{MemoryStream, run};
use crate::input::{Input, Pieces};

/// A request's head: the pieces, then the bytes.
pub(super) fn head(mut input: Input<'_>) {
    let pieces = Pieces::new(input.byte());
    let bytes = input.rest();
    let whole = read(bytes, None);
    assert_eq!(whole, read(bytes, Some(pieces)), "the pieces matter");
    let Some((line, behind)) = whole else { return };
    assert!(behind <= bytes.len() && !line.contains('\n'));
    let server = services::server();
    refuses_what_is_elsewhere(&server, &line);
}

/// The first line, and how many bytes of the input belong to the head.
fn read(bytes: &[u8], pieces: Option<Pieces>) -> Option<(String, usize)> {
    let mut stream = MemoryStream::new(bytes, pieces);
    run(async {
        let (line, mut behind) = fuzzing::read_head(&mut stream).await.ok()??;
        // What the reader did not take yet is behind the head, too.
        while tokio::io::AsyncReadExt::read_buf(&mut stream, &mut behind)
            .await
            .ok()?
            > 0
        {}
        let length = bytes.len().checked_sub(behind.len());
        assert!(bytes.ends_with(&behind), "bytes behind the head were changed");
        length.map(|length| (line, length))
    })
}

/// First lines: of requests, and of answers.
pub(super) fn lines(input: Input<'_>) {
    let text = String::from_utf8_lossy(input.rest());
    refuses_what_is_elsewhere(&services::server(), &text);
    if fuzzing::is_connected(&text).is_ok() {
        assert!(text.starts_with("HTTP/") && text.contains("200 Connected to Go SRPC"));
    }
}

fn refuses_what_is_elsewhere(server: &Arc<Server>, line: &str) {
    if let Decision::Accept(endpoint) = fuzzing::decide(server, line) {
        assert!(!endpoint.tls, "TLS without certificates");
        assert!(line.starts_with("CONNECT /_"), "accepted: {line:?}");
        assert!(endpoint.powers_allowed || line.contains('?'));
    }
}
