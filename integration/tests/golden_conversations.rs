//! Every recorded conversation with the original image server is answered alike by ours.
//!
//! The state behind the recordings is told in `../shared/golden/srpc/STATE.md`; what lies on disk at their start is read
//! from `../shared/golden/disk`. Ids of gob types, the order of maps and of listings, and times are not compared.

use anyhow::{Context, Result};
use gob::Gob;
use image::{Annotation, Filter, Image};
use integration::golden::tokens::{self, Token};
use integration::golden::{Recording, shared_golden};
use integration::plain_call::{call, connect};
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use protocol::object_server::*;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// In the order they were recorded, for one coder. `%` stands for a step of [`between`].
const ORDER: &[&str] = &[
    "connect",
    "ping",
    "error.unknown-service",
    "error.unknown-method",
    "error.malformed",
    "ImageServer.CheckImage",
    "ImageServer.CheckImage.missing",
    "ImageServer.CheckImage.two-calls",
    "ImageServer.CheckDirectory",
    "ImageServer.MakeDirectory",
    "ImageServer.MakeDirectory.exists",
    "ImageServer.MakeDirectory.all",
    "ImageServer.ChownDirectory",
    "ImageServer.DeleteDirectory",
    "ImageServer.DeleteDirectory.missing",
    "ImageServer.GetImage",
    "ImageServer.GetImage.missing",
    "ImageServer.GetImage.nofs",
    "ImageServer.AddImage",
    "ImageServer.AddImage.exists",
    "ImageServer.AddImageTrusted",
    "ImageServer.GetImageArchive",
    "ImageServer.GetImageComputedFiles",
    "ImageServer.GetImageExpiration",
    "ImageServer.GetImageExpiration.none",
    "ImageServer.ChangeImageExpiration",
    "ImageServer.ChangeImageExpiration.permanent",
    "ImageServer.GetImageUpdates",
    "ImageServer.GetFilteredImageUpdates",
    "ImageServer.GetImageUsageEstimate",
    "ImageServer.GetObjectStatisticsForImages",
    "ImageServer.GetReplicationMaster",
    "ImageServer.FindLatestImage",
    "ImageServer.ListDirectories",
    "ImageServer.ListImages",
    "ImageServer.ListSelectedImages",
    "ImageServer.ImportTree",
    "ImageServer.DeleteImage",
    "ImageServer.DeleteImage.missing",
    "ImageServer.ListUnreferencedObjects",
    "ImageServer.DeleteUnreferencedObjects",
    "ObjectServer.AddObjects",
    "ObjectServer.AddObjects.badhash",
    "ObjectServer.CheckObjects",
    "ObjectServer.GetObjects",
    "ObjectServer.ImportObjects",
    "ObjectServer.TestBandwidth",
    "Logger.Debug",
    "Logger.GetStackTrace",
    "Logger.Print",
    "Logger.SetDebugLevel",
    "Logger.Watch",
];

/// Recorded at the end, or on a server of its own that had all the objects.
const AFTERWARDS: &[&str] = &[
    "ImageServer.ListUnreferencedObjects.some.gob",
    "ImageServer.DeleteUnreferencedObjects.some.gob",
    "ImageServer.ListUnreferencedObjects.some.json",
    "ObjectServer.ImportObjects.ok.gob",
];

/// How long an object stays protected after the connection that added it (`imageserver.md §4.1`).
const LEASE: Duration = Duration::from_secs(11);

/// Answers that differ on purpose, each with the row of the specification that says so.
const BETTER: &[(&str, &str)] = &[
    // The original's decoder swallows the object and waits for ever (srpc.md §3.3); ours reads exactly one value.
    ("ObjectServer.AddObjects.json", "srpc.md §3.3"),
    ("ObjectServer.AddObjects.badhash.json", "srpc.md §3.3"),
    ("ObjectServer.TestBandwidth.json", "srpc.md §3.3"),
    // A stack dump of another language: only that there is one.
    ("Logger.GetStackTrace.gob", "imageserver.md §5"),
];

/// Contents that the recordings do not carry: `small/del3` has one file of this text here.
const TREE_3_CONTENT: &[u8] = b"tree 3\n";

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/srpc")
}

/// The recording of this name, from the copy in this tree or from beside the checkout.
fn recording(name: &str) -> Result<Option<Recording>> {
    let mut places = vec![recordings()];
    places.extend(shared_golden().map(|golden| golden.join("srpc")));
    let found = places
        .into_iter()
        .map(|place| place.join(name))
        .find(|path| path.is_dir());
    found.map(|path| Recording::read(&path)).transpose()
}

/// The value that a recorded client sent as its one request.
fn recorded_request<T: Gob>(name: &str) -> Result<T> {
    let recording = recording(name)?.context("no such recording")?;
    let line = format!("{}\n", recording.method());
    let start = recording
        .client
        .windows(line.len())
        .position(|window| window == line.as_bytes());
    let start = start.context("no method line")? + line.len();
    Ok(gob::from_slice(&recording.client[start..], gob::Limits::default())?.0)
}

fn in_an_hour() -> gob::Time {
    gob::Time::from(SystemTime::now() + Duration::from_secs(3600))
}

fn add(server: &ImageServer, name: &str, image: Image) -> Result<()> {
    let request = AddImageRequest {
        image_name: name.to_owned(),
        image: Some(image),
    };
    let _: AddImageResponse =
        call(server.address(), "ImageServer.AddImageTrusted", &request).context(name.to_owned())?;
    Ok(())
}

fn make_directory(server: &ImageServer, name: &str) -> Result<()> {
    let request = MakeDirectoryRequest {
        directory_name: name.to_owned(),
        make_all: false,
    };
    let _: MakeDirectoryResponse = call(server.address(), "ImageServer.MakeDirectory", &request)?;
    Ok(())
}

fn delete(server: &ImageServer, name: &str) -> Result<()> {
    let request = DeleteImageRequest {
        image_name: name.to_owned(),
    };
    let _: DeleteImageResponse = call(server.address(), "ImageServer.DeleteImage", &request)?;
    Ok(())
}

/// A small tree in which the first object of `tree_1` took the place of all others' contents.
fn tree_3(tree_1: &Image) -> Image {
    let mut image = tree_1.clone();
    image.filter = Some(Filter::default());
    image.triggers = None;
    // It was added last, and FindLatestImage tells.
    image.created_on = gob::Time::from(SystemTime::now());
    image.build_log = Some(Annotation {
        object: Some(hash::of(TREE_3_CONTENT)),
        url: String::new(),
    });
    image
}

fn add_object(server: &ImageServer, content: &[u8]) -> Result<()> {
    let mut stream = connect(server.address())?;
    let mut bytes = b"ObjectServer.AddObjects\n".to_vec();
    let mut encoder = gob::Encoder::new();
    encoder.encode(
        &AddObjectRequest {
            length: content.len() as u64,
            expected_hash: None,
        },
        &mut bytes,
    );
    bytes.extend_from_slice(content);
    encoder.encode(&AddObjectRequest::default(), &mut bytes);
    stream.get_mut().write_all(&bytes)?;
    stream.get_mut().shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let (response, _) = gob::from_slice::<AddObjectResponse>(&answer[1..], gob::Limits::default())?;
    anyhow::ensure!(response.error_string.is_empty() && response.added, "{response:?}");
    Ok(())
}

/// Brings an empty home to the state that the recordings begin with.
fn prepare(golden: &Path) -> Result<(Home, ImageServer)> {
    let home = Home::new()?;
    std::fs::create_dir(home.images().join("small"))?;
    for name in ["v1", "v2"] {
        std::fs::copy(
            golden.join("disk/images/small").join(name),
            home.images().join("small").join(name),
        )?;
    }
    let status = std::process::Command::new("cp")
        .args(["-r", "--no-preserve=mode"])
        .arg(golden.join("disk/objects").join("."))
        .arg(home.objects())
        .status()?;
    anyhow::ensure!(status.success(), "cannot copy the objects");
    let server = home.start_insecure(&[])?;
    let tree_1 = recorded_request::<AddImageRequest>("ImageServer.AddImage.gob")?
        .image
        .context("no image")?;
    make_directory(&server, "todelete")?;
    for name in ["small/exp", "small/del"] {
        add(
            &server,
            name,
            Image {
                expires_at: in_an_hour(),
                ..tree_1.clone()
            },
        )?;
    }
    add(
        &server,
        "small/del2",
        Image {
            triggers: None,
            ..tree_1.clone()
        },
    )?;
    add_object(&server, TREE_3_CONTENT)?;
    add(&server, "small/del3", tree_3(&tree_1))?;
    Ok((home, server))
}

/// Replays a stream that reports what happens, and lets it happen.
fn replay_live(
    recording: &Recording,
    server: &ImageServer,
    happen: impl FnOnce() -> Result<()>,
) -> Result<Vec<u8>> {
    let mut stream = std::net::TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(&recording.client)?;
    let mut reader = stream.try_clone()?;
    let received = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = reader.read_to_end(&mut bytes);
        (bytes, result)
    });
    // The initial list, or the acceptance of a watch, precedes what happens.
    std::thread::sleep(Duration::from_millis(300));
    happen()?;
    std::thread::sleep(Duration::from_millis(500));
    stream.shutdown(Shutdown::Write)?;
    let (bytes, result) = received
        .join()
        .map_err(|_| anyhow::anyhow!("the reader panicked"))?;
    result?;
    Ok(bytes)
}

/// A directory with one image that comes and goes.
fn live_changes(server: &ImageServer, directory: &str) -> Result<()> {
    let tree_1 = recorded_request::<AddImageRequest>("ImageServer.AddImage.gob")?
        .image
        .context("no image")?;
    let pause = || std::thread::sleep(Duration::from_millis(100));
    let image = format!("{directory}/x");
    make_directory(server, directory)?;
    pause();
    add(server, &image, tree_3(&tree_1))?;
    pause();
    delete(server, &image)?;
    pause();
    std::fs::remove_file(server.images.join(&image))?;
    let request = DeleteDirectoryRequest {
        directory_name: directory.to_owned(),
    };
    let response: DeleteDirectoryResponse = call(server.address(), "ImageServer.DeleteDirectory", &request)?;
    anyhow::ensure!(response.error.is_empty(), "{}", response.error);
    Ok(())
}

/// What ours and theirs said, in a form that may be compared.
fn answers(recording: &Recording, ours: &[u8]) -> Result<(Vec<Token>, Vec<Token>)> {
    let cut = |bytes| tokens::parse(&recording.method(), recording.is_json(), bytes);
    let mut theirs = cut(&recording.server).context("theirs")?;
    let mut ours = cut(ours).with_context(|| format!("ours: {:?}", String::from_utf8_lossy(ours)))?;
    for tokens in [&mut ours, &mut theirs] {
        match recording.method().as_str() {
            // The initial list's images, and all directories, come in any order.
            "ImageServer.GetImageUpdates"
            | "ImageServer.GetFilteredImageUpdates"
            | "ImageServer.ListDirectories" => {
                let end = tokens.iter().position(is_end_mark).unwrap_or(tokens.len());
                tokens[1..end].sort_by_key(|token| format!("{token:?}"));
            }
            "Logger.Watch" => tokens.iter_mut().for_each(without_log_time),
            // Which objects are left over depends on a tree that the recordings do not carry; that there are some,
            // and how the list ends, does not.
            "ImageServer.ListUnreferencedObjects" if recording.name.contains(".some.") => {
                anyhow::ensure!(tokens.len() > 2, "an empty list: {tokens:?}");
                tokens.drain(1..tokens.len() - 1);
            }
            _ => {}
        }
    }
    Ok((ours, theirs))
}

fn is_end_mark(token: &Token) -> bool {
    let Token::Value(value) = token else { return false };
    let name = value
        .get("Name")
        .and_then(|name| name.as_str())
        .unwrap_or_default();
    name.is_empty() && value.get("Directory").is_none_or(serde_json::Value::is_null)
}

/// `2026/11/22 05:00:38 text` without the time.
fn without_log_time(token: &mut Token) {
    if let Token::Raw(bytes) = token {
        let text = String::from_utf8_lossy(bytes).into_owned();
        *bytes = text
            .split_inclusive('\n')
            .map(|line| line.get(20..).unwrap_or(line))
            .collect::<String>()
            .into_bytes();
    }
}

fn replay(recording: &Recording, server: &ImageServer) -> Result<Vec<u8>> {
    let coder = if recording.is_json() { "json" } else { "gob" };
    match recording.method().as_str() {
        "ImageServer.GetImageUpdates" => replay_live(recording, server, || {
            live_changes(server, &format!("live-{coder}"))
        }),
        "ImageServer.GetFilteredImageUpdates" => replay_live(recording, server, || Ok(())),
        "Logger.Watch" => replay_live(recording, server, || {
            make_directory(server, &format!("watched-{coder}"))
        }),
        "ImageServer.ChangeImageExpiration" => up_to_date(recording)?.replay(server.address()),
        _ => recording.replay(server.address()),
    }
}

/// A request for a time that has passed since the recording, made to ask for a later one.
fn up_to_date(recording: &Recording) -> Result<Recording> {
    let client = &recording.client;
    let line = format!("{}\n", recording.method());
    let start = client
        .windows(line.len())
        .position(|window| window == line.as_bytes())
        .context("no method line")?;
    let (head, body) = client.split_at(start + line.len());
    let mut request: ChangeImageExpirationRequest = match recording.is_json() {
        true => serde_json::from_slice(body)?,
        false => gob::from_slice(body, gob::Limits::default())?.0,
    };
    if !request.expires_at.is_zero() {
        let hours = if recording.is_json() { 3 } else { 2 };
        request.expires_at = gob::Time::from(SystemTime::now() + Duration::from_secs(hours * 3600));
    }
    let mut client = head.to_vec();
    match recording.is_json() {
        true => client.extend(format!("{}\n", serde_json::to_string(&request)?).into_bytes()),
        false => client.extend(gob::to_vec(&request)),
    }
    Ok(Recording {
        name: recording.name.clone(),
        client,
        server: recording.server.clone(),
    })
}

fn compare_all(names: &[String], server: &ImageServer) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for name in names {
        let Some(recording) = recording(name)? else {
            continue;
        };
        let outcome = replay(&recording, server).and_then(|ours| answers(&recording, &ours));
        let better = BETTER.iter().any(|(better, _)| better == name);
        match outcome {
            Ok((ours, theirs)) if ours == theirs || better => {}
            Ok((ours, theirs)) => {
                differences.push(format!("{name}\n  ours:   {ours:?}\n  theirs: {theirs:?}"))
            }
            Err(error) => differences.push(format!("{name}: {error:#}")),
        }
    }
    Ok(differences)
}

#[test]
fn recorded_conversations_are_answered_alike() {
    let Some(golden) = shared_golden() else {
        return integration::skip(
            "recorded_conversations_are_answered_alike",
            "no ../shared/golden beside this checkout",
        );
    };
    let (_home, server) = prepare(&golden).unwrap();
    let mut differences = Vec::new();
    for coder in ["gob", "json"] {
        let names: Vec<String> = ORDER.iter().map(|name| format!("{name}.{coder}")).collect();
        differences.extend(compare_all(&names, &server).unwrap());
    }
    // As recorded: a pause in which the protection of what was added ends, then two images go.
    std::thread::sleep(LEASE + Duration::from_secs(1));
    for name in ["small/del2", "small/del3"] {
        delete(&server, name).unwrap();
    }
    let names: Vec<String> = AFTERWARDS.iter().map(|name| (*name).to_owned()).collect();
    differences.extend(compare_all(&names, &server).unwrap());
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
