//! A directory with a repository in it.

use actors::image_repository::{
    ImageRepository, ImageRepositorySystem, RepositoryStore, Slot, Stored, Upload, start,
};
use repository::Uuid;
use repository::digest::Digester;
use repository::manifest::{Compression, FileEntry, Mode, Record, Rules};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const RULES: Rules = Rules {
    mode: Mode::Public,
    has_channels: false,
};

/// How long a lock of a run that is over is waited for, at most.
const LOCK_WAIT: Duration = Duration::from_secs(30);

pub(crate) fn uuid(number: u32) -> Uuid {
    Uuid::parse(&format!("{number:08x}-0000-4000-8000-{number:012x}")).unwrap()
}

/// A record of an image without files, not activated.
pub(crate) fn record(number: u32, version: &str) -> Record {
    record_with(number, version, &json!({}))
}

pub(crate) fn record_with(number: u32, version: &str, more: &Value) -> Record {
    let mut object = json!({
        "v": 2, "uuid": uuid(number).to_string(), "owner": uuid(1_000_000).to_string(), "name": format!("image-{number}"),
        "version": version, "state": "unactivated", "disabled": false, "activated": false, "public": true,
        "type": "lx-dataset", "os": "linux", "files": [],
    });
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    Record::new(object.as_object().unwrap().clone(), &RULES).unwrap()
}

/// What a record says of a file with this content.
pub(crate) fn file_entry(content: &[u8]) -> FileEntry {
    let mut digester = Digester::new().unwrap();
    digester.update(content).unwrap();
    let digests = digester.finish().unwrap();
    FileEntry {
        sha1: digests.sha1,
        size: digests.size,
        compression: Compression::None,
        dataset_guid: None,
        stor: "local".to_owned(),
        content_md5: Some(digests.md5),
        mtime: Some("2026-01-02T03:04:05.678Z".to_owned()),
    }
}

/// Starts the repository of a directory. A run before in this process may still be letting go of it.
pub(crate) fn started(base: &Path) -> ImageRepositorySystem {
    started_with(RepositoryStore::new(base, RULES))
}

pub(crate) fn started_with(store: RepositoryStore) -> ImageRepositorySystem {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match start(store.clone()) {
            Ok(system) => return system,
            Err(error) if error.to_string().contains("in use") && Instant::now() < deadline => {
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
    pub(crate) system: Option<ImageRepositorySystem>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let system = Some(started(directory.path()));
        Self { directory, system }
    }

    pub(crate) fn repository(&self) -> &ImageRepository {
        self.system.as_ref().unwrap().repository()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// Stops and starts again.
    pub(crate) fn restart(&mut self) {
        if let Some(system) = self.system.take() {
            system.stop();
        }
        self.system = Some(started(self.directory.path()));
    }
}

/// Adds an image with a file, not activated.
pub(crate) async fn add_with_file(repository: &ImageRepository, number: u32, content: &[u8]) -> Stored {
    let stored = repository.create(record(number, "1.0.0")).await.unwrap();
    put_file(repository, &stored, content).await
}

pub(crate) async fn put_file(repository: &ImageRepository, stored: &Stored, content: &[u8]) -> Stored {
    let upload = received(repository, stored.record.uuid(), content).await;
    let record = stored.record.with_file(0, &file_entry(content)).unwrap();
    repository.commit(upload, record, stored.revision).await.unwrap()
}

pub(crate) async fn received(repository: &ImageRepository, uuid: Uuid, content: &[u8]) -> Upload {
    let mut upload = repository.begin_upload(uuid, Slot::File(0), false).await.unwrap();
    upload.append(content).unwrap();
    upload
}

/// Everything below a directory but our own dot files: names with their contents.
pub(crate) fn files_below(base: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    collect(base, base, &mut found);
    found.sort();
    found
}

fn collect(base: &Path, at: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, found);
        } else {
            let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
            if !name.split('/').any(|part| part.starts_with('.')) {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
}
