//! The source image becomes a tree: what the object cache has is copied, the rest fetched (`imaginator.md §11.5`).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hash::Hash;
use image::FileSystem;
use image_client::fetch::{BlockingObjects, ObjectStream, Verify};
use tree_io::{Known, UnpackOptions};

use super::Build;
use super::failure::Failure;
use crate::kept_tree::KeptTrees;
use crate::object_cache::Near;

/// How often objects that were in the cache may be gone when they are to be copied, before the cache is left out.
const ATTEMPTS: u32 = 3;

impl Build<'_> {
    /// Unpacks `tree` into the directory `root`, which is there and empty. What is returned knows the files until they change.
    pub(crate) fn unpack(&self, tree: &Arc<FileSystem>, root: &Path) -> Result<Known, Failure> {
        let began = Instant::now();
        let wanted = tree_io::unpack::wanted(tree)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let cache = self.shop.cache.as_ref().filter(|_| attempt < ATTEMPTS);
            let near = match cache {
                Some(cache) => Some(cache.near(&wanted, self.link.cancel())?),
                None => None,
            };
            let missing: Vec<(Hash, u64)> = wanted
                .iter()
                .filter(|(hash, _)| near.as_ref().is_none_or(|near| !near.has(hash)))
                .copied()
                .collect();
            let (objects, bytes) = (missing.len(), missing.iter().map(|(_, size)| size).sum());
            match self.fetch_and_unpack(tree, root, missing, near) {
                Err(tree_io::Error::NotNear(hash)) => {
                    if let Some(cache) = &self.shop.cache {
                        cache.remove(&hash);
                    }
                }
                // Trees that are kept are worth less than a build.
                Err(tree_io::Error::WillNotFit) if attempt == 1 && self.shop.kept.is_some() => {
                    self.shop.kept.iter().for_each(KeptTrees::clear);
                }
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    let copied = wanted.len() - objects;
                    let fetched = human::bytes(bytes);
                    let took = human::duration(began.elapsed());
                    self.overseer.say(format!(
                        "Unpacked in {took}: fetched {objects} objects ({fetched}), copied {copied} from the object cache"
                    ));
                    break;
                }
            }
        }
        let known = Known::of(tree, root)?;
        // What scripts change from now on has another time of change.
        self.shop.tick.wait();
        Ok(known)
    }

    pub(super) fn fetch_and_unpack(
        &self,
        tree: &Arc<FileSystem>,
        root: &Path,
        missing: Vec<(Hash, u64)>,
        near: Option<Near>,
    ) -> Result<(), tree_io::Error> {
        let source = |error: Failure| tree_io::Error::Source(error.text().to_owned().into());
        let client = match missing.is_empty() {
            true => None,
            false => Some(self.link.connect().map_err(source)?.into_client()),
        };
        let (tree, root, cancel) = (Arc::clone(tree), root.to_owned(), self.link.cancel().clone());
        let unpacked = self.link.wait(async move {
            let stream = client.map(|client| ObjectStream::start(client, missing, Verify::Reader));
            let work = move || {
                let options = UnpackOptions {
                    near: near.as_ref().map(|near| near as _),
                    cancel: cancel.clone(),
                    ..UnpackOptions::default()
                };
                match stream {
                    Some(stream) => {
                        let mut objects = BlockingObjects { stream, cancel };
                        tree_io::unpack(&tree, &root, &mut objects, &options)
                    }
                    None => tree_io::unpack(&tree, &root, &mut Nothing, &options),
                }
            };
            tokio::task::spawn_blocking(work).await
        });
        unpacked.unwrap_or(Err(tree_io::Error::WorkerDied))
    }
}

/// Where everything is near, nothing is asked for.
struct Nothing;

impl tree_io::ObjectSource for Nothing {
    fn next_object(
        &mut self,
        hash: &Hash,
        _size: u64,
        _consume: &mut dyn FnMut(&[u8]) -> Result<(), tree_io::Error>,
    ) -> Result<(), tree_io::Error> {
        Err(tree_io::Error::NotNear(Box::new(*hash)))
    }
}
