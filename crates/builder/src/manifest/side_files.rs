//! Files of a manifest that become part of the image's record (`image-manifest.md §6`).

use std::collections::BTreeMap;
use std::path::Path;

use image::{ComputedFile, Filter, Triggers};
use recipe::Owners;

use crate::Watcher;
use crate::filters;
use crate::in_root::Tree;
use crate::sandbox_run::say;
use crate::step_error::{At, During, StepError};

/// Bytes of one of these files, at most.
const MOST_BYTES: u64 = 16 << 20;

/// What the files say, before anything is merged.
#[derive(Clone, Debug, Default)]
pub struct SideFiles {
    /// Computed files; with `true` they are added to those of the source image.
    pub computed_files: (Vec<ComputedFile>, bool),
    /// The image's filter, `None` for a sparse image; with `true` it is joined with the source image's.
    pub filter: Option<(Filter, bool)>,
    /// The image's triggers; with `true` they are joined with the source image's.
    pub triggers: Option<(Triggers, bool)>,
    /// Who may delete the image or change its expiry.
    pub owners: Owners,
    /// Tags, not expanded.
    pub tags: BTreeMap<String, String>,
}

impl SideFiles {
    /// Reads them. Done before anything else, so that what is wrong with them is told early.
    ///
    /// # Errors
    /// One cannot be read, is not what it must be, or is there with and without `.add`.
    pub fn load(manifest: &Path, watcher: &dyn Watcher) -> Result<Self, StepError> {
        let tree = Tree::manifest(manifest).at(manifest)?;
        let read = |name: &str| tree.read(Path::new(name), MOST_BYTES).at(name);
        Ok(Self {
            computed_files: computed_files(&read)?,
            filter: filter(&read, watcher)?,
            owners: owners(&read)?,
            tags: tags(&read)?,
            triggers: triggers(&read)?,
        })
    }

    /// Joins what is to be joined with what the source image has.
    pub fn join(
        &mut self,
        filter: Option<&Filter>,
        triggers: Option<&Triggers>,
        computed_files: &[ComputedFile],
    ) {
        if let (own, true) = &mut self.computed_files {
            *own = image::computed_files::merge([computed_files, own.as_slice()]);
        }
        if let Some((own, true)) = &mut self.filter {
            *own = image::filter::merge(filter.into_iter().chain([&*own]));
        }
        if let Some((own, true)) = &self.triggers {
            // A merge of nothing gives none.
            let joined = image::triggers::merge(triggers.into_iter().chain([own]));
            self.triggers = joined.map(|triggers| (triggers, false));
        }
    }
}

type Read<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, StepError> + 'a;

/// The one of two files that is there, and whether it is the one with `.add`.
fn one_of(read: &Read<'_>, name: &str) -> Result<Option<(Vec<u8>, bool)>, StepError> {
    let added = format!("{name}.add");
    match (read(name)?, read(&added)?) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some((text, false))),
        (None, Some(text)) => Ok(Some((text, true))),
        (Some(_), Some(_)) => Err(both_present(name)),
    }
}

fn both_present(name: &str) -> StepError {
    StepError::wrong(format!("{name} and {name}.add files both present"))
}

fn computed_files(read: &Read<'_>) -> Result<(Vec<ComputedFile>, bool), StepError> {
    let mut found = Vec::new();
    for name in ["computed-files", "computed-files.add"] {
        let json = format!("{name}.json");
        let (text, of) = match read(&json)? {
            Some(text) => (Some(text), json.as_str()),
            None => (read(name)?, name),
        };
        let list = text.map(|text| image::computed_files::parse(of, &text));
        found.push(list.transpose().map_err(|error| wrong(of, error))?);
    }
    match (found.swap_remove(0), found.pop().flatten()) {
        (None, None) => Ok((Vec::new(), false)),
        (Some(list), None) => Ok((list, false)),
        (None, Some(list)) => Ok((list, true)),
        (Some(_), Some(_)) => Err(both_present("computed-files")),
    }
}

fn filter(read: &Read<'_>, watcher: &dyn Watcher) -> Result<Option<(Filter, bool)>, StepError> {
    let Some((text, is_added)) = one_of(read, "filter")? else {
        return Ok(None);
    };
    let filter = image::filter::parse_lines(&text);
    let name = if is_added { "filter.add" } else { "filter" };
    let lines = filter.filter_lines.iter().map(String::as_str);
    let compiled = filters::compiled(lines, &|| watcher.is_cancelled())
        .during(format!("error compiling {name}"))?
        .filter;
    if !compiled.unoptimised().is_empty() {
        say(watcher, "The following filter expressions are unoptimised:");
        for line in compiled.unoptimised() {
            say(watcher, line);
        }
    }
    Ok(Some((filter, is_added)))
}

fn owners(read: &Read<'_>) -> Result<Owners, StepError> {
    let Some(text) = read("owners.json")? else {
        return Ok(Owners::default());
    };
    recipe::manifest::owners(&text).map_err(|error| wrong("owners.json", error))
}

fn tags(read: &Read<'_>) -> Result<BTreeMap<String, String>, StepError> {
    let Some(text) = read("tags.json")? else {
        return Ok(BTreeMap::new());
    };
    image::tags::parse_json(&text).map_err(|error| wrong("tags.json", error))
}

fn triggers(read: &Read<'_>) -> Result<Option<(Triggers, bool)>, StepError> {
    let Some((text, is_added)) = one_of(read, "triggers")? else {
        return Ok(None);
    };
    let triggers = image::triggers::parse(&text).map_err(|error| StepError::wrong(error.to_string()))?;
    Ok(Some((triggers, is_added)))
}

fn wrong(name: &str, error: impl std::fmt::Display) -> StepError {
    StepError::wrong(format!("{name}: {error}"))
}
