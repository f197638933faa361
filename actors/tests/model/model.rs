//! What the store and the index should be: plain maps and sets, no files, no threads, nothing clever.

use super::step::{Connection, Content};
use super::universe::{hash_of, size, time};
use image::Image;
use std::collections::{BTreeMap, BTreeSet};

/// Rules that hold for a whole sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Ended leases protect for an hour, which is longer than any sequence; else not at all.
    pub lingering: bool,
    /// Writes go over tombstones.
    pub replica: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ModelImage {
    pub image: Image,
    /// One per occurrence: files, release notes, build log.
    pub references: Vec<Content>,
    /// When the index will look whether this image has ended: each expiration it ever had, since the last start.
    pub timers: BTreeSet<i64>,
}

/// An image put aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Archived {
    pub name: &'static str,
    pub image: Image,
    pub references: Vec<Content>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub settings: Settings,
    /// Seconds since the sequence began.
    pub now: i64,
    pub objects: BTreeSet<Content>,
    /// Objects no image needs, those unreferenced longest first.
    pub queue: Vec<Content>,
    /// Those of the queue whose place is not known: several things happened at the same time.
    pub unsure: BTreeSet<Content>,
    pub leases: BTreeMap<Connection, BTreeSet<Content>>,
    /// By leases that have ended.
    pub lingering: BTreeSet<Content>,
    pub readers: BTreeMap<Connection, Vec<Content>>,
    pub images: BTreeMap<&'static str, ModelImage>,
    /// Deleted names, and when each tombstone ends.
    pub tombstones: BTreeMap<&'static str, BTreeSet<i64>>,
    /// With their owner groups.
    pub directories: BTreeMap<String, String>,
    pub archive: Option<Archived>,
}

impl Model {
    pub fn new(settings: Settings) -> Model {
        Model {
            settings,
            now: 0,
            objects: BTreeSet::new(),
            queue: Vec::new(),
            unsure: BTreeSet::new(),
            leases: BTreeMap::new(),
            lingering: BTreeSet::new(),
            readers: BTreeMap::new(),
            images: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            directories: [(".".to_owned(), String::new())].into(),
            archive: None,
        }
    }

    pub fn is_referenced(&self, content: Content) -> bool {
        self.images
            .values()
            .any(|image| image.references.contains(&content))
    }

    pub fn is_protected(&self, content: Content) -> bool {
        self.lingering.contains(&content)
            || self.leases.values().any(|held| held.contains(&content))
            || self.readers.values().any(|held| held.contains(&content))
    }

    /// What may be deleted, in order.
    pub fn deletable(&self) -> Vec<Content> {
        let mut all = self.queue.clone();
        all.retain(|content| !self.is_protected(*content));
        all
    }

    /// Brings the queue up to date after references were given up in this order.
    pub fn gave_up(&mut self, references: &[Content]) {
        // An object enters when the last of its references goes.
        for (at, content) in references.iter().enumerate() {
            let is_last = !references[at + 1..].contains(content);
            if is_last && !self.is_referenced(*content) && self.objects.contains(content) {
                self.leave_queue(*content);
                self.queue.push(*content);
            }
        }
    }

    pub fn leave_queue(&mut self, content: Content) {
        self.queue.retain(|other| *other != content);
        self.unsure.remove(&content);
    }

    /// References that an image takes.
    pub fn took(&mut self, references: &[Content]) {
        for content in references {
            self.leave_queue(*content);
        }
    }

    pub fn hold(&mut self, connection: Connection, content: Content) {
        self.leases.entry(connection).or_default().insert(content);
    }

    pub fn missing(&self, references: &[Content]) -> Vec<Content> {
        let mut missing = Vec::new();
        for content in references {
            if !self.objects.contains(content) && !missing.contains(content) {
                missing.push(*content);
            }
        }
        missing
    }

    pub fn not_available(missing: &[Content]) -> String {
        match missing {
            [one] => format!("object: {} is not available", hash_of(*one)),
            many => format!("{} objects are not available", many.len()),
        }
    }

    pub fn remove_image(&mut self, name: &str) -> Option<ModelImage> {
        let removed = self.images.remove(name)?;
        self.gave_up(&removed.references);
        Some(removed)
    }

    /// Whatever has come to its end is gone.
    pub fn expire(&mut self) {
        let now = self.now;
        let ended: Vec<_> = self
            .images
            .iter()
            .filter(|(_, image)| !image.image.expires_at.is_zero() && image.image.expires_at <= time(now))
            .map(|(name, _)| *name)
            .collect();
        for name in &ended {
            self.remove_image(name);
        }
        // Which of several goes first is the business of the index.
        if ended.len() > 1 {
            self.unsure = self.queue.iter().copied().collect();
        }
        for image in self.images.values_mut() {
            image.timers.retain(|at| *at > now);
        }
        self.tombstones
            .retain(|_, timers| timers.iter().all(|at| *at > now));
    }

    /// The index has forgotten all timers but those it finds in its images.
    pub fn rearm(&mut self) {
        for image in self.images.values_mut() {
            image.timers = seconds(&image.image).into_iter().collect();
        }
        self.tombstones.values_mut().for_each(BTreeSet::clear);
    }

    /// A new process on the same directories.
    pub fn restart(&mut self, passed: i64) {
        self.now += passed;
        self.readers.clear();
        self.leases.clear();
        self.lingering.clear();
        self.rearm();
        self.expire();
        self.unsure = self.queue.iter().copied().collect();
    }

    pub fn bytes(contents: impl IntoIterator<Item = Content>) -> u64 {
        contents.into_iter().map(size).sum()
    }
}

/// When an image expires, in seconds since the beginning.
pub fn seconds(image: &Image) -> Option<i64> {
    (!image.expires_at.is_zero())
        .then(|| image.expires_at.unix_seconds() - super::universe::BEGIN_UNIX_SECONDS)
}
