//! Lines, values and raw bytes from one stream, in an order that the input chooses.

use bytes::BytesMut;
use image::Image;
use protocol::image_server::{FindLatestImageRequest, ImageUpdate};
use protocol::object_server::AddObjectRequest;
use srpc::{Coder, Conn, ConnError};

use super::stream::{MemoryStream, run};
use crate::input::{Input, Pieces};

/// Things read from one stream, at most.
const STEPS_MAX: u8 = 24;

/// The coding, the pieces, what to read, then the bytes.
pub(super) fn script(mut input: Input<'_>) {
    let coder = coder(input.byte());
    let pieces = Pieces::new(input.byte());
    let steps: Vec<u8> = (0..input.byte() % STEPS_MAX).map(|_| input.byte()).collect();
    let bytes = input.rest();
    let whole = run(read(MemoryStream::new(bytes, None), coder, &steps));
    let pieced = run(read(MemoryStream::new(bytes, Some(pieces)), coder, &steps));
    assert_eq!(whole, pieced, "the pieces matter");
}

pub(super) fn coder(choice: u8) -> Coder {
    if choice.is_multiple_of(2) {
        Coder::Gob
    } else {
        Coder::Json
    }
}

/// What was read, as text, to its first error that ends the stream.
async fn read(stream: MemoryStream, coder: Coder, steps: &[u8]) -> Vec<String> {
    let mut conn = Conn::new(srpc::Transport::Other(Box::new(stream)), coder, BytesMut::new());
    conn.set_limits(protocol::limits::SMALL);
    let mut results = Vec::new();
    for step in steps {
        match one(&mut conn, *step).await {
            Ok(text) => results.push(text),
            Err(error) => {
                results.push(text(&error));
                // Behind what is no JSON at all everything received so far is dropped, which is a matter of pieces.
                if !error.keeps_connection() || matches!(error, ConnError::NoJson(_)) {
                    break;
                }
            }
        }
    }
    results
}

/// Of a character that is cut the error names what is there of it.
pub(super) fn text(error: &ConnError) -> String {
    match error {
        ConnError::NoJson(_) => "no JSON".to_owned(),
        error => error.to_string(),
    }
}

async fn one(conn: &mut Conn, step: u8) -> Result<String, ConnError> {
    let number = usize::from(step / 8);
    Ok(match step % 8 {
        0 | 1 => format!("{:?}", conn.read_line(number * 16).await?),
        2 => format!("{:?}", conn.read_value::<FindLatestImageRequest>().await?),
        3 => format!("{:?}", conn.read_value::<ImageUpdate>().await?),
        4 => format!("{:?}", conn.read_prompt_value::<AddObjectRequest>().await?),
        5 => format!("{:?}", conn.read_value::<Image>().await?),
        6 => {
            conn.reset_decoder();
            String::new()
        }
        _ => {
            let mut raw = vec![0; number];
            conn.read_exact(&mut raw).await?;
            format!("{raw:?}")
        }
    })
}
