//! The image directory: every image file is decoded, and its objects are looked up.

use super::finding::{Finding, Kind};
use super::objects::Objects;
use super::progress::Progress;
use super::report::Report;
use super::workers;
use std::fs::Metadata;
use std::path::Path;

/// Metadata of a directory of images.
const METADATA: &str = ".metadata";

/// Key that seals archives, and its length in bytes.
const SECRET: &str = ".secret";
const SECRET_BYTES: u64 = 32;

/// Deeper directories are not followed by the server either.
const DEPTH_LIMIT: usize = 128;

/// What one thread has met.
#[derive(Default)]
struct Met {
    images: u64,
    bytes: u64,
    expired: u64,
    incomplete: u64,
    findings: Vec<Finding>,
}

/// Looks at everything below the directory.
pub(super) fn look(
    root: &Path,
    objects: &Objects,
    threads: usize,
    progress: &Progress,
    report: &mut Report,
) -> std::io::Result<()> {
    let mut files = Vec::new();
    std::fs::read_dir(root)?;
    list(root, "", 0, &mut files, report);
    let all = workers::each(threads, &files, |met: &mut Met, name: &String| {
        image(root, name, objects, met);
        progress.image(root.join(name).metadata().map_or(0, |metadata| metadata.len()));
    });
    for met in all {
        report.images += met.images;
        report.image_bytes += met.bytes;
        report.expired_images += met.expired;
        report.incomplete_images += met.incomplete;
        report.findings.extend(met.findings);
    }
    Ok(())
}

fn list(root: &Path, directory: &str, depth: usize, files: &mut Vec<String>, report: &mut Report) {
    let entries = match std::fs::read_dir(root.join(directory)) {
        Ok(entries) => entries,
        Err(error) => return report.find(Kind::Unreadable, directory, error.to_string()),
    };
    report.directories += 1;
    let mut below = Vec::new();
    for entry in entries {
        let last = match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(last)) => last,
            Ok(Err(name)) => {
                report.find(Kind::Stray, name.to_string_lossy(), "its name is no text");
                continue;
            }
            Err(error) => {
                report.find(Kind::Unreadable, directory, error.to_string());
                continue;
            }
        };
        let name = match directory {
            "" => last.clone(),
            _ => format!("{directory}/{last}"),
        };
        match root.join(&name).symlink_metadata() {
            Err(error) => report.find(Kind::Unreadable, name, error.to_string()),
            Ok(metadata) if last.starts_with('.') => {
                report
                    .findings
                    .extend(dotted(root, directory, &name, &last, &metadata));
            }
            Ok(metadata) if metadata.is_dir() => below.push(name),
            Ok(metadata) if !metadata.is_file() => {
                report.find(Kind::Stray, name, "neither a file nor a directory");
            }
            Ok(_) if last.ends_with('~') => {
                report.find(Kind::Temporary, name, "an image that was never stored");
            }
            Ok(metadata) if metadata.len() == 0 => report.tombstones += 1,
            Ok(_) => files.push(name),
        }
    }
    for name in below.into_iter().filter(|_| depth < DEPTH_LIMIT) {
        list(root, &name, depth + 1, files, report);
    }
}

/// Files with dot names that are the server's.
fn dotted(root: &Path, directory: &str, name: &str, last: &str, metadata: &Metadata) -> Option<Finding> {
    if last == SECRET && directory.is_empty() && metadata.len() != SECRET_BYTES {
        let cause = format!("it has {} bytes, not {SECRET_BYTES}", metadata.len());
        return Some(Finding::new(Kind::DamagedSecret, name, cause));
    }
    if last != METADATA {
        return None;
    }
    let content = match std::fs::read(root.join(name)) {
        Ok(content) => content,
        Err(error) => return Some(Finding::new(Kind::Unreadable, name, error.to_string())),
    };
    let error = protocol::metadata_file::decode(&content).err()?;
    Some(Finding::new(Kind::DamagedMetadata, name, error.to_string()))
}

fn image(root: &Path, name: &str, objects: &Objects, met: &mut Met) {
    met.images += 1;
    let mut damaged = |cause: String| met.findings.push(Finding::new(Kind::DamagedImage, name, cause));
    let content = match std::fs::read(root.join(name)) {
        Ok(content) => content,
        Err(error) => return damaged(format!("cannot read it: {error}")),
    };
    if let Err(error) = image::name::check_stored(name) {
        damaged(format!("not a name of an image: {error}"));
    }
    let image = match protocol::image_file::decode(&content) {
        Ok((image, _)) => image,
        Err(error) => return damaged(error.to_string()),
    };
    match &image.file_system {
        None => damaged("it has no file-system".to_owned()),
        Some(tree) => {
            if let Err(error) = image::verify::tree(tree) {
                damaged(error.to_string());
            }
        }
    }
    met.bytes += content.len() as u64;
    let now = std::time::SystemTime::now().into();
    met.expired += u64::from(!image.expires_at.is_zero() && image.expires_at <= now);
    let mut is_complete = true;
    for (hash, bytes) in image::objects::distinct(&image) {
        is_complete &= objects.is_sound(name, &hash, bytes);
    }
    met.incomplete += u64::from(!is_complete);
}
