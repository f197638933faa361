//! The whole state of the real thing against the model's.

use super::model::{Model, ModelImage};
use super::real::Real;
use super::universe::{content, hash_of, number_of, size};
use actors::image_index::{EntryState, ImageEntry};
use image::Image;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;

fn equal<T: PartialEq + Debug>(what: &str, real: T, model: T) -> Result<(), String> {
    if real == model {
        Ok(())
    } else {
        Err(format!("{what}: {real:?}, should be {model:?}"))
    }
}

/// What is in memory, and what subscribers know. The model learns the order of the queue where it was unsure.
pub async fn state(model: &mut Model, real: &Real) -> Result<(), String> {
    statistics(model, real)?;
    let snapshot = real.system().images.snapshot();
    let names: Vec<_> = snapshot.images.keys().map(|name| name.to_string()).collect();
    equal(
        "images",
        names,
        model.images.keys().map(|name| (*name).to_owned()).collect(),
    )?;
    for (entry, expected) in snapshot.images.values().zip(model.images.values()) {
        image(entry, expected).map_err(|error| format!("image {}: {error}", entry.name))?;
    }
    let directories: BTreeMap<_, _> = snapshot
        .directories
        .values()
        .map(|entry| (entry.name.to_string(), entry.owner_group.to_string()))
        .collect();
    equal("directories", &directories, &model.directories)?;
    let unreferenced = real.system().objects.unreferenced().await;
    let unreferenced = unreferenced.map_err(|error| error.to_string())?;
    for (hash, bytes) in &unreferenced {
        equal("size of an unreferenced object", *bytes, size(number_of(hash)))?;
    }
    queue(
        model,
        unreferenced.iter().map(|(hash, _)| number_of(hash)).collect(),
    )
}

fn statistics(model: &Model, real: &Real) -> Result<(), String> {
    let figures = real.system().objects.statistics();
    let (used, unused): (Vec<u8>, Vec<u8>) = model
        .objects
        .iter()
        .copied()
        .partition(|content| model.is_referenced(*content));
    let references: Vec<u8> = model
        .images
        .values()
        .flat_map(|image| image.references.iter().copied())
        .collect();
    equal("objects", figures.objects, model.objects.len() as u64)?;
    equal(
        "bytes",
        figures.bytes,
        Model::bytes(model.objects.iter().copied()),
    )?;
    equal(
        "referenced objects",
        figures.referenced_objects,
        used.len() as u64,
    )?;
    equal("referenced bytes", figures.referenced_bytes, Model::bytes(used))?;
    equal(
        "unreferenced objects",
        figures.unreferenced_objects,
        unused.len() as u64,
    )?;
    equal(
        "unreferenced bytes",
        figures.unreferenced_bytes,
        Model::bytes(unused),
    )?;
    equal("references", figures.references, references.len() as u64)?;
    equal(
        "bytes of references",
        figures.references_bytes,
        Model::bytes(references),
    )?;
    equal("damaged objects", figures.damaged_objects, 0)
}

fn image(entry: &ImageEntry, expected: &ModelImage) -> Result<(), String> {
    equal("state", &entry.state, &EntryState::Present)?;
    let metadata = Image {
        file_system: None,
        ..expected.image.clone()
    };
    equal("metadata", &*entry.metadata, &metadata)?;
    let objects: Vec<_> = entry
        .objects
        .iter()
        .map(|object| (object.hash, object.size))
        .collect();
    let references = expected.references.iter();
    equal(
        "objects",
        objects,
        references
            .map(|content| (hash_of(*content), size(*content)))
            .collect(),
    )?;
    let files = expected.image.file_system.as_ref();
    let files = files.map_or(0, |tree| tree.inode_table.iter().count() as u64);
    equal(
        "regular inodes",
        (entry.num_regular_inodes, entry.inodes.regular),
        (files, files),
    )
}

/// Compares what is listed, and adopts its order where there was none.
fn queue(model: &mut Model, real: Vec<u8>) -> Result<(), String> {
    let visible = model.deletable();
    let as_set = |list: &[u8]| list.iter().copied().collect::<BTreeSet<_>>();
    equal("unreferenced objects", as_set(&real), as_set(&visible))?;
    let sure = |list: &[u8]| -> Vec<u8> {
        let sure = list.iter().filter(|content| !model.unsure.contains(content));
        sure.copied().collect()
    };
    equal("order of unreferenced objects", sure(&real), sure(&visible))?;
    if model.unsure.is_empty() {
        return Ok(());
    }
    let mut hidden: Vec<_> = model
        .queue
        .iter()
        .copied()
        .filter(|content| !real.contains(content))
        .collect();
    // Where one that is hidden belongs is seen when it shows.
    model.unsure = hidden.iter().copied().collect();
    hidden.extend(real);
    model.queue = hidden;
    Ok(())
}

/// What is on the disk. For moments when nothing is under way.
pub fn disk(model: &Model, real: &Real) -> Result<(), String> {
    let (mut files, mut tombstones, mut directories) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    walk(&real.directories.images(), &mut |name, path| {
        if path.is_dir() {
            directories.insert(name.to_owned());
        } else if std::fs::metadata(path).unwrap().len() == 0 {
            tombstones.insert(name.to_owned());
        } else {
            files.insert(name.to_owned());
        }
    });
    let names = |names: Vec<&&'static str>| names.into_iter().map(|name| (*name).to_owned()).collect();
    equal("image files", files, names(model.images.keys().collect()))?;
    equal("tombstones", tombstones, names(model.tombstones.keys().collect()))?;
    let expected = model.directories.keys().filter(|name| *name != ".");
    equal("directories on disk", directories, expected.cloned().collect())?;
    let mut objects = BTreeSet::new();
    let mut wrong = Vec::new();
    walk(&real.directories.objects(), &mut |name, path| {
        if path.is_file() {
            let number = name
                .replace('/', "")
                .parse()
                .map(|hash| number_of(&hash))
                .unwrap();
            objects.insert(number);
            if std::fs::read(path).unwrap() != content(number) {
                wrong.push(number);
            }
        }
    });
    equal("objects on disk", &objects, &model.objects)?;
    equal("objects with other bytes", wrong, Vec::new())
}

/// Everything below a directory without what begins with a dot, by relative name.
fn walk(root: &Path, found: &mut dyn FnMut(&str, &Path)) {
    let mut pending = vec![(String::new(), root.to_owned())];
    while let Some((prefix, directory)) = pending.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with('.') {
                continue;
            }
            let name = format!("{prefix}{name}");
            found(&name, &entry.path());
            if entry.path().is_dir() {
                pending.push((format!("{name}/"), entry.path()));
            }
        }
    }
}
