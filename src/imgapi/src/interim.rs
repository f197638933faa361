//! Stands for the actor `ImageRepository` till it is there: reads the records once.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use repository::catalogue::{Catalogue, Entry};
use repository::configuration::Settings;
use repository::manifest::Record;
use repository::{Uuid, layout};

pub(crate) struct Interim {
    base: PathBuf,
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Interim {
    pub(crate) fn open(settings: &Settings) -> io::Result<Self> {
        let base = PathBuf::from(&settings.own.base);
        let catalogue = Catalogue::of_entries(entries(&base, settings)?);
        Ok(Self {
            base,
            catalogue: Arc::new(catalogue),
        })
    }

    pub(crate) fn open_file(&self, uuid: Uuid, index: usize) -> io::Result<File> {
        File::open(self.base.join(layout::file(uuid, index)))
    }

    pub(crate) fn open_icon(&self, uuid: Uuid) -> io::Result<File> {
        File::open(self.base.join(layout::icon(uuid)))
    }
}

fn entries(base: &Path, settings: &Settings) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let listed = match std::fs::read_dir(base.join(layout::MANIFESTS)) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(entries),
        Err(error) => return Err(error),
    };
    for file in listed {
        let file = file?;
        let name = file.file_name();
        let Some(uuid) = layout::record_uuid(&name.to_string_lossy()) else {
            continue;
        };
        match Record::load(&std::fs::read(file.path())?, uuid, &settings.rules()) {
            Ok(record) => entries.push(Entry::new(&record, settings.mode)),
            Err(error) => tracing::warn!(%uuid, %error, "no record"),
        }
    }
    Ok(entries)
}
