//! The scripts of a manifest (`image-manifest.md §5`).

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::delete::delete_below;
use crate::in_root::{Tree, names};
use crate::packages::PACKAGER;
use crate::sandbox_run::{Environment, Room, Run};
use crate::step_error::{At, During, StepError};

/// Where scripts are put in the image while they run.
const PLACE: &str = ".scripts";
const SCRIPT_MODE: Mode = Mode::from_raw_mode(0o755);
/// Between a script's output and the next.
const SEPARATOR: &str = "=================================================================";

/// Runs the scripts in a directory of the manifest, one after the other, in version order.
///
/// # Errors
/// `error running script: NAME: exit status N`, and what cannot be read or put into the image.
pub(crate) fn run(
    room: &Room,
    manifest: &Path,
    directory: &str,
    environment: &Environment,
) -> Result<(), StepError> {
    let from = Tree::manifest(manifest).at(manifest)?;
    let inside = match from.directory(Path::new(directory)) {
        Err(Errno::NOENT) => {
            room.say(format!("No {directory} directory"));
            return Ok(());
        }
        other => other.at(directory)?,
    };
    let mut scripts = names(inside).at(directory)?;
    if scripts.is_empty() {
        room.say("\nNo scripts to run");
        return Ok(());
    }
    scripts.retain(|name| !name.as_bytes().starts_with(b"."));
    scripts.sort_by(|left, right| human::version_cmp(left.as_bytes(), right.as_bytes()));
    room.say(format!("\nRunning scripts in: {directory}"));
    let began = Instant::now();
    let copies = Copies::make(room.root(), &from, directory, &scripts)?;
    for name in &scripts {
        run_one(room, name, environment)?;
    }
    copies.remove()?;
    let took = human::duration(began.elapsed());
    room.say(format!("Ran scripts in {took}"));
    Ok(())
}

fn run_one(room: &Room, name: &OsStr, environment: &Environment) -> Result<(), StepError> {
    let name = name.to_string_lossy();
    room.say(format!("Running script: {name}"));
    let began = Instant::now();
    let path = format!("/{PLACE}/{name}");
    let run = Run {
        argv: &[PACKAGER, "run", &path],
        injected: Some(environment),
        ..Run::default()
    };
    room.run(run).during(format!("error running script: {name}"))?;
    let took = human::duration(began.elapsed());
    room.say(format!("Script: {name} took {took}\n{SEPARATOR}"));
    Ok(())
}

/// The scripts in the image; they go whatever happens.
struct Copies {
    tree: Option<Tree>,
}

impl Copies {
    fn make(root: &Path, from: &Tree, directory: &str, scripts: &[OsString]) -> Result<Self, StepError> {
        let tree = Tree::image(root).at(root)?;
        let place = Path::new("/").join(PLACE);
        rustix::fs::mkdirat(&tree, PLACE, SCRIPT_MODE).at(&place)?;
        let copies = Self { tree: Some(tree) };
        let Some(tree) = &copies.tree else {
            return Ok(copies);
        };
        let to = tree.directory(Path::new(PLACE)).at(&place)?;
        for name in scripts {
            let source = Path::new(directory).join(name);
            let script = from.regular_file(&source, OFlags::RDONLY).at(&source)?;
            let Some(mut script) = script else {
                return Err(StepError::wrong(format!(
                    "{} is not a regular file",
                    source.display()
                )));
            };
            if std::str::from_utf8(name.as_bytes()).is_err() {
                return Err(StepError::wrong(format!(
                    "{}: names of scripts must be UTF-8",
                    source.display()
                )));
            }
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let copy = rustix::fs::openat(&to, name, flags, SCRIPT_MODE).at(place.join(name))?;
            let mut copy = std::fs::File::from(copy);
            std::io::copy(script.by_ref(), &mut copy).at(place.join(name))?;
            rustix::fs::fchmod(&copy, SCRIPT_MODE).at(place.join(name))?;
        }
        Ok(copies)
    }

    fn remove(mut self) -> Result<(), StepError> {
        match self.tree.take() {
            Some(tree) => delete_below(&tree, OsStr::new(PLACE)).at(Path::new("/").join(PLACE)),
            None => Ok(()),
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        if let Some(tree) = self.tree.take() {
            // Only after an error, which is the one that matters.
            let _ = delete_below(&tree, OsStr::new(PLACE));
        }
    }
}
