//! One build, from the order to the image: what is around the steps that run commands.

mod bootstrap;
mod disk_watch;
mod failure;
mod kept_directory;
mod link;
mod objects;
mod overseer;
mod pack;
mod publish;
mod reuse;
mod source;
mod tree;
mod unpack;
mod user;
mod work_tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub(crate) use publish::Names;

use crate::order::{BuildError, Built, Delivery, Order, Recipe};
use crate::workshop::Shop;
use crate::{Room, RoomConfig, Watcher};
use disk_watch::DiskWatch;
use failure::Failure;
use link::Link;
use overseer::Overseer;
use pack::{Packed, Packing};
use publish::Published;
use work_tree::WorkTree;

/// A build that runs.
pub(crate) struct Build<'a> {
    shop: &'a Arc<Shop>,
    order: &'a Order,
    overseer: Arc<Overseer>,
    link: Link,
    began: Instant,
}

/// Builds a tree and nothing more, and gives it to `place`, a directory: for the tool's local builds (`builder-tool.md §2.2`).
pub(crate) fn build_tree(
    shop: &Arc<Shop>,
    order: &Order,
    place: &Path,
    watcher: &Arc<dyn Watcher>,
) -> Result<PathBuf, BuildError> {
    let overseer = Overseer::new(Arc::clone(watcher));
    let built = start(shop, order, &overseer).and_then(|build| match &order.recipe {
        Recipe::User {
            stream, bind_mounts, ..
        } => build.tree(stream, bind_mounts, place),
        Recipe::Bootstrap(_) => Err(Failure::new("only manifests make trees")),
    });
    built.map_err(|failure| told(failure, &overseer, order))
}

/// Builds; leaves nothing behind but the image.
pub(crate) fn build(
    shop: &Arc<Shop>,
    order: &Order,
    watcher: &Arc<dyn Watcher>,
) -> Result<Built, BuildError> {
    let overseer = Overseer::new(Arc::clone(watcher));
    let built = run(shop, order, &overseer);
    built.map_err(|failure| told(failure, &overseer, order))
}

fn told(failure: Failure, overseer: &Overseer, order: &Order) -> BuildError {
    let phase = overseer.present_phase();
    overseer.explained(failure).told(order, phase)
}

fn start<'a>(shop: &'a Arc<Shop>, order: &'a Order, overseer: &Arc<Overseer>) -> Result<Build<'a>, Failure> {
    Ok(Build {
        shop,
        order,
        overseer: Arc::clone(overseer),
        link: Link::new(shop.config.connect.clone(), Arc::clone(overseer))
            .map_err(|e| Failure::new(format!("cannot start a build: {e}")))?,
        began: Instant::now(),
    })
}

fn run(shop: &Arc<Shop>, order: &Order, overseer: &Arc<Overseer>) -> Result<Built, Failure> {
    let build = start(shop, order, overseer)?;
    match &order.recipe {
        Recipe::Bootstrap(stream) => build.bootstrap(stream),
        Recipe::User {
            stream,
            bind_mounts,
            mtimes_copy_filter_lines,
            cache,
        } => build.user(stream, bind_mounts, mtimes_copy_filter_lines, cache.as_ref()),
    }
}

impl Build<'_> {
    /// A new directory for the tree.
    fn work_tree(&self, suffix: &str) -> Result<WorkTree, Failure> {
        let prefix = format!("{}{suffix}", self.order.stream.replace('/', "_"));
        let cache = self.shop.cache.clone();
        let tree = WorkTree::make(&self.shop.directory, &prefix, cache).map_err(|e| {
            let directory = self.shop.directory.display();
            Failure::new(format!(
                "cannot make a directory in {directory}: {}",
                tree_io::os_text(&e)
            ))
        })?;
        self.overseer.say(format!(
            "Created image working directory: {}",
            tree.path().display()
        ));
        Ok(tree)
    }

    fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::clone(&self.overseer) as Arc<dyn Watcher>
    }

    fn room(&self, root: &Path) -> Room {
        let config = RoomConfig {
            command: self.shop.config.sandbox.clone(),
            limits: self.shop.config.limits.of_a_command(),
            network: self.shop.config.network,
            slot: self.order.slot,
            group: format!("{}{}", self.shop.group_prefix, self.order.number),
            deadline: self.order.deadline,
        };
        Room::new(config, root, self.watcher())
    }

    /// `kept`: what else the build may write in.
    fn watch_disk(&self, root: &Path, kept: Option<&Path>) -> DiskWatch {
        let places = std::iter::once(root).chain(kept).map(Path::to_owned).collect();
        DiskWatch::start(places, self.shop.config.limits.disk_bytes, &self.overseer)
    }

    /// Packs, and adds the image or hands it back. If the server lost objects of the source image meanwhile, everything is sent once.
    fn finish(&self, room: &Room, root: &mut WorkTree, mut packing: Packing) -> Result<Built, Failure> {
        loop {
            let Packed { image, _sent } = self.pack(room, root, &packing)?;
            let built = |name, image| Built {
                name,
                image,
                source_image: packing.source_image.clone(),
                commit: packing.build_commit_id.clone(),
            };
            if self.order.delivery == Delivery::Return {
                self.overseer.check()?;
                return Ok(built(String::new(), Some(Box::new(image))));
            }
            match self.publish(image) {
                Ok(name) => return Ok(built(name, None)),
                Err(Published::ObjectsGone(failure)) if packing.known.is_none() => return Err(failure),
                Err(Published::ObjectsGone(failure)) => {
                    let why = failure.text();
                    self.overseer
                        .say(format!("{why}: sending all objects of the image again"));
                    packing.known = None;
                }
                Err(Published::Failed(failure)) => return Err(failure),
            }
        }
    }
}
