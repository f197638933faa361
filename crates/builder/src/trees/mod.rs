//! Trees of a manifest put into the tree of an image (`image-manifest.md §4`).

mod append;
mod copy;
mod place;
mod room;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::in_root::Tree;
use crate::step_error::{At, During, StepError};
use crate::{Watcher, sandbox_run::say};

/// Copies a tree of the manifest, such as `files`, to a place in the image; a tree that is not there is an empty one.
///
/// # Errors
/// `error copying files: …`.
pub fn copy(
    manifest: &Path,
    name: &str,
    image: &Path,
    place: &Path,
    watcher: &dyn Watcher,
) -> Result<(), StepError> {
    let began = Instant::now();
    let copying = copy::Copying {
        from: Tree::manifest(manifest).at(manifest)?,
        to: Tree::image(image).at(image)?,
        watcher,
        keeps_same: true,
        // The build's disk is watched.
        room: None,
    };
    copying
        .run(Path::new(name), place)
        .during(format!("error copying {name}"))?;
    let took = human::duration(began.elapsed());
    say(watcher, format!("\nCopied {name} tree in {took}"));
    Ok(())
}

/// Copies a manifest from a directory of the host, of which no more than so many bytes; links in it stay links.
///
/// # Errors
/// `error copying manifest: …`.
pub(crate) fn copy_manifest(
    from: &Path,
    to: &Path,
    most_bytes: u64,
    watcher: &dyn Watcher,
) -> Result<(), StepError> {
    let copying = copy::Copying {
        from: Tree::manifest(from).at(from).during("error copying manifest")?,
        to: Tree::image(to).at(to)?,
        watcher,
        keeps_same: false,
        room: Some(room::Room::new(to, most_bytes)),
    };
    copying
        .run(Path::new(""), Path::new(""))
        .during("error copying manifest")
}

/// Copies the tests of the manifest, if it has any, to `/tests/STREAM` of the image (`image-manifest.md §7`).
///
/// # Errors
/// As [`copy()`].
pub fn copy_tests(
    manifest: &Path,
    stream: &str,
    image: &Path,
    watcher: &dyn Watcher,
) -> Result<(), StepError> {
    let has_tests = manifest
        .join("tests")
        .symlink_metadata()
        .is_ok_and(|data| data.is_dir());
    if !has_tests {
        return Ok(());
    }
    let place = PathBuf::from("tests").join(stream);
    let tree = Tree::image(image).at(image)?;
    tree.make_directories(&place)
        .at(Path::new("/").join(&place))
        .during("error copying tests")?;
    copy(manifest, "tests", image, &place, watcher)
}

/// Appends the files of a tree of the manifest, such as `files.append`, to those of the image (`image-manifest.md §4.1`).
///
/// # Errors
/// `error appending files.append: …`.
pub fn append(manifest: &Path, name: &str, image: &Path, watcher: &dyn Watcher) -> Result<(), StepError> {
    let began = Instant::now();
    let from = Tree::manifest(manifest).at(manifest)?;
    let to = Tree::image(image).at(image)?;
    if !append::run(&from, Path::new(name), &to, watcher).during(format!("error appending {name}"))? {
        say(watcher, format!("No {name} directory"));
        return Ok(());
    }
    let took = human::duration(began.elapsed());
    say(watcher, format!("\nAppended {name} tree in {took}"));
    Ok(())
}

/// Writes a program into the tree of an image, 0755; what is there gives way.
///
/// # Errors
/// Of the file system; the directory must be there.
pub(crate) fn write_program(tree: &Tree, path: &Path, content: &[u8]) -> std::io::Result<()> {
    place::replace(tree, path, content, 0o755)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silent::Silent;
    use std::fs;

    /// Copies what `make` puts into a directory, at most a megabyte.
    fn copied(make: impl FnOnce(&Path)) -> Result<(), StepError> {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::create_dir(&to).unwrap();
        make(&from.join("sub"));
        copy_manifest(&from, &to, 1 << 20, &Silent)
    }

    #[test]
    fn a_manifest_of_the_host_has_a_bound_on_the_disk() {
        copied(|at| fs::write(at.join("manifest"), vec![0; 900 << 10]).unwrap()).unwrap();
        let large = copied(|at| fs::write(at.join("manifest"), vec![0; 2 << 20]).unwrap());
        let holes = copied(|at| {
            fs::File::create(at.join("manifest"))
                .unwrap()
                .set_len(1 << 40)
                .unwrap()
        });
        let many = copied(|at| (0..300).for_each(|name| fs::write(at.join(name.to_string()), "").unwrap()));
        for refused in [large, holes, many] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("takes more than 1 MiB"), "{error}");
        }
    }
}
