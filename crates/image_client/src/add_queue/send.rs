//! Sending objects and taking the answers.
//!
//! A server may keep its answers back until the end mark (`imageserver.md §4.1`), so nothing here waits for one before that. They
//! are looked at between objects, and the connection itself reads ahead while it is held up in sending: two
//! peers that both send never wait for each other.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::Ordering;

use hash::Hash;
use protocol::object_server::{AddObjectRequest, AddObjectResponse};
use srpc::{Client, Stream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tree_io::{Body, StoredFile};

use super::{AddOptions, Counters, Item};
use crate::error::Error;

/// Bytes read from a file at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Sends whatever comes until nothing more will; the call is made when there is something to send.
pub(super) async fn send(
    mut client: Client,
    mut items: mpsc::Receiver<Item>,
    options: &AddOptions,
    counters: &Counters,
) -> Result<Client, Error> {
    let Some(first) = items.recv().await else {
        return Ok(client);
    };
    let mut stream = client.open("ObjectServer.AddObjects").await?;
    let mut unanswered = VecDeque::new();
    let sent = send_all(&mut stream, first, &mut items, options, counters, &mut unanswered).await;
    if let Err(error) = sent {
        // Who refuses an object and closes has said why before we could no longer send.
        while let Ok(Some(answer)) = stream.try_read_value() {
            take(answer, &mut unanswered)?;
        }
        return Err(error);
    }
    stream.finish().await?;
    Ok(client)
}

async fn send_all(
    stream: &mut Stream<'_>,
    first: Item,
    items: &mut mpsc::Receiver<Item>,
    options: &AddOptions,
    counters: &Counters,
    unanswered: &mut VecDeque<Hash>,
) -> Result<(), Error> {
    let mut next = Some(first);
    while let Some(item) = next {
        unanswered.push_back(item.object.hash);
        let size = item.object.size;
        send_object(stream, item).await?;
        counters.sent_objects.fetch_add(1, Ordering::Relaxed);
        counters.sent_bytes.fetch_add(size, Ordering::Relaxed);
        while let Some(answer) = stream.try_read_value()? {
            take(answer, unanswered)?;
        }
        if !options.interval.is_zero() {
            stream.flush().await?;
            tokio::time::sleep(options.interval).await;
        }
        next = wait(stream, items).await?;
    }
    stream.write_value(&AddObjectRequest::default()).await?;
    stream.flush().await?;
    while !unanswered.is_empty() {
        take(stream.read_prompt_value().await?, unanswered)?;
    }
    Ok(())
}

/// The next object. While there is none the server gets what is buffered, and we notice if it goes away.
async fn wait(stream: &mut Stream<'_>, items: &mut mpsc::Receiver<Item>) -> Result<Option<Item>, Error> {
    match items.try_recv() {
        Ok(item) => return Ok(Some(item)),
        Err(TryRecvError::Disconnected) => return Ok(None),
        Err(TryRecvError::Empty) => stream.flush().await?,
    }
    tokio::select! {
        biased;
        item = items.recv() => Ok(item),
        ended = stream.closed() => Err(ended.into()),
    }
}

async fn send_object(stream: &mut Stream<'_>, item: Item) -> Result<(), Error> {
    let object = item.object;
    let request = AddObjectRequest {
        length: object.size,
        expected_hash: Some(object.hash),
    };
    match object.body {
        Body::Bytes(data) => {
            stream.write_value(&request).await?;
            stream.write_raw(&data).await?;
        }
        Body::File(file) => send_file(stream, &request, file).await?,
    }
    Ok(())
}

/// The server compares the hash, so a change that goes unnoticed here is noticed there.
async fn send_file(
    stream: &mut Stream<'_>,
    request: &AddObjectRequest,
    file: StoredFile,
) -> Result<(), Error> {
    let mut reader = blocking(move || file.open()).await??;
    stream.write_value(request).await?;
    let mut left = request.length;
    let mut piece = Vec::new();
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        (reader, piece) = blocking(move || -> Result<_, tree_io::Error> {
            piece.resize(want, 0);
            let read = reader.read_exact(&mut piece);
            // A change is told in its own words, wrapped by the reader's contract.
            read.map_err(|e| match e.downcast::<tree_io::Error>() {
                Ok(error) => error,
                Err(source) => tree_io::Error::Io {
                    doing: "read",
                    path: "file to send".into(),
                    source,
                },
            })?;
            Ok((reader, piece))
        })
        .await??;
        stream.write_raw(&piece).await?;
        left -= want as u64;
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::TaskDied)
}

fn take(answer: AddObjectResponse, unanswered: &mut VecDeque<Hash>) -> Result<(), Error> {
    let Some(hash) = unanswered.pop_front() else {
        return Err(Error::Protocol("more answers than objects"));
    };
    if !answer.error_string.is_empty() {
        return Err(Error::ObjectRefused {
            hash: Box::new(hash),
            text: answer.error_string,
        });
    }
    if answer.hash == hash {
        Ok(())
    } else {
        Err(Error::Protocol("an answer about another object"))
    }
}
