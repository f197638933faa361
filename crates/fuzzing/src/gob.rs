//! Gob streams of every type that travels, whole and in pieces.

mod kinds;

use gob::{Decoder, Error, Gob, Limits, Progress};
use image::{DirectoryMetadata, Image};
use protocol::image_server as images;
use protocol::object_server as objects;
use protocol::{archive, limits, logger, mdb, subd};

use crate::input::{Input, Pieces};

/// Values of one stream that are looked at.
const VALUES_MAX: usize = 256;

/// What to do with a stream of some type: first the choice of pieces, then the bytes.
type OfType = fn(Pieces, Limits, &[u8]);

const TYPES: &[(OfType, Limits)] = &[
    (stream::<Image>, limits::IMAGE),
    (stream::<images::GetImageResponse>, limits::IMAGE),
    (stream::<images::AddImageRequest>, limits::IMAGE),
    (stream::<images::ImageUpdate>, limits::SMALL),
    (stream::<images::GetImageInodesResponse>, limits::IMAGE),
    (stream::<images::FindLatestImageRequest>, limits::SMALL),
    (stream::<images::ListSelectedImagesRequest>, limits::SMALL),
    (stream::<images::GetImageComputedFilesResponse>, limits::IMAGE),
    (stream::<objects::AddObjectRequest>, limits::SMALL),
    (stream::<objects::AddObjectResponse>, limits::SMALL),
    (stream::<objects::CheckObjectsRequest>, limits::HASHES),
    (stream::<objects::GetObjectsResponse>, limits::HASHES),
    (stream::<archive::ImageArchive>, limits::IMAGE),
    (stream::<DirectoryMetadata>, limits::SMALL),
    (stream::<logger::WatchResponse>, limits::SMALL),
    (stream::<mdb::GetMdbResponse>, limits::HASHES),
    (stream::<subd::FileSystemHeader>, limits::IMAGE),
    (stream::<subd::EncodedInode>, limits::SMALL),
    (stream::<kinds::Kinds>, limits::SMALL),
    (stream::<Vec<u8>>, limits::SMALL),
    (stream::<gob::Time>, limits::SMALL),
];

/// The type, the pieces, then a gob stream.
pub fn gob(data: &[u8]) {
    let mut input = Input::new(data);
    let (of_type, limits) = &TYPES[usize::from(input.byte()) % TYPES.len()];
    let pieces = Pieces::new(input.byte());
    of_type(pieces, limits.clone(), input.rest());
}

/// A value as it would be sent on, with the bytes it took, or why there is none.
type Outcome = Result<(Vec<u8>, usize), Error>;

fn stream<T: Gob>(pieces: Pieces, limits: Limits, bytes: &[u8]) {
    let whole = decode_all::<T>(Decoder::new(limits.clone()), bytes, None);
    let pieced = decode_all::<T>(Decoder::new(limits.clone()), bytes, Some(pieces));
    assert_eq!(whole, pieced, "the pieces matter");
    skip_agrees(limits, bytes, &whole);
    for (sent, _) in whole.into_iter().flatten() {
        fixpoint::<T>(&sent);
    }
}

/// Every value of a stream up to the first that is not all there; after an error it goes on behind it, as connections do.
fn decode_all<T: Gob>(mut decoder: Decoder, mut bytes: &[u8], mut pieces: Option<Pieces>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while !bytes.is_empty() && outcomes.len() < VALUES_MAX {
        let progress = match &mut pieces {
            None => decoder.decode::<T>(bytes),
            Some(pieces) => decode_pieces(&mut decoder, bytes, pieces),
        };
        let consumed = match progress {
            Ok(Progress::NeedMore { at_least }) => {
                assert!(at_least > bytes.len(), "asks for what is there");
                break;
            }
            Ok(Progress::Value { value, consumed }) => {
                outcomes.push(Ok((gob::to_vec(&value), consumed)));
                consumed
            }
            Err(error) => {
                let is_end = matches!(error, Error::TooLarge { .. });
                outcomes.push(Err(error));
                if is_end {
                    break;
                }
                decoder.consumed_by_failure()
            }
        };
        if consumed == 0 {
            break;
        }
        bytes = &bytes[consumed..];
    }
    outcomes
}

/// One value from bytes that arrive bit by bit.
fn decode_pieces<T: Gob>(
    decoder: &mut Decoder,
    bytes: &[u8],
    pieces: &mut Pieces,
) -> Result<Progress<T>, Error> {
    let mut arrived = 0;
    let mut wanted = 1;
    loop {
        arrived = (arrived + pieces.next()).min(bytes.len());
        match decoder.decode::<T>(&bytes[..arrived])? {
            Progress::NeedMore { at_least } => {
                assert!(at_least > arrived, "asks for what is there");
                assert!(at_least >= wanted, "wants less than before");
                wanted = at_least;
                if arrived == bytes.len() {
                    return Ok(Progress::NeedMore { at_least });
                }
            }
            Progress::Value { value, consumed } => {
                assert!(consumed >= wanted && consumed <= arrived, "done too early");
                return Ok(Progress::Value { value, consumed });
            }
        }
    }
}

/// Whatever was decoded can also be passed over.
fn skip_agrees(limits: Limits, mut bytes: &[u8], outcomes: &[Outcome]) {
    let mut decoder = Decoder::new(limits);
    for outcome in outcomes {
        let Ok((_, consumed)) = outcome else { return };
        match decoder.skip_value(bytes) {
            Ok(Progress::Value {
                consumed: skipped, ..
            }) => assert_eq!(skipped, *consumed),
            other => panic!("decoded but not skipped: {other:?}"),
        }
        bytes = &bytes[*consumed..];
    }
}

/// What we send is read as what it was.
fn fixpoint<T: Gob>(sent: &[u8]) {
    match gob::from_slice::<T>(sent, limits::IMAGE) {
        Ok((value, consumed)) => {
            assert_eq!(consumed, sent.len());
            assert!(gob::to_vec(&value) == sent, "another value comes back");
        }
        Err(error) => panic!("what was sent is not understood: {error}"),
    }
}

/// Seeds for the types that no recording has, by name.
#[doc(hidden)]
pub fn gob_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let kinds = gob::to_vec(&kinds::Kinds::sample());
    let time = gob::to_vec(&gob::Time::new(1_700_000_000, 5, gob::Zone::Offset(-1172)));
    [("kinds", 18, kinds), ("time", 20, time)]
        .map(|(name, number, stream)| (name, [&[number, 5], stream.as_slice()].concat()))
        .to_vec()
}
