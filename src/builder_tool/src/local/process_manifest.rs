//! `process-manifest manifestDir rootDir`: carry out a manifest in a tree that is there (`builder-tool.md §2.2`).

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use builder::process::process_manifest;
use builder::{BuildError, Room};
use flags::{Mark, Verb};

use super::here::Here;
use crate::session::Session;
use crate::verbs::LOCAL;

pub(crate) const NAME: &str = "process-manifest";
pub(crate) const DOING: &str = "error processing manifest";

pub(crate) fn verb() -> Verb {
    Verb::new(
        NAME,
        "manifestDir rootDir",
        "carry out a manifest in a tree that is there",
    )
    .group(LOCAL)
    .mark(Mark::Root)
}

pub(crate) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let here = Here::new(session)?;
    let absolute = |path: &str| {
        std::fs::canonicalize(path).map_err(|error| anyhow!("{path}: {}", tree_io::os_text(&error)))
    };
    let (manifest, root) = (absolute(&arguments[0])?, absolute(&arguments[1])?);
    if is_open_to_others(&root) {
        eprintln!(
            "warning: {}: others of this host may enter it, and run what becomes a set-user-id program in it: chmod 700 {}",
            root.display(),
            root.parent().unwrap_or(&root).display()
        );
    }
    let variables = here.variables()?;
    let watcher = here.watcher();
    let binds = builder::read_only(&session.options.bind_mounts);
    let room = Room::new(here.room_config(), root, Arc::clone(&watcher)).with_binds(binds);
    here.run(move || {
        let began = Instant::now();
        process_manifest(&room, &manifest, &variables).map_err(|error| BuildError {
            text: error.to_string(),
            phase: None,
            needs: None,
            is_cancelled: error.is_cancelled(),
            is_server_away: false,
        })?;
        room.say(format!(
            "Processed manifest in {}",
            human::duration(began.elapsed())
        ));
        Ok(())
    })
    .await
}

/// Whether everybody may pass through all directories above a tree.
fn is_open_to_others(root: &Path) -> bool {
    const OTHERS_PASS: u32 = 0o001;
    let passes = |directory: &Path| {
        std::fs::metadata(directory).is_ok_and(|found| found.permissions().mode() & OTHERS_PASS != 0)
    };
    root.ancestors().all(passes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_below_a_closed_directory_is_not_open() {
        let closed = tempfile::tempdir_in("/var/tmp").unwrap();
        let root = closed.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let shut = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(closed.path(), shut).unwrap();
        assert!(!is_open_to_others(&root));
        let opened = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(closed.path(), opened).unwrap();
        assert!(is_open_to_others(&root));
    }
}
