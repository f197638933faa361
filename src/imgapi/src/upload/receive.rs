//! From the connection to the writer.

use bytes::Bytes;
use repository::transfer::Kind;
use repository::{ApiError, Code, Result};

use super::writer::Writer;
use crate::incoming::Incoming;

/// How a body came to its end.
#[derive(Debug)]
pub(crate) enum Ended {
    /// All of it was handed to the writer: so many bytes of the request.
    Complete(u64),
    /// The connection broke, or stood still, behind so many bytes of the request.
    Cut(u64, ApiError),
    /// There is more of it than may be.
    TooLong(ApiError),
    /// The writer gave up.
    WriterGone,
}

/// Where the bytes of a body belong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// What it is.
    pub(crate) kind: Kind,
    /// Bytes of the file before the first one that is written.
    pub(crate) before: u64,
    /// Bytes at the beginning of the body that are there already.
    pub(crate) skipped: u64,
    /// Bytes the body has, where its request says so beside its length.
    pub(crate) most: Option<u64>,
}

/// Hands a body to the writer, bit by bit.
pub(crate) async fn receive(body: &mut Incoming, place: Place, writer: &mut Writer) -> Ended {
    let mut received = 0u64;
    loop {
        let piece = match body.next().await {
            Err(error) => return Ended::Cut(received, error),
            Ok(None) => return Ended::Complete(received),
            Ok(Some(piece)) => piece,
        };
        let piece = match place.wanted(piece, &mut received) {
            Ok(piece) => piece,
            Err(error) => return Ended::TooLong(error),
        };
        if !piece.is_empty() && !writer.push(piece).await {
            return Ended::WriterGone;
        }
    }
}

impl Place {
    /// The part of a piece that is to be written.
    fn wanted(&self, mut piece: Bytes, received: &mut u64) -> Result<Bytes> {
        let skipped = self.skipped.saturating_sub(*received).min(piece.len() as u64);
        *received += piece.len() as u64;
        let new = received.saturating_sub(self.skipped);
        self.kind.check_received(self.before.saturating_add(new))?;
        if let Some(most) = self.most.filter(|most| *received > *most) {
            let message = format!("request body is longer than the {most} bytes of its Content-Range");
            return Err(ApiError::new(Code::Upload, message));
        }
        // At most the length of the piece, a usize.
        Ok(piece.split_off(skipped as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(skipped: u64, most: Option<u64>) -> Place {
        Place {
            kind: Kind::Icon,
            before: 10,
            skipped,
            most,
        }
    }

    #[test]
    fn bytes_that_are_there_already_are_left_out_wherever_pieces_end() {
        let content: Vec<u8> = (0..100).collect();
        for length in [1, 3, 7, 40, 99, 100] {
            let (mut received, mut written) = (0, Vec::new());
            for piece in content.chunks(length) {
                let piece = Bytes::copy_from_slice(piece);
                written.extend_from_slice(&place(40, Some(100)).wanted(piece, &mut received).unwrap());
            }
            assert_eq!(written, content[40..], "{length}");
        }
    }

    #[test]
    fn what_is_longer_than_it_may_be_is_refused_at_the_byte_too_many() {
        let bytes = |length| Bytes::from(vec![0; length]);
        let mut received = 0;
        assert!(place(0, Some(5)).wanted(bytes(5), &mut received).is_ok());
        let refused = place(0, Some(5)).wanted(bytes(1), &mut received).unwrap_err();
        assert_eq!(refused.status(), 400);
        // Ten bytes are there before; skipped ones are there once.
        let most = Kind::Icon.maximum() as usize;
        assert!(place(20, None).wanted(bytes(most + 10), &mut 0).is_ok());
        assert!(place(20, None).wanted(bytes(most + 11), &mut 0).is_err());
    }
}
