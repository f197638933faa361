//! Images put into a repository's directory by hand, as the original would have stored them.

use crate::repository::Repository;
use anyhow::Result;
use repository::digest::Digester;
use serde_json::{Value, json};
use std::fs;

/// Puts an active image with such a file there, before the daemon is started; `fields` replace those of its record. The SHA-1 of its file.
pub fn put(repository: &Repository, uuid: &str, file: &[u8], fields: &Value) -> Result<String> {
    let base = repository.base();
    let directory = base.join("images").join(&uuid[..3]).join(uuid);
    fs::create_dir_all(&directory)?;
    fs::create_dir_all(base.join("manifests"))?;
    fs::write(directory.join("file0"), file)?;
    let mut digester = Digester::new()?;
    digester.update(file)?;
    let digests = digester.finish()?;
    let mut record = json!({
        "v": 2, "uuid": uuid, "owner": "352971aa-31ba-496c-9ade-a379feaecd52", "name": "base", "version": "1.0.0",
        "disabled": false, "activated": true, "public": true, "published_at": "2013-01-01T00:00:00.000Z", "state": "active",
        "type": "zone-dataset", "os": "smartos",
        "files": [{
            "sha1": digests.sha1, "size": digests.size, "compression": "none", "contentMD5": digests.md5,
            "mtime": "2026-11-22T05:23:55.123Z", "stor": "local",
        }],
    });
    for (key, value) in fields.as_object().into_iter().flatten() {
        record[key] = value.clone();
    }
    fs::write(
        base.join("manifests").join(format!("{uuid}.raw")),
        record.to_string(),
    )?;
    Ok(digests.sha1)
}

/// Bytes in which no part is like another near it.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}
