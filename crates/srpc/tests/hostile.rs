//! Whatever bytes a peer sends: an error at worst.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use bytes::BytesMut;
use common::services::{Text, WhoAmI, text};
use proptest::prelude::*;
use srpc::powers::{CertificateClaims, Pattern};
use srpc::{Coder, Conn, Message, Transport};
use tokio::io::AsyncWriteExt;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// A connection whose peer sends `pieces` and leaves.
async fn peer_sends(coder: Coder, pieces: Vec<Vec<u8>>) -> Conn {
    let (near, mut far) = tokio::io::duplex(64);
    tokio::spawn(async move {
        for piece in pieces {
            if far.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    Conn::new(Transport::Other(Box::new(near)), coder, BytesMut::new())
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..6)
}

fn coders() -> impl Strategy<Value = Coder> {
    prop_oneof![Just(Coder::Gob), Just(Coder::Json)]
}

/// The values and what follows them, cut into pieces anywhere.
fn written<T: Message>(coder: Coder, values: &[T], rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gob::Encoder::new();
    for value in values {
        match coder {
            Coder::Gob => encoder.encode(value, &mut bytes),
            Coder::Json => {
                bytes.extend(srpc::json::to_vec(value).unwrap());
                bytes.push(b'\n');
            }
        }
    }
    bytes.extend_from_slice(rest);
    bytes
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_error(coder in coders(), pieces in pieces()) {
        let length: usize = pieces.iter().map(Vec::len).sum();
        run(async {
            let mut conn = peer_sends(coder, pieces.clone()).await;
            // Each failure takes something, or it is the end: no more rounds than bytes.
            let mut rounds = 0;
            while let Err(error) = conn.read_value::<WhoAmI>().await {
                rounds += 1;
                if !error.keeps_connection() || rounds > length + 1 {
                    break;
                }
                if matches!(conn.read_line(20).await, Ok(None) | Err(_)) {
                    break;
                }
            }
            let mut conn = peer_sends(coder, pieces).await;
            while let Ok(Some(_)) = conn.read_line(50).await {}
        });
    }

    #[test]
    fn values_lines_and_bytes_come_out_as_they_went_in(
        coder in coders(),
        texts in prop::collection::vec(".{0,40}", 1..5),
        line in "[a-z<&]{0,30}",
        raw in prop::collection::vec(any::<u8>(), 0..300),
        cut in 1_usize..64,
    ) {
        run(async {
            let values: Vec<Text> = texts.iter().map(|each| text(each)).collect();
            let mut rest = format!("{line}\n").into_bytes();
            rest.extend_from_slice(&raw);
            let bytes = written(coder, &values, &rest);
            let mut conn = peer_sends(coder, bytes.chunks(cut).map(<[u8]>::to_vec).collect()).await;
            for value in &values {
                assert_eq!(&conn.read_value::<Text>().await.unwrap(), value);
            }
            assert_eq!(conn.read_line(30).await.unwrap(), Some(line));
            let mut target = vec![0; raw.len()];
            conn.read_exact(&mut target).await.unwrap();
            assert_eq!(target, raw);
            assert_eq!(conn.read_line(30).await.unwrap(), None);
        });
    }

    #[test]
    fn any_pattern_is_matched_or_malformed(pattern in "[a*?\\[\\]^\\\\/.-]{0,12}", text in "[ab/.\\]-]{0,12}") {
        let compiled = Pattern::new(&pattern);
        prop_assert!(compiled.is_well_formed() || !compiled.matches(&text));
    }

    #[test]
    fn any_bytes_are_a_certificate_or_an_error(der in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = CertificateClaims::from_der(&der);
    }
}

#[test]
fn a_damaged_certificate_is_read_or_refused() {
    let authority = common::certificates::Authority::new("CA");
    let whole = authority
        .issue(&common::certificates::user("u", &["*.*"]))
        .certificate
        .to_der()
        .unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        let _ = CertificateClaims::from_der(&damaged);
        let _ = CertificateClaims::from_der(&whole[..at]);
    }
}
