//! The packages of an image, each kept once however many images have it.

use image::Package;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Packages in the pool before those that nobody uses any more are looked for.
const SWEEP_MIN: usize = 1024;

/// Packages in the order of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageList(pub(crate) Arc<[SharedPackage]>);

/// A package of the pool.
#[derive(Debug, Clone)]
pub(crate) struct SharedPackage(pub(crate) Arc<Package>);

/// Packages in use, each once.
#[derive(Default)]
pub(crate) struct Packages {
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    packages: HashSet<SharedPackage>,
    sweep_at: usize,
}

impl Packages {
    pub(crate) fn list(&self, packages: Vec<Package>) -> PackageList {
        let mut pool = self.pool.lock();
        let list = packages.into_iter().map(|package| pool.shared(package)).collect();
        pool.sweep();
        PackageList(list)
    }
}

impl Pool {
    fn shared(&mut self, package: Package) -> SharedPackage {
        let package = SharedPackage(Arc::new(package));
        if let Some(known) = self.packages.get(&package) {
            return known.clone();
        }
        self.packages.insert(package.clone());
        package
    }

    fn sweep(&mut self) {
        if self.packages.len() < self.sweep_at.max(SWEEP_MIN) {
            return;
        }
        self.packages.retain(|package| Arc::strong_count(&package.0) > 1);
        self.sweep_at = self.packages.len() * 2;
    }
}

impl PackageList {
    /// In the order of the image.
    pub fn iter(&self) -> impl Iterator<Item = &Package> {
        self.0.iter().map(|package| &*package.0)
    }
}

impl PartialEq for SharedPackage {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        one.name == other.name && one.size == other.size && one.version == other.version
    }
}

impl Eq for SharedPackage {}

impl Hash for SharedPackage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
        self.0.size.hash(state);
        self.0.version.hash(state);
    }
}
