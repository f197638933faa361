//! Objects arrive in order; several threads turn them into files.

use std::io::Read;
use std::num::NonZeroUsize;

use crossbeam_channel::{Receiver, Sender, bounded};
use image::Inode;

use super::UnpackOptions;
use super::plan::{Plan, PlannedObject};
use super::stage::Stage;
use crate::error::Error;
use crate::sink::IN_MEMORY_BYTES;
use crate::source::{ObjectSource, Verifier, check};

/// Files waiting to be written; each holds at most [`IN_MEMORY_BYTES`].
const QUEUED_FILES: usize = 32;

/// Bytes a thread gathers before it verifies and writes them; at most [`IN_MEMORY_BYTES`] more. Many objects at once are
/// verified in a third of the time.
const BATCH_BYTES: usize = 1 << 20;

/// Objects that are near and larger are copied piece by piece.
const BUFFERED_BYTES: u64 = 256 << 10;

/// Bytes of a piece.
const PIECE_BYTES: usize = 256 << 10;

/// Objects a thread gathers at most.
const BATCH_OBJECTS: usize = 128;

enum Job<'a> {
    Object {
        object: &'a PlannedObject<'a>,
        data: Vec<u8>,
    },
    Near {
        object: &'a PlannedObject<'a>,
    },
    Plain {
        number: u64,
        inode: &'a Inode,
    },
}

pub(super) fn receive(
    plan: &Plan<'_>,
    stage: Stage<'_>,
    objects: &mut dyn ObjectSource,
    options: &UnpackOptions<'_>,
) -> Result<(), Error> {
    let threads = options
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let (sender, receiver) = bounded(QUEUED_FILES);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || work(stage, receiver, options))
            })
            .collect();
        drop(receiver);
        let fed = feed(plan, stage, objects, options, &sender);
        drop(sender);
        let mut failed = None;
        for worker in workers {
            if let Err(error) = worker.join().unwrap_or(Err(Error::WorkerDied)) {
                failed = failed.or(Some(error));
            }
        }
        match (fed, failed) {
            // The feeder only noticed that nobody listens any more; the worker knows why.
            (Err(Error::WorkerDied) | Ok(()), Some(error)) => Err(error),
            (fed, _) => fed,
        }
    })
}

fn feed<'a>(
    plan: &'a Plan<'a>,
    stage: Stage<'_>,
    objects: &mut dyn ObjectSource,
    options: &UnpackOptions<'_>,
    jobs: &Sender<Job<'a>>,
) -> Result<(), Error> {
    for object in &plan.objects {
        options.cancel.check()?;
        if options.near.is_some_and(|near| near.contains(&object.hash)) {
            jobs.send(Job::Near { object }).map_err(|_| Error::WorkerDied)?;
            continue;
        }
        if object.size > IN_MEMORY_BYTES {
            large(object, stage, objects, options)?;
            continue;
        }
        let data = objects.next_whole(&object.hash, object.size)?;
        jobs.send(Job::Object { object, data })
            .map_err(|_| Error::WorkerDied)?;
    }
    for (number, inode) in &plan.plain {
        options.cancel.check()?;
        jobs.send(Job::Plain {
            number: *number,
            inode,
        })
        .map_err(|_| Error::WorkerDied)?;
    }
    Ok(())
}

/// Written as it arrives, on the receiving thread: there is nothing to gain from handing megabytes around.
fn large(
    object: &PlannedObject<'_>,
    stage: Stage<'_>,
    objects: &mut dyn ObjectSource,
    options: &UnpackOptions<'_>,
) -> Result<(), Error> {
    use std::io::Write;
    let Some(((number, inode), others)) = object.inodes.split_first() else {
        return Ok(());
    };
    let mut file = stage.create(*number, inode.mode)?;
    let mut verifier = Verifier::new(object.hash, object.size);
    objects.next_object(&object.hash, object.size, &mut |piece| {
        options.cancel.check()?;
        verifier.update(piece)?;
        options.progress.add_bytes(piece.len() as u64);
        file.write_all(piece)
            .map_err(|e| Error::io("write", format!("object {}", object.hash), e))
    })?;
    verifier.finish()?;
    for (number, inode) in others {
        stage.copy(*number, inode, &file, object.size)?;
        options.progress.add_file();
    }
    options.progress.add_file();
    stage.seal(*number, &file, inode)
}

fn work(stage: Stage<'_>, jobs: Receiver<Job<'_>>, options: &UnpackOptions<'_>) -> Result<(), Error> {
    let mut batch: Vec<(&PlannedObject<'_>, Vec<u8>, bool)> = Vec::new();
    let mut bytes = 0;
    for job in jobs {
        options.cancel.check()?;
        match job {
            Job::Plain { number, inode } => stage.plain(number, inode)?,
            Job::Near { object } if object.size > BUFFERED_BYTES => copy(stage, object, options)?,
            Job::Near { object } => {
                let data = near_data(object, options)?;
                bytes += data.len();
                batch.push((object, data, true));
            }
            Job::Object { object, data } => {
                bytes += data.len();
                batch.push((object, data, false));
            }
        }
        if bytes >= BATCH_BYTES || batch.len() >= BATCH_OBJECTS {
            bytes = 0;
            write(stage, &mut batch, options)?;
        }
    }
    write(stage, &mut batch, options)
}

/// An object that is in a file already: two calls for a small one, where the kernel's own copying sets up a pipe.
fn near_data(object: &PlannedObject<'_>, options: &UnpackOptions<'_>) -> Result<Vec<u8>, Error> {
    let gone = || Error::NotNear(Box::new(object.hash));
    let near = options.near.and_then(|near| near.open(&object.hash, object.size));
    let mut data = vec![0; usize::try_from(object.size).map_err(|_| gone())?];
    near.ok_or_else(gone)?.read_exact(&mut data).map_err(|_| gone())?;
    Ok(data)
}

/// Makes files of a large one: the first is written as it is named, the others are copied from that.
fn copy(stage: Stage<'_>, object: &PlannedObject<'_>, options: &UnpackOptions<'_>) -> Result<(), Error> {
    use std::io::Write;
    let gone = || Error::NotNear(Box::new(object.hash));
    let Some(((number, inode), others)) = object.inodes.split_first() else {
        return Ok(());
    };
    let near = options.near.and_then(|near| near.open(&object.hash, object.size));
    let mut near = near.ok_or_else(gone)?.take(object.size);
    let mut file = stage.create(*number, inode.mode)?;
    let mut verifier = Verifier::new(object.hash, object.size);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        options.cancel.check()?;
        let count = near.read(&mut piece).map_err(|_| gone())?;
        if count == 0 {
            break;
        }
        verifier.update(&piece[..count])?;
        options.progress.add_bytes(count as u64);
        file.write_all(&piece[..count])
            .map_err(|e| Error::io("write", format!("object {}", object.hash), e))?;
    }
    // Whoever holds the near ones throws it away and fetches it.
    verifier.finish().map_err(|_| gone())?;
    for (number, inode) in others {
        options.cancel.check()?;
        stage.copy(*number, inode, &file, object.size)?;
        options.progress.add_file();
    }
    options.progress.add_file();
    stage.seal(*number, &file, inode)
}

/// Verifies what has gathered, all at once, and makes files of it.
fn write(
    stage: Stage<'_>,
    batch: &mut Vec<(&PlannedObject<'_>, Vec<u8>, bool)>,
    options: &UnpackOptions<'_>,
) -> Result<(), Error> {
    let contents: Vec<&[u8]> = batch.iter().map(|(_, data, _)| data.as_slice()).collect();
    let names = hash::of_each(&contents);
    for ((object, data, is_near), computed) in batch.drain(..).zip(names) {
        options.cancel.check()?;
        match check(object.hash, object.size, computed, data.len() as u64) {
            Err(_) if is_near => return Err(Error::NotNear(Box::new(object.hash))),
            other => other?,
        }
        for (number, inode) in &object.inodes {
            stage.write(*number, inode, &data)?;
            options.progress.add_file();
        }
        options.progress.add_bytes(object.size);
    }
    Ok(())
}
