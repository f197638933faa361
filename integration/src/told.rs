//! What clients asked of a server and what they were told: the measure of what must be there after a crash.
//!
//! A change that was acknowledged must be there. One that was asked for and never answered may be there whole, or not
//! at all; which of the two is settled by looking, and must not change afterwards.

use crate::images::{self, add, delete, names, store};
use crate::plain_call::call;
use crate::server::{Home, ImageServer};
use crate::whole::{self, Contents};
use anyhow::{Context, Result, ensure};
use gob::Time;
use image::Image;
use protocol::image_server::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// Whether a change was asked for, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    NotAsked,
    /// Asked, and not answered so far.
    Open,
    Acknowledged,
}

/// An image that somebody asked a server to add.
#[derive(Debug, Clone)]
pub struct ToldImage {
    pub contents: Contents,
    pub added: Answer,
    pub deleted: Answer,
    /// The last acknowledged expiration, and those asked for since.
    pub expirations: Vec<Time>,
}

/// Everything that was asked and told.
#[derive(Debug, Default)]
pub struct Told {
    pub images: BTreeMap<String, ToldImage>,
    /// Names of directories, and whether making them was acknowledged.
    pub directories: BTreeMap<String, bool>,
    pub acknowledged_adds: usize,
    pub acknowledged_deletes: usize,
    pub acknowledged_others: usize,
}

/// How a found image is compared: with what was told about it.
struct Found<'a> {
    server: &'a ImageServer,
    listed: BTreeSet<String>,
}

impl Told {
    /// Changes that were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged_adds + self.acknowledged_deletes + self.acknowledged_others
    }

    pub fn ask_add(&mut self, name: &str, contents: &Contents, expires_at: Time) {
        self.images.insert(
            name.to_owned(),
            ToldImage {
                contents: contents.clone(),
                added: Answer::Open,
                deleted: Answer::NotAsked,
                expirations: vec![expires_at],
            },
        );
    }

    pub fn acknowledge_add(&mut self, name: &str) {
        if let Some(image) = self.images.get_mut(name) {
            image.added = Answer::Acknowledged;
            self.acknowledged_adds += 1;
        }
    }

    pub fn ask_delete(&mut self, name: &str) {
        if let Some(image) = self.images.get_mut(name) {
            image.deleted = Answer::Open;
        }
    }

    pub fn acknowledge_delete(&mut self, name: &str) {
        if let Some(image) = self.images.get_mut(name) {
            image.deleted = Answer::Acknowledged;
            self.acknowledged_deletes += 1;
        }
    }

    pub fn ask_expiration(&mut self, name: &str, expires_at: Time) {
        if let Some(image) = self.images.get_mut(name) {
            image.expirations.push(expires_at);
        }
    }

    pub fn acknowledge_expiration(&mut self, name: &str) {
        if let Some(image) = self.images.get_mut(name)
            && let Some(last) = image.expirations.pop()
        {
            image.expirations = vec![last];
            self.acknowledged_others += 1;
        }
    }

    pub fn ask_directory(&mut self, name: &str) {
        self.directories.insert(name.to_owned(), false);
    }

    pub fn acknowledge_directory(&mut self, name: &str) {
        self.directories.insert(name.to_owned(), true);
        self.acknowledged_others += 1;
    }

    /// Names of images that are there for certain, and that nobody is deleting.
    pub fn there(&self) -> Vec<String> {
        let is_there =
            |image: &ToldImage| image.added == Answer::Acknowledged && image.deleted == Answer::NotAsked;
        self.images
            .iter()
            .filter(|(_, image)| is_there(image))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Compares with what the server serves and what lies on its disk, and settles what was open. Fails on every
    /// difference: an image that is lost, half there, back from the dead, or known to nobody.
    pub fn check(&mut self, home: &Home, server: &ImageServer) -> Result<()> {
        whole::check_images_on_disk(&home.images())?;
        whole::check_objects_on_disk(&home.objects())?;
        // Nothing quarantined, nothing damaged.
        let condition = server.condition()?;
        ensure!(condition == "healthy", "{condition}");
        let found = Found {
            server,
            listed: names(server)?.into_iter().collect(),
        };
        for name in &found.listed {
            ensure!(self.images.contains_key(name), "nobody added {name}");
        }
        for (name, image) in &mut self.images {
            found
                .settle(home, name, image)
                .with_context(|| format!("image {name}: {:?} {:?}", image.added, image.deleted))?;
        }
        self.images.retain(|_, image| image.added != Answer::NotAsked);
        for (name, made) in &mut self.directories {
            let there = directory_exists(server, name)?;
            ensure!(there || !*made, "directory {name} is lost");
            *made = there;
        }
        self.directories.retain(|_, made| *made);
        Ok(())
    }
}

impl Found<'_> {
    fn settle(&self, home: &Home, name: &str, image: &mut ToldImage) -> Result<()> {
        let listed = self.listed.contains(name);
        let on_disk = std::fs::metadata(home.images().join(name))
            .map(|file| file.len())
            .ok();
        if listed {
            ensure!(image.deleted != Answer::Acknowledged, "it is back from the dead");
            let contents = whole::fetch(self.server, name)?.context("listed and not there")?;
            ensure!(contents == image.contents, "it is not what was added");
            let expires_at = images::get(self.server, name)?
                .context("it went away")?
                .expires_at;
            let is_told = image.expirations.contains(&expires_at);
            ensure!(
                is_told,
                "it expires at {expires_at:?}, which nobody asked for: {:?}",
                image.expirations
            );
            image.expirations = vec![expires_at];
            (image.added, image.deleted) = (Answer::Acknowledged, Answer::NotAsked);
            return Ok(());
        }
        match (image.added, image.deleted) {
            (Answer::Acknowledged, Answer::NotAsked) => anyhow::bail!("it is lost"),
            // The name must stay free.
            (_, Answer::NotAsked) => {
                ensure!(on_disk.is_none(), "not served, {on_disk:?} bytes on disk");
                image.added = Answer::NotAsked;
            }
            (_, Answer::Open | Answer::Acknowledged) => {
                ensure!(
                    on_disk == Some(0),
                    "deleted without a tombstone: {on_disk:?} bytes on disk"
                );
                image.deleted = Answer::Acknowledged;
                // Thousands of rounds leave many; nobody asks for these again.
                image.contents = Contents::new();
            }
        }
        Ok(())
    }
}

/// Contents by path as an image of one directory.
pub fn image_of(contents: &Contents, expires_at: Time) -> Image {
    let files: Vec<(&str, &[u8])> = contents
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_slice()))
        .collect();
    Image {
        expires_at,
        ..images::image(&files)
    }
}

/// Sends the contents and then the image.
pub fn add_whole(server: &ImageServer, name: &str, contents: &Contents, expires_at: Time) -> Result<()> {
    let distinct: BTreeSet<&[u8]> = contents.values().map(Vec::as_slice).collect();
    store(server, &distinct.into_iter().collect::<Vec<_>>())?;
    add(server, name, image_of(contents, expires_at))
}

/// The name of a deleted image cannot be used again.
pub fn check_tombstone(server: &ImageServer, name: &str) -> Result<()> {
    let refusal = add(server, name, images::image(&[]))
        .err()
        .context("it was added again")?
        .to_string();
    ensure!(
        refusal == format!("cannot add previously deleted image: {name}"),
        "{refusal}"
    );
    // Nor is there anything left to delete.
    ensure!(delete(server, name).is_err(), "it could be deleted again");
    Ok(())
}

pub fn change_expiration(server: &ImageServer, name: &str, expires_at: Time) -> Result<()> {
    let request = ChangeImageExpirationRequest {
        expires_at,
        image_name: name.to_owned(),
    };
    let reply: ChangeImageExpirationResponse =
        call(server.address(), "ImageServer.ChangeImageExpiration", &request)?;
    ensure!(reply.error.is_empty(), "{}", reply.error);
    Ok(())
}

pub fn directory_exists(server: &ImageServer, name: &str) -> Result<bool> {
    let request = CheckDirectoryRequest {
        directory_name: name.to_owned(),
    };
    let reply: CheckDirectoryResponse = call(server.address(), "ImageServer.CheckDirectory", &request)?;
    Ok(reply.directory_exists)
}

/// So many minutes from now, as the server keeps it: whole seconds.
pub fn in_minutes(minutes: u64) -> Time {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = now + Duration::from_secs(60 * minutes);
    (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.as_secs())).into()
}
