//! A repository in memory made of the crate's functions in the order the specification states, to put to it what was once
//! put to the original. It shows how the pieces are meant to be joined; what it lacks is a store and a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a test: what cannot go on has failed, and nothing is exported"
)]

pub mod conversation;
pub mod fixtures;
pub mod images;
pub mod server;
pub mod uploads;

use repository::catalogue::Catalogue;
use repository::channels::Channels;
use repository::manifest::{Known, Mode, Record, Rules};
use repository::{ApiError, Uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

/// An answer as far as it is compared.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, body).with("content-type", "application/json")
    }
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self::json(error.status(), error.body())
    }
}

/// What a server takes from its clock and its source of random numbers: here from the recorded answer.
#[derive(Clone, Copy)]
pub struct Minted {
    pub uuid: Uuid,
    pub now: SystemTime,
}

pub struct Model {
    pub mode: Mode,
    pub channels: Channels,
    pub owners: BTreeSet<Uuid>,
    pub admin: Option<Uuid>,
    pub records: BTreeMap<Uuid, Record>,
    pub catalogue: Catalogue,
    pub files: BTreeMap<Uuid, Vec<u8>>,
    pub icons: BTreeMap<Uuid, Vec<u8>>,
    /// What the images that were made beforehand have for a file.
    pub small_file: Vec<u8>,
}

impl Model {
    pub fn new(mode: Mode, channels: Channels) -> Self {
        Self {
            mode,
            channels,
            owners: BTreeSet::new(),
            admin: None,
            records: BTreeMap::new(),
            catalogue: Catalogue::default(),
            files: BTreeMap::new(),
            icons: BTreeMap::new(),
            small_file: Vec::new(),
        }
    }

    pub fn rules(&self) -> Rules {
        Rules {
            mode: self.mode,
            has_channels: !self.channels.is_empty(),
        }
    }
}

impl Known for Model {
    fn has_owner(&self, owner: Uuid) -> bool {
        self.owners.contains(&owner)
    }

    fn has_image(&self, uuid: Uuid) -> bool {
        self.records.contains_key(&uuid)
    }
}
