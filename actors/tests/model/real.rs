//! The real actors on real directories, doing the same steps.

use super::model::Settings;
use super::step::{Caller, Connection, Content, End, Step};
use super::subscriber::Subscriber;
use super::universe::{self, content, hash_of, requester, system_time, tags_to_match, time};
use crate::common::{Directories, copy_tree};
use actors::image_index::AddRequest;
use actors::object_store::ObjectsReader;
use actors::{Clock, Config, IndexError, Lease, ObjectError, StartError, System};
use image::select::{Candidate, Latest, Selection};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Longer than any sequence takes.
const LINGER: Duration = Duration::from_secs(3600);

/// How long directories may stay in use after their system has ended.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Real {
    pub directories: Directories,
    settings: Settings,
    seconds: Arc<AtomicI64>,
    system: Option<System>,
    leases: BTreeMap<Connection, Lease>,
    readers: BTreeMap<Connection, Reading>,
    archive: Option<Vec<u8>>,
    pub subscribers: Vec<Subscriber>,
}

/// Where a reader has got to.
struct Reading {
    reader: ObjectsReader,
    received: Vec<u8>,
    contents: Vec<Content>,
}

impl Real {
    pub async fn new(settings: Settings) -> Real {
        let mut real = Real {
            directories: Directories::in_memory(),
            settings,
            seconds: Arc::default(),
            system: None,
            leases: BTreeMap::new(),
            readers: BTreeMap::new(),
            archive: None,
            subscribers: Vec::new(),
        };
        real.start().await;
        real
    }

    pub fn system(&self) -> &System {
        self.system.as_ref().unwrap()
    }

    pub fn now(&self) -> i64 {
        self.seconds.load(Ordering::SeqCst)
    }

    async fn start(&mut self) {
        let seconds = self.seconds.clone();
        let config = Config {
            lease: if self.settings.lingering {
                LINGER
            } else {
                Duration::ZERO
            },
            replica: self.settings.replica,
            clock: Clock::new(move || system_time(seconds.load(Ordering::SeqCst))),
            ..self.directories.config()
        };
        let begin = Instant::now();
        let system = loop {
            match actors::start(config.clone()) {
                Ok(system) => break system,
                Err(StartError::Storage(error)) if begin.elapsed() < PATIENCE => {
                    assert!(error.to_string().contains("in use"), "{error}");
                    // Reading that nobody waits for any more ends on this thread.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => panic!("cannot start: {error}"),
            }
        };
        self.system = Some(system);
    }

    /// Does a step; its answer.
    pub async fn apply(&mut self, step: &Step) -> String {
        let result = match step {
            Step::Together(_) => Err("groups are for `together`".to_owned()),
            Step::OpenReader(connection, contents) => self.open_reader(*connection, contents).await,
            Step::FinishReader(connection) => match self.readers.remove(connection) {
                Some(reading) => finish(reading).await,
                None => Err("no reader".to_owned()),
            },
            Step::Release(connection) => {
                self.readers.remove(connection);
                self.leases.remove(connection);
                Ok("released".to_owned())
            }
            Step::Archive(name) => self.put_aside(name).await,
            Step::Subscribe => {
                self.subscribers.push(Subscriber::new(&self.system().images));
                Ok("subscribed".to_owned())
            }
            Step::AdvanceClock(passed) => {
                self.seconds.fetch_add(*passed, Ordering::SeqCst);
                // Once more at the end: a tombstone on its way out holds the next message up.
                while self.system().images.look_at_clock().await.unwrap() {}
                self.system().images.look_at_clock().await.unwrap();
                Ok("advanced".to_owned())
            }
            Step::PanicObjects | Step::PanicImages => {
                let answer = self.answer(step).await;
                self.settle().await;
                answer
            }
            Step::Restart(end, passed) => {
                self.restart(*end, *passed).await;
                Ok("restarted".to_owned())
            }
            other => {
                self.connect(std::slice::from_ref(other));
                self.answer(other).await
            }
        };
        super::rules::text(result)
    }

    /// Does several steps at the same time; their answers.
    pub async fn together(&mut self, steps: &[Step]) -> Vec<String> {
        self.connect(steps);
        let answers = futures_util::future::join_all(steps.iter().map(|step| self.answer(step))).await;
        self.settle().await;
        answers.into_iter().map(super::rules::text).collect()
    }

    fn connect(&mut self, steps: &[Step]) {
        for step in steps {
            if let Step::AddObjects(connection, _) | Step::CheckObjects(Some(connection), _) = step {
                let store = &self.system.as_ref().unwrap().objects;
                self.leases.entry(*connection).or_insert_with(|| store.lease());
            }
        }
    }

    /// What needs nothing but the handles.
    async fn answer(&self, step: &Step) -> Result<String, String> {
        let (objects, images) = (&self.system().objects, &self.system().images);
        let snapshot = images.snapshot();
        let of_index = |result: Result<(), IndexError>| result.map(|()| "done".to_owned()).map_err(text_of);
        match step {
            Step::AddObjects(connection, contents) => self.add_objects(*connection, contents).await,
            Step::CheckObjects(connection, contents) => {
                let hashes: Vec<_> = contents.iter().map(|content| hash_of(*content)).collect();
                let lease = connection.map(|connection| &self.leases[&connection]);
                let sizes = objects.sizes(&hashes, lease);
                let sizes: String = sizes.iter().map(|size| format!(" {size}")).collect();
                Ok(format!("sizes:{sizes}"))
            }
            Step::ReadObjects(contents) => finish(self.reader(contents)?).await,
            Step::ReadOne(number) => {
                let read = crate::common::read(self.system(), &hash_of(*number)).await;
                check(&read.map_err(text_of)?, &[*number])
            }
            Step::DeleteUnreferenced { percentage, bytes } => {
                let deleted = objects.delete_unreferenced(*percentage, *bytes).await;
                deleted.map(|()| "deleted".to_owned()).map_err(text_of)
            }
            Step::AddImage(caller, name, spec) => {
                let request = AddRequest {
                    name: (*name).into(),
                    image: universe::image(spec, self.now()),
                    requester: requester(*caller),
                    trusted: spec.trusted,
                };
                of_index(images.add(request).await)
            }
            Step::DeleteImage(caller, name) => of_index(images.delete(name, requester(*caller)).await),
            Step::ChangeExpiration(caller, name, at) => of_index(
                images
                    .change_expiration(name, self.at(*at), requester(*caller))
                    .await,
            ),
            Step::GetImage(name) => match images.image(name).await.map_err(text_of)? {
                Some(image) => Ok(format!("{image:?}")),
                None => Ok("no image".to_owned()),
            },
            Step::FindLatest {
                directory,
                commit,
                ignore_expiring,
                tag,
            } => {
                let latest = Latest {
                    directory_name: directory,
                    build_commit_id: universe::commit(*commit),
                    ignore_expiring: *ignore_expiring,
                    tags_to_match: &tags_to_match(*tag),
                };
                let all = snapshot.images.values();
                let found = latest.find(all.map(|entry| Candidate::of(&entry.name, &entry.metadata)));
                Ok(format!("latest: {found:?}"))
            }
            Step::List {
                directory,
                ignore_expiring,
                tag,
            } => {
                let selection = Selection {
                    directory_name: directory,
                    ignore_expiring: *ignore_expiring,
                    tags_to_match: &tags_to_match(*tag),
                };
                let all = snapshot.images.values();
                let names: Vec<_> = all
                    .filter(|entry| selection.selects(&Candidate::of(&entry.name, &entry.metadata)))
                    .map(|entry| entry.name.to_string())
                    .collect();
                Ok(format!("names: {names:?}"))
            }
            Step::MakeDirectory { caller, name, all } => {
                of_index(images.make_directory(name, *all, requester(*caller)).await)
            }
            Step::PutDirectory(name, group) => {
                let metadata = image::DirectoryMetadata {
                    owner_group: (*group).into(),
                };
                let name = (*name).into();
                of_index(images.put_directory(image::Directory { name, metadata }).await)
            }
            Step::ChownDirectory(caller, name, group) => {
                of_index(images.chown_directory(name, group, requester(*caller)).await)
            }
            Step::DeleteDirectory(caller, name) => {
                of_index(images.delete_directory(name, requester(*caller)).await)
            }
            Step::Restore(caller, at) => {
                let Some(archive) = self.archive.clone() else {
                    return Ok("nothing put aside".to_owned());
                };
                let restored = images.restore(archive, self.at(*at), requester(*caller)).await;
                of_index(restored.map(drop))
            }
            Step::PanicObjects => panicked(objects.debug_panic().await),
            Step::PanicImages => panicked(images.debug_panic().await),
            other => Err(format!("not for handles: {other:?}")),
        }
    }

    fn at(&self, seconds: Option<i64>) -> gob::Time {
        seconds.map_or(gob::Time::ZERO, |seconds| time(self.now() + seconds))
    }

    async fn add_objects(&self, connection: Connection, contents: &[Content]) -> Result<String, String> {
        let store = &self.system().objects;
        let _room = store.staging_room(contents.len()).await.map_err(text_of)?;
        let staged = contents
            .iter()
            .map(|number| store.backend().stage_bytes(&content(*number)).unwrap())
            .collect();
        let mut added = String::from("added:");
        for (outcome, number) in store
            .commit(staged, &self.leases[&connection])
            .await
            .into_iter()
            .zip(contents)
        {
            let committed = outcome.map_err(text_of)?;
            assert_eq!(committed.hash, hash_of(*number));
            added += if committed.newly_added { " new" } else { " known" };
        }
        Ok(added)
    }

    fn reader(&self, contents: &[Content]) -> Result<Reading, String> {
        let hashes = contents.iter().map(|content| hash_of(*content)).collect();
        let reader = self.system().objects.read_objects(hashes).map_err(text_of)?;
        Ok(Reading {
            reader,
            received: Vec::new(),
            contents: contents.to_vec(),
        })
    }

    async fn open_reader(&mut self, connection: Connection, contents: &[Content]) -> Result<String, String> {
        self.readers.remove(&connection);
        let mut reading = self.reader(contents)?;
        if let Some(piece) = reading.reader.next_chunk().await {
            reading.received.extend_from_slice(&piece.map_err(text_of)?);
        }
        self.readers.insert(connection, reading);
        Ok("opened".to_owned())
    }

    async fn put_aside(&mut self, name: &str) -> Result<String, String> {
        match self.system().images.archive(name).await.map_err(text_of)? {
            Some(archive) => {
                self.archive = Some(archive);
                Ok("archived".to_owned())
            }
            None => Ok("no image".to_owned()),
        }
    }

    /// Returns when both actors have answered a message that changes nothing: after a panic, when they have put
    /// themselves in order again.
    async fn settle(&self) {
        let (objects, images) = (&self.system().objects, &self.system().images);
        let nobody = requester(Caller::Internal);
        while let Err(IndexError::Call(_)) = images.delete("nobody", nobody.clone()).await {}
        while let Err(ObjectError::Call(_)) = objects.delete_unreferenced(0, 0).await {}
    }

    async fn restart(&mut self, end: End, passed: i64) {
        self.readers.clear();
        self.leases.clear();
        let system = self.system.take().unwrap();
        match end {
            End::Stopped => system.stop(),
            End::Dropped => drop(system),
            End::Killed => {
                let copy = Directories::in_memory();
                copy_tree(self.directories.root.path(), copy.root.path());
                drop(system);
                self.directories = copy;
            }
        }
        self.seconds.fetch_add(passed, Ordering::SeqCst);
        self.start().await;
        let images = self.system().images.clone();
        // A replica that connects again deletes what is not announced any more.
        for subscriber in &mut self.subscribers {
            subscriber.connect_again(&images);
        }
    }
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn panicked(answer: Result<(), actors::CallError>) -> Result<String, String> {
    match answer {
        Err(actors::CallError::Restarted { .. }) => Ok("restarted".to_owned()),
        other => Err(format!("did not panic: {other:?}")),
    }
}

async fn finish(mut reading: Reading) -> Result<String, String> {
    while let Some(piece) = reading.reader.next_chunk().await {
        reading.received.extend_from_slice(&piece.map_err(text_of)?);
    }
    check(&reading.received, &reading.contents)
}

fn check(received: &[u8], contents: &[Content]) -> Result<String, String> {
    let expected: Vec<u8> = contents.iter().flat_map(|number| content(*number)).collect();
    if received == expected {
        Ok("read".to_owned())
    } else {
        Err("read other bytes than were stored".to_owned())
    }
}
