//! A local directory or archive becomes a tree whose objects are with the server (`imagetool.md §6.1`).

use std::io::{Read, Seek};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{anyhow, bail};
use image::filter::CompiledFilter;
use image::{FileSystem, Filter};
use image_client::add_queue::Connections;
use image_client::flows::deliver;
use image_client::{AddOptions, AddQueue, AddReport};
use tree_io::tar_in::tar_gz_in;
use tree_io::{Progress, ScanOptions, ScanReport, tar_in};

use crate::inputs;
use crate::progress_bar::ProgressLine;
use crate::session::Session;

/// Where a disk image has its signature.
const SIGNATURE_OFFSET: usize = 510;

/// What a disk with a partition table ends its first sector with.
const SIGNATURE: [u8; 2] = [0x55, 0xaa];

/// What a command was given to make an image of.
enum Input {
    Directory,
    Tar,
    CompressedTar,
}

/// A tree that the server has all objects of. Keep it whole until the image is added: the connections protect the objects.
pub(super) struct Built {
    pub(super) tree: FileSystem,
    pub(super) _connections: Connections,
}

/// Scans or reads `path` and uploads what the server lacks.
pub(super) async fn build(
    session: &mut Session,
    path: &str,
    filter: Option<&Filter>,
) -> anyhow::Result<Built> {
    let input = recognise(path)?;
    let filter = filter.map(CompiledFilter::new).transpose()?;
    let sending = session.connect().await?;
    let asking = session.connect().await?;
    let interval = session.options.object_add_interval;
    let queue = AddQueue::start(sending, Some(asking), AddOptions { interval });
    let progress = Progress::default();
    let line = ProgressLine::adding(&progress, queue.progress());
    let (cancel, source) = (session.cancel.clone(), PathBuf::from(path));
    let start = Instant::now();
    let produced = deliver(queue, cancel.clone(), move |sink| {
        let options = ScanOptions {
            filter: filter.as_ref(),
            cancel,
            progress,
            ..ScanOptions::default()
        };
        let open = || {
            std::fs::File::open(&source).map_err(|error| tree_io::Error::Io {
                doing: "open",
                path: source.as_os_str().as_encoded_bytes().into(),
                source: error,
            })
        };
        match input {
            Input::Directory => tree_io::scan(&source, &options, sink),
            Input::Tar => tar_in(
                std::io::BufReader::with_capacity(1 << 20, open()?),
                &options,
                sink,
            ),
            Input::CompressedTar => tar_gz_in(open()?, &options, sink),
        }
    });
    let ((tree, report), added, connections) = produced.await?;
    drop(line);
    tell(session, &report, &added, start);
    Ok(Built {
        tree,
        _connections: connections,
    })
}

fn recognise(path: &str) -> anyhow::Result<Input> {
    let mut file = inputs::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(Input::Directory);
    }
    let mut start = [0; SIGNATURE_OFFSET + SIGNATURE.len()];
    if metadata.is_file() && file.read_exact(&mut start).is_ok() && start[SIGNATURE_OFFSET..] == SIGNATURE {
        bail!("raw disk images are not in this build yet");
    }
    file.rewind().ok();
    if path.ends_with(".tar") {
        Ok(Input::Tar)
    } else if path.ends_with(".tar.gz") || path.ends_with(".tgz") {
        Ok(Input::CompressedTar)
    } else {
        Err(anyhow!("unrecognised image type"))
    }
}

fn tell(session: &Session, report: &ScanReport, added: &AddReport, start: Instant) {
    session.debug(0, || {
        let elapsed = start.elapsed();
        let per_second = u128::from(added.bytes) * 1000 / elapsed.as_millis().max(1);
        format!(
            "Scanned file-system and uploaded {} of {} objects ({} of {}) in {} ({}/s)",
            added.sent_objects,
            added.objects,
            human::bytes(added.sent_bytes),
            human::bytes(added.bytes),
            human::duration(elapsed),
            human::bytes(u64::try_from(per_second).unwrap_or(u64::MAX)),
        )
    });
    let attributes = &report.attributes;
    lost(
        "file capabilities",
        attributes.capabilities.count,
        &attributes.capabilities.paths,
    );
    lost(
        "access control lists",
        attributes.access_lists.count,
        &attributes.access_lists.paths,
    );
    if attributes.others.count > 0 {
        let (count, paths) = (attributes.others.count, &attributes.others.paths);
        session.debug(0, || {
            format!(
                "{count} files have other extended attributes, such as {}",
                first(paths)
            )
        });
    }
    if report.other_devices.count > 0 {
        let paths = first(&report.other_devices.paths);
        eprintln!(
            "Warning: left out {} on other devices: {paths}",
            report.other_devices.count
        );
    }
    if report.repeated_directories.count > 0 {
        let paths = first(&report.repeated_directories.paths);
        eprintln!("Warning: left out directories that are mounted twice: {paths}");
    }
    if report.sockets.count > 0 {
        let paths = first(&report.sockets.paths);
        session.debug(0, || {
            format!("left out {} sockets: {paths}", report.sockets.count)
        });
    }
}

fn lost(what: &str, count: u64, paths: &[bstr::BString]) {
    if count > 0 {
        eprintln!(
            "Warning: images cannot hold {what}; lost on {count} files: {}",
            first(paths)
        );
    }
}

fn first(paths: &[bstr::BString]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = paths.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if paths.len() > SHOWN { ", ..." } else { "" };
    names.join(", ") + more
}
