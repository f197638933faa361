//! Directories (`imageserver.md §3.5, §3.6, §3.20`).

use super::model::Model;
use super::step::{Caller, Step};
use super::universe::{GROUP, requester};
use image::name::{check_directory, clean, parent};

pub fn apply(model: &mut Model, step: &Step) -> Result<String, String> {
    match step {
        Step::MakeDirectory { caller, name, all } => make(model, *caller, &clean(name), *all)?,
        Step::PutDirectory(name, group) => put(model, name, group)?,
        Step::ChownDirectory(caller, name, group) => chown(model, *caller, &clean(name), group)?,
        Step::DeleteDirectory(caller, name) => delete(model, *caller, name)?,
        other => return Err(format!("not about directories: {other:?}")),
    }
    Ok("done".to_owned())
}

fn make(model: &mut Model, caller: Caller, name: &str, all: bool) -> Result<(), String> {
    check_directory(name).map_err(|_| "bad name")?;
    if !all {
        if model.directories.contains_key(name) {
            return Err(format!("directory: {name} already exists"));
        }
        return make_one(model, caller, name);
    }
    if name == "." {
        return Err("cannot create root directory".to_owned());
    }
    let mut path = String::new();
    for component in name.split('/') {
        if !path.is_empty() {
            path.push('/');
        }
        path += component;
        if !model.directories.contains_key(&path) {
            make_one(model, caller, &path)?;
        }
    }
    Ok(())
}

fn make_one(model: &mut Model, caller: Caller, name: &str) -> Result<(), String> {
    let group = model.directories.get(parent(name)).cloned();
    let group = group.ok_or_else(|| format!("no metadata for: {}", parent(name)))?;
    let caller = requester(caller);
    if !caller.method_access && !caller.groups.contains(&group) {
        return Err("no access to image".to_owned());
    }
    make_on_disk(model, name)?;
    model.directories.insert(name.to_owned(), group);
    Ok(())
}

/// An image or a tombstone of that name is in the way; the index then compares itself with the disk.
fn make_on_disk(model: &mut Model, name: &str) -> Result<(), String> {
    if model.images.contains_key(name) || model.tombstones.contains_key(name) {
        model.rearm();
        return Err("cannot make directory".to_owned());
    }
    Ok(())
}

fn put(model: &mut Model, name: &str, group: &str) -> Result<(), String> {
    check_directory(name).map_err(|_| "bad name")?;
    if model.directories.get(name).is_some_and(|known| known == group) {
        return Ok(());
    }
    if !model.directories.contains_key(parent(name)) {
        return Err(format!("no metadata for: {}", parent(name)));
    }
    make_on_disk(model, name)?;
    model.directories.insert(name.to_owned(), group.to_owned());
    Ok(())
}

fn chown(model: &mut Model, caller: Caller, name: &str, group: &str) -> Result<(), String> {
    let caller = requester(caller);
    if caller.username.is_empty() {
        return Err("no username: unauthenticated connection".to_owned());
    }
    if !matches!(group, "" | GROUP | "root") {
        return Err(format!("group: unknown group {group}"));
    }
    let current = model.directories.get(name);
    let current = current.ok_or_else(|| format!("no metadata for: {name:?}"))?;
    let is_member = |group: &str| caller.groups.iter().any(|own| own == group);
    let owns_parent = name != "."
        && model
            .directories
            .get(parent(name))
            .is_some_and(|group| is_member(group));
    if !caller.method_access && !owns_parent {
        if !is_member(group) {
            return Err(format!("no membership of {group} group"));
        }
        if !is_member(current) {
            return Err("no access to image".to_owned());
        }
    }
    model.directories.insert(name.to_owned(), group.to_owned());
    Ok(())
}

fn delete(model: &mut Model, caller: Caller, name: &str) -> Result<(), String> {
    if !requester(caller).method_access {
        return Err("no access to image".to_owned());
    }
    let Some(group) = model.directories.get(name) else {
        return Err(format!("directory: {name} does not exist"));
    };
    if name == "." {
        return Err("cannot remove root directory".to_owned());
    }
    let is_inside = |other: &str| parent(other) == name;
    // On a replica what only the directory itself has goes with it.
    let is_replica = model.settings.replica;
    let is_empty = (is_replica || group.is_empty())
        && !model.images.keys().any(|other| is_inside(other))
        && (is_replica || !model.tombstones.keys().any(|other| is_inside(other)))
        && !model
            .directories
            .keys()
            .any(|other| other != "." && is_inside(other));
    if !is_empty {
        return Err(format!("remove {name}: directory not empty"));
    }
    model.tombstones.retain(|other, _| !is_inside(other));
    model.directories.remove(name);
    Ok(())
}
