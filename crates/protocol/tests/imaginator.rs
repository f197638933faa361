//! Messages of the image builder, as the original's own encoders write them (`data/imaginator`), are understood and written the
//! same way.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Debug;
use std::path::Path;

use gob::{Decoder, Encoder, Gob, Progress};
use protocol::imaginator::*;
use protocol::{go_json, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/imaginator");
    std::fs::read(folder.join(name)).unwrap()
}

fn from_gob<T: Gob>(mut bytes: &[u8]) -> Vec<T> {
    let mut decoder = Decoder::new(limits::IMAGE);
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let Progress::Value { value, consumed } = decoder.decode::<T>(bytes).unwrap() else {
            panic!("cut short")
        };
        values.push(value);
        bytes = &bytes[consumed..];
    }
    values
}

/// The same values in both languages; what is written here reads as the same, and the JSON byte for byte.
fn same<T: Gob + Serialize + DeserializeOwned + Debug + PartialEq>(name: &str) {
    let values: Vec<T> = from_gob(&data(&format!("{name}.gob")));
    let json = data(&format!("{name}.json"));
    let lines: Vec<&[u8]> = json.split_inclusive(|&byte| byte == b'\n').collect();
    assert_eq!(values.len(), lines.len(), "{name}");
    let (mut encoder, mut written) = (Encoder::new(), Vec::new());
    for (value, line) in values.iter().zip(lines) {
        let text = go_json::to_line(value).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&text),
            String::from_utf8_lossy(line),
            "{name}"
        );
        assert_eq!(*value, serde_json::from_slice::<T>(line).unwrap(), "{name}");
        encoder.encode(value, &mut written);
    }
    assert_eq!(from_gob::<T>(&written), values, "{name}");
}

#[test]
fn messages_written_by_the_original_are_understood_and_written_the_same() {
    same::<BuildImageRequest>("BuildImageRequest");
    same::<BuildImageResponse>("BuildImageResponse");
    same::<DisableAutoBuildsRequest>("DisableAutoBuildsRequest");
    same::<DisableAutoBuildsResponse>("DisableAutoBuildsResponse");
    same::<DisableBuildRequestsRequest>("DisableBuildRequestsRequest");
    same::<DisableBuildRequestsResponse>("DisableBuildRequestsResponse");
    same::<GetDependenciesRequest>("GetDependenciesRequest");
    same::<GetDependenciesResponse>("GetDependenciesResponse");
    same::<GetDirectedGraphRequest>("GetDirectedGraphRequest");
    same::<GetDirectedGraphResponse>("GetDirectedGraphResponse");
    same::<ReplaceIdleSlavesRequest>("ReplaceIdleSlavesRequest");
    same::<ReplaceIdleSlavesResponse>("ReplaceIdleSlavesResponse");
    same::<StartAutoBuildsRequest>("StartAutoBuildsRequest");
    same::<StartAutoBuildsResponse>("StartAutoBuildsResponse");
}

#[test]
fn an_embedded_struct_is_one_field_in_gob_and_flat_in_json() {
    let values: Vec<GetDependenciesResponse> = from_gob(&data("GetDependenciesResponse.gob"));
    let result = &values[1].get_dependencies_result;
    assert_eq!(result.stream_to_source.as_ref().unwrap()["a"], "b");
    assert!(result.unbuildable_sources.as_ref().unwrap().contains_key("x"));
    assert_eq!(values[1].error, "err");
    let json = String::from_utf8(go_json::to_line(&values[1]).unwrap()).unwrap();
    assert!(
        json.contains(r#""StreamToSource":{"a":"b"}"#) && !json.contains("GetDependenciesResult"),
        "{json}"
    );
}

#[test]
fn a_piece_of_a_log_carries_nothing_else() {
    let values: Vec<BuildImageResponse> = from_gob(&data("BuildImageResponse.gob"));
    let piece = BuildImageResponse {
        build_log: b"line\n".to_vec(),
        ..BuildImageResponse::default()
    };
    assert_eq!(values[0], piece);
}
