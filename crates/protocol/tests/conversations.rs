//! Recorded conversations of the original are understood, and what was said in JSON is said here byte for byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use gob::{Decoder, Gob, Progress};
use image::Directory;
use protocol::image_server::*;
use protocol::logger::*;
use protocol::object_server::*;
use protocol::{go_json, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn recording(name: &str, side: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration/golden/srpc");
    let path: PathBuf = [folder.as_path(), Path::new(name), Path::new(side)]
        .iter()
        .collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What follows the opening of the connection and so many lines.
fn body(bytes: &[u8], lines: usize) -> &[u8] {
    let opening = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    let mut rest = &bytes[opening..];
    for _ in 0..lines {
        rest = &rest[rest.iter().position(|&byte| byte == b'\n').unwrap() + 1..];
    }
    rest
}

trait Message: Gob + Serialize + DeserializeOwned + Debug + PartialEq {}
impl<T: Gob + Serialize + DeserializeOwned + Debug + PartialEq> Message for T {}

/// All values of a type at the start of a gob stream; what is left must be empty. Each survives a round trip.
fn all_gob<T: Message>(mut bytes: &[u8]) -> Vec<T> {
    let mut decoder = Decoder::new(limits::IMAGE);
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let Progress::Value { value, consumed } = decoder.decode::<T>(bytes).unwrap() else {
            panic!("cut short: {values:?}")
        };
        let again = gob::from_slice::<T>(&gob::to_vec(&value), limits::IMAGE)
            .unwrap()
            .0;
        assert_eq!(again, value);
        values.push(value);
        bytes = &bytes[consumed..];
    }
    values
}

/// Every line reads as the type and is written the same again.
fn all_json<T: Message>(bytes: &[u8]) -> Vec<T> {
    let lines = bytes
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| line.len() > 1);
    let one = |line: &[u8]| {
        let value: T = serde_json::from_slice(line).unwrap();
        let written = go_json::to_line(&value).unwrap();
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(line));
        value
    };
    lines.map(one).collect()
}

/// A call with one request and one reply, in both languages.
fn call<Q: Message, R: Message>(name: &str) {
    assert_eq!(
        all_gob::<Q>(body(&recording(&format!("{name}.gob"), "client.bin"), 1)).len(),
        1,
        "{name}"
    );
    assert_eq!(
        all_gob::<R>(body(&recording(&format!("{name}.gob"), "server.bin"), 2)).len(),
        1,
        "{name}"
    );
    assert_eq!(
        all_json::<Q>(body(&recording(&format!("{name}.json"), "client.bin"), 1)).len(),
        1,
        "{name}"
    );
    assert_eq!(
        all_json::<R>(body(&recording(&format!("{name}.json"), "server.bin"), 2)).len(),
        1,
        "{name}"
    );
}

/// A call without values from the client that streams values.
fn stream<R: Message>(name: &str) {
    let gob = all_gob::<R>(body(&recording(&format!("{name}.gob"), "server.bin"), 1));
    let json = all_json::<R>(body(&recording(&format!("{name}.json"), "server.bin"), 1));
    assert!(!gob.is_empty() && !json.is_empty(), "{name}");
}

#[test]
fn calls_of_the_image_server_are_understood() {
    call::<ChangeImageExpirationRequest, ChangeImageExpirationResponse>("ImageServer.ChangeImageExpiration");
    call::<ChangeImageExpirationRequest, ChangeImageExpirationResponse>(
        "ImageServer.ChangeImageExpiration.permanent",
    );
    call::<CheckDirectoryRequest, CheckDirectoryResponse>("ImageServer.CheckDirectory");
    call::<CheckImageRequest, CheckImageResponse>("ImageServer.CheckImage");
    call::<CheckImageRequest, CheckImageResponse>("ImageServer.CheckImage.missing");
    call::<DeleteDirectoryRequest, DeleteDirectoryResponse>("ImageServer.DeleteDirectory");
    call::<DeleteDirectoryRequest, DeleteDirectoryResponse>("ImageServer.DeleteDirectory.missing");
    call::<DeleteImageRequest, DeleteImageResponse>("ImageServer.DeleteImage");
    call::<DeleteUnreferencedObjectsRequest, DeleteUnreferencedObjectsResponse>(
        "ImageServer.DeleteUnreferencedObjects",
    );
    call::<FindLatestImageRequest, FindLatestImageResponse>("ImageServer.FindLatestImage");
    call::<GetImageRequest, GetImageResponse>("ImageServer.GetImage.missing");
    call::<GetImageRequest, GetImageResponse>("ImageServer.GetImage.nofs");
    call::<GetImageArchiveRequest, GetImageArchiveResponse>("ImageServer.GetImageArchive");
    call::<GetImageComputedFilesRequest, GetImageComputedFilesResponse>("ImageServer.GetImageComputedFiles");
    call::<GetImageExpirationRequest, GetImageExpirationResponse>("ImageServer.GetImageExpiration");
    call::<GetImageUsageEstimateRequest, GetImageUsageEstimateResponse>("ImageServer.GetImageUsageEstimate");
    call::<GetObjectStatisticsForImagesRequest, GetObjectStatisticsForImagesResponse>(
        "ImageServer.GetObjectStatisticsForImages",
    );
    call::<GetReplicationMasterRequest, GetReplicationMasterResponse>("ImageServer.GetReplicationMaster");
    call::<ImportTreeRequest, ImportTreeResponse>("ImageServer.ImportTree");
    call::<MakeDirectoryRequest, MakeDirectoryResponse>("ImageServer.MakeDirectory");
}

#[test]
fn streams_of_the_image_server_are_understood() {
    stream::<Directory>("ImageServer.ListDirectories");
    stream::<Object>("ImageServer.ListUnreferencedObjects");
    stream::<Object>("ImageServer.ListUnreferencedObjects.some");
    stream::<ImageUpdate>("ImageServer.GetImageUpdates");
    stream::<ImageUpdate>("ImageServer.GetFilteredImageUpdates");
}

#[test]
fn calls_of_the_object_server_and_of_the_logger_are_understood() {
    call::<CheckObjectsRequest, CheckObjectsResponse>("ObjectServer.CheckObjects");
    call::<ImportObjectsRequest, ImportObjectsResponse>("ObjectServer.ImportObjects");
    call::<DebugRequest, DebugResponse>("Logger.Debug");
    call::<PrintRequest, PrintResponse>("Logger.Print");
    call::<SetDebugLevelRequest, SetDebugLevelResponse>("Logger.SetDebugLevel");
    all_gob::<AddObjectResponse>(body(&recording("ObjectServer.AddObjects.gob", "server.bin"), 1));
    all_gob::<AddObjectResponse>(body(
        &recording("ObjectServer.AddObjects.badhash.gob", "server.bin"),
        1,
    ));
}

#[test]
fn a_whole_image_from_gob_is_the_recorded_json() {
    let gob = recording("ImageServer.GetImage.gob", "server.bin");
    let replies = all_gob::<GetImageResponse>(body(&gob, 2));
    let json = recording("ImageServer.GetImage.json", "server.bin");
    let written = go_json::to_line(&replies[0]).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(body(&json, 2))
    );
}

#[test]
fn a_tree_in_json_is_refused_in_the_words_of_the_original() {
    for name in [
        "ImageServer.AddImage",
        "ImageServer.AddImage.exists",
        "ImageServer.AddImageTrusted",
    ] {
        let request = recording(&format!("{name}.json"), "client.bin");
        let error = serde_json::from_slice::<AddImageRequest>(body(&request, 1)).unwrap_err();
        let reply = recording(&format!("{name}.json"), "server.bin");
        let told = String::from_utf8_lossy(body(&reply, 1)).trim_end().to_owned();
        assert_eq!(go_json::error_text(&error), told);
    }
    let requests = all_gob::<AddImageRequest>(body(&recording("ImageServer.AddImage.gob", "client.bin"), 1));
    requests[0]
        .image
        .as_ref()
        .unwrap()
        .file_system
        .as_ref()
        .unwrap()
        .check()
        .unwrap();
}

#[test]
fn metadata_of_an_image_reads_as_the_tools_show_it() {
    let (mut image, _) = protocol::image_file::decode(include_bytes!("data/v1")).unwrap();
    image.file_system = None;
    let text = String::from_utf8(go_json::to_pretty(&image).unwrap()).unwrap();
    assert_eq!(text, include_str!("data/v1.meta.json"));
}
