//! What the scheduler itself has the image server do (`imaginator.md §15, §18`). Builds have connections of their own.

use gob::Time;
use image_client::{Connect, Connections, Error, ImageServer, Selection};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long a request waits for the image server (`imaginator.md §10`).
const REACH_WAIT: Duration = Duration::from_secs(60);

/// First pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Connections that are kept, made again when they break.
pub(super) struct ImageServerLink {
    connections: Connections,
}

impl ImageServerLink {
    pub(super) fn new(connect: Connect) -> ImageServerLink {
        ImageServerLink {
            connections: Connections::new(connect),
        }
    }

    /// Returns once there is a connection; fails with the last reason after a minute.
    pub(super) async fn reach(&self) -> Result<(), Error> {
        let server = self.connect(Some(REACH_WAIT)).await?;
        self.connections.put_back(server);
        Ok(())
    }

    /// The newest image of a stream; nothing also if its directory is unknown.
    pub(super) async fn latest(&self, stream: &str) -> Result<Option<String>, Error> {
        let mut server = self.connect(Some(Duration::ZERO)).await?;
        let selection = Selection {
            directory: stream.to_owned(),
            ..Selection::default()
        };
        let found = server.find_latest_image(&selection).await;
        let found = match found {
            Err(error) if error.to_string().starts_with("unknown directory") => Ok(None),
            found => found,
        };
        self.keep(server, &found);
        found
    }

    /// An image lives at least until then. That it does so anyway is as well.
    pub(super) async fn extend(&self, image: &str, until: SystemTime) -> Result<(), Error> {
        let mut server = self.connect(Some(Duration::ZERO)).await?;
        let changed = server.change_image_expiration(image, Time::from(until)).await;
        let changed = match changed {
            Err(Error::Refused(text)) if lives_longer(&text) => Ok(()),
            changed => changed,
        };
        self.keep(server, &changed);
        if changed.is_ok() {
            metrics::counter!("imaginator_images_extended_total").increment(1);
        }
        changed
    }

    /// Waits, as long as it takes, until there is a connection.
    pub(super) async fn wait(&self) {
        if let Ok(server) = self.connect(None).await {
            self.connections.put_back(server);
        }
    }

    /// Makes the directories that are lacking, and those above them; how many it made.
    pub(super) async fn make_directories(&self, names: &[String]) -> Result<usize, Error> {
        let mut server = self.connect(Some(Duration::ZERO)).await?;
        let made = make_directories(&mut server, names).await;
        self.keep(server, &made);
        made
    }

    fn keep<T>(&self, server: ImageServer, result: &Result<T, Error>) {
        // After an answer the connection is as good as before; after anything else nobody knows.
        if matches!(result, Ok(_) | Err(Error::Refused(_))) {
            self.connections.put_back(server);
        }
    }

    /// A connection; tries again with growing pauses for so long, `None`: for ever.
    async fn connect(&self, longest: Option<Duration>) -> Result<ImageServer, Error> {
        let deadline = longest.map(|longest| Instant::now() + longest);
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.connections.take().await {
                Ok(mut server) => {
                    if server.client().is_usable() {
                        return Ok(server);
                    }
                    // One that broke while nobody used it is not worth a failure.
                    continue;
                }
                Err(error) => error,
            };
            if deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The image server's words for an image that lives as long or longer (`imageserver.md §2.3`).
fn lives_longer(text: &str) -> bool {
    ["image does not expire", "cannot shorten expiration time"]
        .iter()
        .any(|known| text.contains(known))
}

async fn make_directories(server: &mut ImageServer, names: &[String]) -> Result<usize, Error> {
    let listed = server.list_directories().await?;
    let mut known: BTreeSet<String> = listed.into_iter().map(|directory| directory.name).collect();
    let mut made = 0;
    for name in names {
        // Component by component: servers of before know no other way.
        let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
        for path in ends.map(|end| &name[..end]).filter(|path| !path.is_empty()) {
            if known.insert(path.to_owned()) {
                server.make_directory(path, false).await?;
                made += 1;
            }
        }
    }
    Ok(made)
}
