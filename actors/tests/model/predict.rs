//! What a step should answer, and what it should change.

use super::model::{Archived, Model, ModelImage, seconds};
use super::rules::{check_access, check_limit, text};
use super::step::{Caller, Content, Spec, Step, Tree};
use super::universe::{self, commit, hash_of, requester, size, tags_to_match, time};
use image::Image;

/// Applies a step; its answer.
pub fn apply(model: &mut Model, step: &Step) -> String {
    let result = match step {
        Step::AddObjects(connection, contents) => {
            let mut added = String::from("added:");
            for content in contents {
                let new = model.objects.insert(*content);
                if new {
                    model.queue.push(*content);
                }
                model.hold(*connection, *content);
                added += if new { " new" } else { " known" };
            }
            Ok(added)
        }
        Step::CheckObjects(connection, contents) => {
            let mut sizes = String::from("sizes:");
            for content in contents {
                let known = model.objects.contains(content);
                if let Some(connection) = connection
                    && known
                {
                    model.hold(*connection, *content);
                }
                sizes += &format!(" {}", if known { size(*content) } else { 0 });
            }
            Ok(sizes)
        }
        Step::ReadObjects(contents) => readable(model, contents).map(|()| "read".to_owned()),
        Step::ReadOne(content) => readable(model, &[*content]).map(|()| "read".to_owned()),
        Step::OpenReader(connection, contents) => {
            model.readers.remove(connection);
            readable(model, contents).map(|()| {
                model.readers.insert(*connection, contents.clone());
                "opened".to_owned()
            })
        }
        Step::FinishReader(connection) => match model.readers.remove(connection) {
            Some(_) => Ok("read".to_owned()),
            None => Err("no reader".to_owned()),
        },
        Step::Release(connection) => {
            model.readers.remove(connection);
            let held = model.leases.remove(connection).unwrap_or_default();
            if model.settings.lingering {
                model.lingering.extend(held);
            }
            Ok("released".to_owned())
        }
        Step::DeleteUnreferenced { percentage, bytes } => delete_unreferenced(model, *percentage, *bytes),
        Step::AddImage(caller, name, spec) => add_image(model, *caller, name, spec),
        Step::DeleteImage(caller, name) => delete_image(model, *caller, name),
        Step::ChangeExpiration(caller, name, at) => change_expiration(model, *caller, name, *at),
        Step::GetImage(name) => Ok(match model.images.get(name) {
            Some(image) => format!("{:?}", image.image),
            None => "no image".to_owned(),
        }),
        Step::FindLatest {
            directory,
            commit: number,
            ignore_expiring,
            tag,
        } => {
            let admits = |(name, image): &(&&str, &ModelImage)| {
                image::name::parent(name) == *directory
                    && (*number == 0 || image.image.build_commit_id == commit(*number))
                    && selects(&image.image, *ignore_expiring, *tag)
            };
            let latest = model
                .images
                .iter()
                .filter(admits)
                .max_by_key(|(name, image)| (image.image.created_on, **name));
            Ok(format!("latest: {:?}", latest.map(|(name, _)| *name)))
        }
        Step::List {
            directory,
            ignore_expiring,
            tag,
        } => {
            let selected = |(name, image): &(&&str, &ModelImage)| {
                let inside = match *directory {
                    "" | "." => true,
                    directory => match directory.strip_suffix('/') {
                        Some(direct) => image::name::parent(name) == direct,
                        None => name.starts_with(&format!("{directory}/")),
                    },
                };
                inside && selects(&image.image, *ignore_expiring, *tag)
            };
            let names: Vec<_> = model
                .images
                .iter()
                .filter(selected)
                .map(|(name, _)| *name)
                .collect();
            Ok(format!("names: {names:?}"))
        }
        Step::Archive(name) => Ok(match model.images.get(name) {
            Some(found) => {
                model.archive = Some(Archived {
                    name,
                    image: found.image.clone(),
                    references: found.references.clone(),
                });
                "archived".to_owned()
            }
            None => "no image".to_owned(),
        }),
        Step::Restore(caller, at) => restore(model, *caller, *at),
        Step::AdvanceClock(passed) => {
            model.now += passed;
            model.expire();
            Ok("advanced".to_owned())
        }
        Step::PanicImages => {
            model.rearm();
            Ok("restarted".to_owned())
        }
        Step::PanicObjects => Ok("restarted".to_owned()),
        Step::Restart(_, passed) => {
            model.restart(*passed);
            Ok("restarted".to_owned())
        }
        Step::Subscribe => Ok("subscribed".to_owned()),
        Step::Together(_) => Err("groups are taken apart by the caller".to_owned()),
        Step::MakeDirectory { .. }
        | Step::PutDirectory(..)
        | Step::ChownDirectory(..)
        | Step::DeleteDirectory(..) => super::predict_directories::apply(model, step),
    };
    text(result)
}

fn selects(image: &Image, ignore_expiring: bool, tag: u8) -> bool {
    (!ignore_expiring || image.expires_at.is_zero())
        && tags_to_match(tag)
            .iter()
            .all(|(key, values)| image.tags.get(key).is_some_and(|value| values.contains(value)))
}

fn readable(model: &Model, contents: &[Content]) -> Result<(), String> {
    let missing: Vec<_> = contents
        .iter()
        .filter(|content| !model.objects.contains(content))
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(format!("unknown object: {}", hash_of(**one))),
        [.., last] => Err(format!(
            "first of {} unknown objects: {}",
            missing.len(),
            hash_of(**last)
        )),
    }
}

fn delete_unreferenced(model: &mut Model, percentage: u8, bytes: u64) -> Result<String, String> {
    let deletable = model.deletable();
    let wanted = deletable.len() * usize::from(percentage) / 100;
    let (mut deleted, mut deleted_bytes) = (0, 0);
    for content in deletable {
        if deleted >= wanted && deleted_bytes >= bytes {
            break;
        }
        model.leave_queue(content);
        model.objects.remove(&content);
        deleted += 1;
        deleted_bytes += size(content);
    }
    if deleted >= wanted && deleted_bytes >= bytes {
        Ok("deleted".to_owned())
    } else {
        Err("no more objects to delete".to_owned())
    }
}

fn add_image(model: &mut Model, caller: Caller, name: &'static str, spec: &Spec) -> Result<String, String> {
    if image::name::check_image(name).is_err() {
        return Err("bad name".to_owned());
    }
    if model.images.contains_key(name) {
        return Err("image already exists".to_owned());
    }
    if spec.tree == Tree::Nil {
        return Err("nil file-system".to_owned());
    }
    let references: Vec<_> = spec
        .files
        .iter()
        .copied()
        .chain(spec.notes)
        .chain(spec.log)
        .collect();
    let mut image = universe::image(spec, model.now);
    let missing = model.missing(&references);
    // Trying counts as a use: what it needs goes to the end of the queue of what may be deleted.
    model.gave_up(&references);
    if !missing.is_empty() {
        return Err(Model::not_available(&missing));
    }
    if spec.tree == Tree::Hostile {
        return Err("bad name".to_owned());
    }
    if !image.expires_at.is_zero() && image.expires_at <= time(model.now) {
        return Ok("done".to_owned());
    }
    check_access(model, name, None, caller)?;
    if !spec.trusted {
        image.created_by = requester(caller).username;
        image.created_on = time(model.now);
    }
    let over_tombstone = model.settings.replica;
    publish(model, name, image, references, over_tombstone)
}

fn publish(
    model: &mut Model,
    name: &'static str,
    image: Image,
    references: Vec<Content>,
    over_tombstone: bool,
) -> Result<String, String> {
    let parent = image::name::parent(name);
    if !model.directories.contains_key(parent) {
        return Err(format!("no metadata for: {parent:?}"));
    }
    if model.directories.contains_key(name) {
        return Err(format!("image: {name} already exists"));
    }
    if model.tombstones.contains_key(name) && !over_tombstone {
        return Err(format!("cannot add previously deleted image: {name}"));
    }
    model.tombstones.remove(name);
    model.took(&references);
    let timers = seconds(&image).into_iter().collect();
    let new = ModelImage {
        image,
        references,
        timers,
    };
    model.images.insert(name, new);
    Ok("done".to_owned())
}

fn delete_image(model: &mut Model, caller: Caller, name: &'static str) -> Result<String, String> {
    let image = model.images.get(name).ok_or("image does not exist")?;
    check_access(model, name, Some(&image.image), caller)?;
    if let Some(removed) = model.remove_image(name) {
        model.tombstones.insert(name, removed.timers);
    }
    Ok("done".to_owned())
}

fn change_expiration(
    model: &mut Model,
    caller: Caller,
    name: &'static str,
    at: Option<i64>,
) -> Result<String, String> {
    check_limit(at, caller)?;
    let image = &model.images.get(name).ok_or("image not found")?.image;
    check_access(model, name, Some(image), caller)?;
    let Some(current) = seconds(image) else {
        return Err("image does not expire".to_owned());
    };
    let at = at.map(|at| model.now + at);
    if at.is_some_and(|at| at < current) {
        return Err("cannot shorten expiration time".to_owned());
    }
    if let Some(entry) = model.images.get_mut(name) {
        entry.image.expires_at = at.map_or(gob::Time::ZERO, time);
        entry.timers.extend(at);
    }
    Ok("done".to_owned())
}

fn restore(model: &mut Model, caller: Caller, at: Option<i64>) -> Result<String, String> {
    let Some(archived) = model.archive.clone() else {
        return Ok("nothing put aside".to_owned());
    };
    let Archived {
        name,
        mut image,
        references,
    } = archived;
    if model.images.contains_key(name) {
        return Err(format!("image: {name} already exists"));
    }
    let missing = model.missing(&references);
    model.gave_up(&references);
    if !missing.is_empty() {
        return Err(Model::not_available(&missing));
    }
    if let Some(expired) = seconds(&image) {
        if expired >= model.now {
            return Err("cannot restore for".to_owned());
        }
        check_limit(at, caller)?;
        image.expires_at = at.map_or(gob::Time::ZERO, |at| time(model.now + at));
    }
    publish(model, name, image, references, true)
}
