//! A received batch becomes durable, and its answers.

use std::sync::Arc;

use super::receive::LargeObject;
use crate::upstream::{Body, Forwarder, Outgoing};
use actors::object_store::{Lease, ObjectStore};
use hash::Hash;
use protocol::object_server::AddObjectResponse;
use storage::{Named, Staged};
use tokio::sync::Semaphore;

/// Batches being hashed and written at a time, over all callers: more than cores, since they wait for the disk as well.
const STAGING_BATCHES: usize = 8;
static STAGERS: Semaphore = Semaphore::const_new(STAGING_BATCHES);

/// One small object as it was received.
pub(super) struct Received {
    pub(super) data: Vec<u8>,
    pub(super) expected: Option<Hash>,
}

/// One answer per object, in order; or why the call cannot go on.
pub(super) type Answers = Result<Vec<AddObjectResponse>, String>;

/// What is known about an object before the commit.
enum Prepared {
    Staged(Staged),
    Answered(AddObjectResponse),
}

impl Prepared {
    fn has_failed(&self) -> bool {
        matches!(self, Self::Answered(answer) if !answer.error_string.is_empty())
    }
}

/// Hashes, stages and commits small objects.
pub(super) async fn batch(
    objects: ObjectStore,
    lease: Arc<Lease>,
    forwarder: Option<Arc<Forwarder>>,
    batch: Vec<Received>,
) -> Answers {
    let there = present(&objects, &lease, &batch);
    // Each staged object is an open file; kept until they are committed.
    let _room = match objects.staging_room(batch.len()).await {
        Ok(room) => room,
        Err(error) => return Ok(batch.iter().map(|_| failed(error.to_string())).collect()),
    };
    let turn = STAGERS.acquire().await;
    let store = objects.clone();
    let forwards = forwarder.is_some();
    let (mut prepared, outgoing): (Vec<_>, Vec<_>) = tokio::task::spawn_blocking(move || {
        let (contents, expected): (Vec<_>, Vec<_>) = batch.into_iter().map(|r| (r.data, r.expected)).unzip();
        Named::each(contents)
            .into_iter()
            .zip(expected)
            .zip(there)
            .map(|((object, expected), there)| {
                let prepared = prepare(&store, &object, expected, there);
                let outgoing = (forwards && !prepared.has_failed()).then(|| Outgoing {
                    hash: object.hash(),
                    size: object.data().len() as u64,
                    body: Body::Bytes(object.into_data()),
                });
                (prepared, outgoing)
            })
            .unzip()
    })
    .await
    .map_err(|error| format!("storing objects: {error}"))?;
    // Not while the master takes its time: others have something to stage as well.
    drop(turn);
    let added = match &forwarder {
        Some(forwarder) => Some(forward(forwarder, &mut prepared, outgoing).await),
        None => None,
    };
    commit(&objects, &lease, prepared, added).await
}

/// Commits an object that is staged already.
pub(super) async fn large(
    objects: ObjectStore,
    lease: Arc<Lease>,
    forwarder: Option<Arc<Forwarder>>,
    received: Result<LargeObject, String>,
    expected: Option<Hash>,
) -> Answers {
    let (first, _room) = match received {
        Ok(LargeObject { staged, room }) => match mismatch(staged.hash(), expected) {
            Some(answer) => (Prepared::Answered(answer), None),
            None => (Prepared::Staged(staged), Some(room)),
        },
        Err(error) => (Prepared::Answered(failed(error)), None),
    };
    let mut prepared = vec![first];
    let added = match (&forwarder, &prepared[..]) {
        (Some(forwarder), [Prepared::Staged(staged)]) => {
            let file = staged.reader().map_err(|error| error.to_string())?;
            let outgoing = Outgoing {
                hash: staged.hash(),
                size: staged.size(),
                body: Body::File(Arc::new(file)),
            };
            // What is here already is answered as such, whatever the master says.
            let is_here = objects.sizes(&[staged.hash()], Some(&lease)) == [staged.size()];
            let added = forward(forwarder, &mut prepared, vec![Some(outgoing)]).await;
            Some(if is_here { vec![false] } else { added })
        }
        _ => None,
    };
    commit(&objects, &lease, prepared, added).await
}

/// Which objects of a batch the store seems to have: those are compared with what is stored instead of being stored again.
/// Only callers that say what they expect can be asked about before hashing.
fn present(objects: &ObjectStore, lease: &Lease, batch: &[Received]) -> Vec<bool> {
    batch
        .iter()
        .map(|received| {
            received.expected.is_some_and(|expected| {
                objects.sizes(&[expected], Some(lease)).first() == Some(&(received.data.len() as u64))
            })
        })
        .collect()
}

fn prepare(objects: &ObjectStore, object: &Named, expected: Option<Hash>, there: bool) -> Prepared {
    if let Some(answer) = mismatch(object.hash(), expected) {
        return Prepared::Answered(answer);
    }
    // The content is what the name says on both sides, so it is the same. A stored file that is damaged is replaced by the
    // commit.
    if there && objects.verify(&object.hash()).is_ok() {
        return Prepared::Answered(AddObjectResponse {
            hash: object.hash(),
            ..AddObjectResponse::default()
        });
    }
    match objects.backend().stage_named(object) {
        Ok(staged) => Prepared::Staged(staged),
        Err(error) => Prepared::Answered(failed(error.to_string())),
    }
}

/// Gives objects to the master; for each whether it is new there. If that fails, so does everything that was to be sent.
async fn forward(
    forwarder: &Forwarder,
    prepared: &mut [Prepared],
    outgoing: Vec<Option<Outgoing>>,
) -> Vec<bool> {
    let places: Vec<usize> = (0..)
        .zip(&outgoing)
        .filter(|(_, outgoing)| outgoing.is_some())
        .map(|(place, _)| place)
        .collect();
    let outgoing: Vec<Outgoing> = outgoing.into_iter().flatten().collect();
    let mut added = vec![false; prepared.len()];
    let outcome = forwarder.forward(&outgoing).await;
    for (number, place) in places.into_iter().enumerate() {
        match (&outcome, prepared.get_mut(place), added.get_mut(place)) {
            (Ok(news), Some(Prepared::Staged(_)), Some(added)) => {
                *added = news.get(number).is_some_and(|new| *new);
            }
            (Err(error), Some(prepared), _) => *prepared = Prepared::Answered(failed(error.clone())),
            _ => {}
        }
    }
    added
}

/// Makes durable what is staged. `added` is what callers are told of whether it is new, if not what is found here.
async fn commit(
    objects: &ObjectStore,
    lease: &Arc<Lease>,
    prepared: Vec<Prepared>,
    added: Option<Vec<bool>>,
) -> Answers {
    let mut answers = Vec::with_capacity(prepared.len());
    let mut staged = Vec::new();
    let mut places = Vec::new();
    for (place, prepared) in prepared.into_iter().enumerate() {
        match prepared {
            Prepared::Answered(answer) => answers.push(answer),
            Prepared::Staged(object) => {
                // Answered below.
                answers.push(AddObjectResponse {
                    hash: object.hash(),
                    ..AddObjectResponse::default()
                });
                places.push(place);
                staged.push(object);
            }
        }
    }
    if staged.is_empty() {
        return Ok(answers);
    }
    let outcomes = objects.commit(staged, lease).await;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        if let Some(answer) = answers.get_mut(place) {
            match outcome {
                Ok(committed) => {
                    answer.added = match &added {
                        Some(added) => added.get(place).is_some_and(|added| *added),
                        None => committed.newly_added,
                    };
                }
                Err(error) => *answer = failed(error.to_string()),
            }
        }
    }
    Ok(answers)
}

fn mismatch(computed: Hash, expected: Option<Hash>) -> Option<AddObjectResponse> {
    let expected = expected.filter(|expected| *expected != computed)?;
    Some(AddObjectResponse {
        error_string: format!("hash mismatch. Computed={computed}, expected={expected}"),
        hash: computed,
        added: false,
    })
}

fn failed(error_string: String) -> AddObjectResponse {
    AddObjectResponse {
        error_string,
        ..AddObjectResponse::default()
    }
}
