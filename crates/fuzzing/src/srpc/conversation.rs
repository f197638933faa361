//! A server with whatever a client says, and a client with whatever a server says.

use bytes::BytesMut;
use protocol::image_server::{FindLatestImageRequest, GetImageResponse};
use srpc::{CallError, Coder, Conn, Transport, fuzzing};

use super::reading::{coder, text};
use super::services;
use super::stream::{MemoryStream, run};
use crate::input::{Input, Pieces};

/// The coding, the pieces, then what the client says from its first method line to the end of its stream.
pub(super) fn server(mut input: Input<'_>) {
    let coder = coder(input.byte());
    let pieces = Pieces::new(input.byte());
    let bytes = input.rest();
    let whole = answers(MemoryStream::new(bytes, None), coder);
    let pieced = answers(MemoryStream::new(bytes, Some(pieces)), coder);
    // After what is no JSON the rest of what has arrived is dropped, which is a matter of pieces.
    if coder == Coder::Gob {
        assert!(whole == pieced, "the pieces matter");
    }
}

/// All that the server writes.
fn answers(stream: MemoryStream, coder: Coder) -> Vec<u8> {
    let written = stream.written();
    let conn = Conn::new(Transport::Other(Box::new(stream)), coder, BytesMut::new());
    run(fuzzing::answer(&services::server(), conn, coder));
    written.take()
}

/// The coding, the pieces, then what the server answers to a call.
pub(super) fn client(mut input: Input<'_>) {
    let coder = coder(input.byte());
    let pieces = Pieces::new(input.byte());
    let bytes = input.rest();
    let whole = call(MemoryStream::new(bytes, None), coder);
    let pieced = call(MemoryStream::new(bytes, Some(pieces)), coder);
    assert_eq!(whole, pieced, "the pieces matter");
}

/// The reply or the error, as text.
fn call(stream: MemoryStream, coder: Coder) -> String {
    let mut conn = Conn::new(Transport::Other(Box::new(stream)), coder, BytesMut::new());
    conn.set_limits(protocol::limits::IMAGE);
    let request = FindLatestImageRequest::default();
    let result = run(fuzzing::call::<_, GetImageResponse>(
        &mut conn,
        "ImageServer.FindLatestImage",
        &request,
    ));
    match result {
        Ok(reply) => format!("{reply:?}"),
        Err(CallError::Conn(error)) => text(&error),
        Err(error) => error.to_string(),
    }
}
