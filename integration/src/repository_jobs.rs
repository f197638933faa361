//! What tests of jobs of an image repository have in common: submitting them, waiting for them, what must not be left.

use crate::repository::{Imgapi, Repository};
use crate::wait::until_some;
use anyhow::{Context, Result, ensure};
use repository::digest::{Digester, Digests};
use repository::layout;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The digests of bytes.
pub fn digests(bytes: &[u8]) -> Result<Digests> {
    let mut digester = Digester::new()?;
    digester.update(bytes)?;
    Ok(digester.finish()?)
}

/// A manifest that every repository takes.
pub fn manifest(uuid: &str, origin: Option<&str>) -> Value {
    let mut manifest = json!({
        "v": 2, "uuid": uuid, "owner": "00000000-0000-0000-0000-000000000000", "name": "some", "version": "1",
        "type": "other", "os": "linux", "public": true,
    });
    if let Some(origin) = origin {
        manifest["origin"] = origin.into();
    }
    manifest
}

/// Brings an active image with that file, uncompressed.
pub fn bring(daemon: &Imgapi, uuid: &str, origin: Option<&str>, file: &[u8]) -> Result<()> {
    bring_as(daemon, &manifest(uuid, origin), file)
}

/// The same with a manifest of its own.
pub fn bring_as(daemon: &Imgapi, manifest: &Value, file: &[u8]) -> Result<()> {
    let uuid = manifest["uuid"].as_str().context("no uuid")?;
    let imported = daemon.send("POST", &format!("/images/{uuid}?action=import"), manifest)?;
    ensure!(imported.status == 200, "import: {imported:?}");
    let url = format!("/images/{uuid}/file?compression=none");
    let added = daemon.ask("PUT", &url, &[], file)?;
    ensure!(added.status == 200, "file: {added:?}");
    let activated = daemon.ask("POST", &format!("/images/{uuid}?action=activate"), &[], b"")?;
    ensure!(activated.status == 200, "activate: {activated:?}");
    Ok(())
}

/// Asks for a job; its name.
pub fn submit(daemon: &Imgapi, url: &str) -> Result<String> {
    let reply = daemon.ask("POST", url, &[], b"")?;
    ensure!(reply.status == 200, "{url}: {reply:?}");
    let job = reply.json()?["job_uuid"].as_str().map(str::to_owned);
    job.context("no job_uuid")
}

/// The job when it is over.
pub fn ended(daemon: &Imgapi, job: &str) -> Value {
    until_some("a job ends", || {
        let job = daemon.get(&format!("/jobs/{job}")).ok()?.json().ok()?;
        let is_over = matches!(job["execution"].as_str()?, "succeeded" | "failed" | "canceled");
        is_over.then_some(job)
    })
}

/// What the last step of a job says: its result, or the code and message of its error.
pub fn last_word(job: &Value) -> String {
    let step = job["chain_results"].as_array().and_then(|steps| steps.last());
    let Some(step) = step else {
        return String::new();
    };
    match &step["error"] {
        Value::Object(error) => format!(
            "{}: {}",
            error.get("code").and_then(Value::as_str).unwrap_or_default(),
            error.get("message").and_then(Value::as_str).unwrap_or_default()
        ),
        _ => step["result"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The image, whatever its state; `None` if there is none.
pub fn image(daemon: &Imgapi, uuid: &str) -> Result<Option<Value>> {
    let reply = daemon.get(&format!("/images/{uuid}?channel=*"))?;
    match reply.status {
        404 => Ok(None),
        200 => Ok(Some(reply.json()?)),
        _ => anyhow::bail!("{reply:?}"),
    }
}

/// Files below the directories of images, uploads among them, and of manifests: what a job that failed must not leave.
pub fn left(repository: &Repository) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for area in [layout::IMAGES, layout::MANIFESTS] {
        list(&repository.base().join(area), &mut found)?;
    }
    Ok(found)
}

fn list(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}
