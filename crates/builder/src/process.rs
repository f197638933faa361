//! Carrying out a manifest in an unpacked source image (`image-manifest.md §3`, steps 1 to 16).

use std::path::Path;

use crate::in_root::Tree;
use crate::mount_points::MountPoints;
use crate::sandbox_run::{Environment, Room};
use crate::step_error::{At, StepError};
use crate::{Phase, packages, resolv_conf, scripts, trees};

/// Bytes of a list of packages, at most.
const PACKAGE_LIST_MOST_BYTES: u64 = 4 << 20;

/// Carries out a manifest. The order of the steps is the promise that manifests are written for.
///
/// # Errors
/// The first step that failed. The tree is of no use then.
pub fn process_manifest(room: &Room, manifest: &Path, environment: &Environment) -> Result<(), StepError> {
    let watcher = &**room.watcher();
    let copy = |name| trees::copy(manifest, name, room.root(), Path::new(""), watcher);
    let append = |name| trees::append(manifest, name, room.root(), watcher);
    let run = |room: &Room, name| scripts::run(room, manifest, name, environment);

    watcher.phase(Phase::Files);
    let mount_points = MountPoints::make(room)?;
    resolv_conf::copy_in(room, environment)?;
    copy("files")?;
    append("files.append")?;
    watcher.phase(Phase::PreInstallScripts);
    run(room, "pre-install-scripts")?;
    watcher.phase(Phase::Packages);
    packages::install(room, &package_list(manifest)?, environment)?;
    watcher.phase(Phase::PostInstallFiles);
    copy("post-install-files")?;
    append("post-install-files.append")?;
    watcher.phase(Phase::Scripts);
    run(room, "scripts")?;
    watcher.phase(Phase::CleanUp);
    packages::clean(room)?;
    resolv_conf::empty(room)?;
    watcher.phase(Phase::PostScripts);
    copy("post-scripts-files")?;
    mount_points.remove()?;
    run(&room.without_binds(), "post-cleanup-scripts")
}

/// The packages to be installed; none if there is no list.
fn package_list(manifest: &Path) -> Result<Vec<String>, StepError> {
    let name = Path::new("package-list");
    let tree = Tree::manifest(manifest).at(manifest)?;
    let text = tree.read(name, PACKAGE_LIST_MOST_BYTES).at(name)?;
    Ok(recipe::manifest::package_list(&text.unwrap_or_default()))
}
