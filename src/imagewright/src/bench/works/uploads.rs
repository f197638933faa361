//! A file on its way to a repository of images, till it is acknowledged: on stable storage with us.

use super::super::figures::Unit;
use super::super::load::http::{head, send};
use super::super::repository::{Repository, content};
use super::super::stage::{Stage, Turn, megabytes};
use super::repository::cpu;
use anyhow::Context as _;
use repository::digest::Digester;
use serde_json::{Value, json};
use std::time::Instant;

/// Makes an image, sends its file once with its SHA-1, and deletes it again. Nothing without a key to sign with.
pub(super) fn upload(
    work: &'static str,
    stage: &mut Stage,
    repository: &Repository,
    turn: Turn,
) -> anyhow::Result<()> {
    let Some(signed) = repository.signed_headers()? else {
        return Ok(());
    };
    let content = content(stage.file_bytes());
    let mut digester = Digester::new()?;
    digester.update(&content)?;
    let sha1 = digester.finish()?.sha1;
    stage.settle()?;

    let image = format!("/images/{}", made(repository, &signed)?);
    let path = format!("{image}/file?compression=none&sha1={sha1}");
    let headers = format!("Content-Type: application/octet-stream\r\n{signed}");
    let before = cpu(repository)?;
    let start = Instant::now();
    let sent = send(
        repository.address,
        &head("PUT", &path, content.len(), &headers),
        &content,
    );
    let elapsed = start.elapsed().as_secs_f64();
    let after = cpu(repository)?;
    send(repository.address, &head("DELETE", &image, 0, &signed), &[])?;
    sent?;

    let size = megabytes(content.len() as u64);
    let name = "upload with SHA-1, till it is acknowledged";
    let rate = size / elapsed;
    stage
        .figures
        .record(work, name, Unit::MegabytesPerSecond, turn.pair, rate);
    if let (Some(before), Some(after)) = (before, after) {
        let seconds = after.saturating_sub(before).as_secs_f64() / (size / 1e3);
        let name = "upload, server CPU per GB";
        stage
            .figures
            .record(work, name, Unit::Seconds, turn.pair, seconds);
    }
    turn.tell(stage.rounds, name, &format!("{rate:.0} MB/s"));
    Ok(())
}

fn made(repository: &Repository, signed: &str) -> anyhow::Result<String> {
    let manifest = json!({
        "name": "upload", "version": "1.0.0", "type": "zone-dataset", "os": "linux", "public": true,
        "owner": "352971aa-31ba-496c-9ade-a379feaecd52",
    });
    let manifest = manifest.to_string();
    let headers = format!("Content-Type: application/json\r\n{signed}");
    let head = head("POST", "/images", manifest.len(), &headers);
    let answer: Value = serde_json::from_slice(&send(repository.address, &head, manifest.as_bytes())?)?;
    let uuid = answer["uuid"]
        .as_str()
        .context("the image that was made has no uuid")?;
    Ok(uuid.to_owned())
}
