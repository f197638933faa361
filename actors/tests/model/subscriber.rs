//! One who knows the index by its events alone, as a replica does (`imageserver.md §7`).

use super::universe::time;
use actors::{ImageIndex, IndexEvent, IndexSnapshot};
use gob::Time;
use std::collections::BTreeMap;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

pub struct Subscriber {
    events: Receiver<IndexEvent>,
    /// With their expirations: everybody ends images by a clock of their own.
    images: BTreeMap<String, Time>,
    directories: BTreeMap<String, String>,
}

impl Subscriber {
    pub fn new(index: &ImageIndex) -> Subscriber {
        // In this order: a change in between comes twice and not never.
        let events = index.subscribe();
        let snapshot = index.snapshot();
        Subscriber {
            events,
            images: images(&snapshot),
            directories: directories(&snapshot),
        }
    }

    pub fn connect_again(&mut self, index: &ImageIndex) {
        *self = Subscriber::new(index);
    }

    /// Takes in what was told, and says where that differs from the index.
    pub fn compare(&mut self, snapshot: &IndexSnapshot, now: i64) -> Result<(), String> {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.take_in(event, snapshot),
                Err(TryRecvError::Empty) => break,
                Err(error) => return Err(format!("a subscriber is cut off: {error}")),
            }
        }
        self.images.retain(|_, at| at.is_zero() || *at > time(now));
        if self.images != images(snapshot) {
            let (told, are) = (&self.images, images(snapshot));
            return Err(format!(
                "a subscriber was told of images {told:?}, there are {are:?}"
            ));
        }
        if self.directories != directories(snapshot) {
            let (told, are) = (&self.directories, directories(snapshot));
            return Err(format!(
                "a subscriber was told of directories {told:?}, there are {are:?}"
            ));
        }
        Ok(())
    }

    fn take_in(&mut self, event: IndexEvent, snapshot: &IndexSnapshot) {
        match event {
            // Asks for the image, which may have gone meanwhile.
            IndexEvent::AddImage(name) => {
                if let Some(entry) = snapshot.images.get(&name) {
                    self.images.insert(name.to_string(), entry.metadata.expires_at);
                }
            }
            IndexEvent::DeleteImage(name) => drop(self.images.remove(&*name)),
            IndexEvent::MakeDirectory(directory) => {
                self.directories
                    .insert(directory.name, directory.metadata.owner_group);
            }
            IndexEvent::DeleteDirectory(name) => drop(self.directories.remove(&*name)),
        }
    }
}

fn images(snapshot: &IndexSnapshot) -> BTreeMap<String, Time> {
    let all = snapshot.images.values();
    all.map(|entry| (entry.name.to_string(), entry.metadata.expires_at))
        .collect()
}

fn directories(snapshot: &IndexSnapshot) -> BTreeMap<String, String> {
    let all = snapshot.directories.values();
    all.map(|entry| (entry.name.to_string(), entry.owner_group.to_string()))
        .collect()
}
