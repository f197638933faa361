//! A received batch becomes durable, and its answers.

use std::sync::Arc;

use super::receive::LargeObject;
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

/// Hashes, stages and commits small objects.
pub(super) async fn batch(objects: ObjectStore, lease: Arc<Lease>, batch: Vec<Received>) -> Answers {
    let there = present(&objects, &lease, &batch);
    // Each staged object is an open file; kept until they are committed.
    let _room = match objects.staging_room(batch.len()).await {
        Ok(room) => room,
        Err(error) => return Ok(batch.iter().map(|_| failed(error.to_string())).collect()),
    };
    let _turn = STAGERS.acquire().await;
    let store = objects.clone();
    let prepared = tokio::task::spawn_blocking(move || {
        let (contents, expected): (Vec<_>, Vec<_>) = batch.into_iter().map(|r| (r.data, r.expected)).unzip();
        Named::each(contents)
            .into_iter()
            .zip(expected)
            .zip(there)
            .map(|((object, expected), there)| prepare(&store, &object, expected, there))
            .collect()
    })
    .await
    .map_err(|error| format!("storing objects: {error}"))?;
    commit(&objects, &lease, prepared).await
}

/// Commits an object that is staged already.
pub(super) async fn large(
    objects: ObjectStore,
    lease: Arc<Lease>,
    received: Result<LargeObject, String>,
    expected: Option<Hash>,
) -> Answers {
    let (prepared, _room) = match received {
        Ok(LargeObject { staged, room }) => match mismatch(staged.hash(), expected) {
            Some(answer) => (Prepared::Answered(answer), None),
            None => (Prepared::Staged(staged), Some(room)),
        },
        Err(error) => (Prepared::Answered(failed(error)), None),
    };
    commit(&objects, &lease, vec![prepared]).await
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

async fn commit(objects: &ObjectStore, lease: &Arc<Lease>, prepared: Vec<Prepared>) -> Answers {
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
                Ok(committed) => answer.added = committed.newly_added,
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
