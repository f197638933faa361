//! `get-file`: an image's file, checked, under its name when it is whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use repository::Uuid;
use repository::manifest::Compression;
use repository_client::{Client, FileRequest, Image, Progress};

use crate::arguments::uuid;
use crate::failure::WithHelp;
use crate::interrupt;
use crate::session::Session;
use crate::transfer::Line;

/// Fetch an image's file, and check it
#[derive(Args)]
#[command(after_long_help = "\
The name has the file when it is whole and its digests are right, not before. What breaks off stays beside it as \
.NAME.SHA1.partial; the same command goes on there.

Examples:
  imgapi-cli get-file UUID -o base.zfs.gz
  imgapi-cli get-file UUID -O           # UUID-file.gz, by its compression
  imgapi-cli get-file UUID | zcat | tar -x -C tree")]
pub(crate) struct Arguments {
    /// Whose file
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Save it under this name; without a name it goes to standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Save it as UUID-file and what its compression is called
    #[arg(short = 'O', long = "output-uuid-ext", alias = "outputUuidExt", conflicts_with = "output")]
    by_uuid: bool,
    /// Which of its files
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    index: usize,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let manifest = session.client.get(self.image).await?;
        let request = FileRequest::of(&manifest, self.index);
        let name = match (self.output, self.by_uuid) {
            (Some(path), _) if path == Path::new("-") => None,
            (Some(path), _) => Some(path),
            (None, true) => Some(format!("{}-file{}", self.image, suffix(&manifest, self.index)).into()),
            (None, false) => None,
        };
        match name {
            Some(path) => save(session, self.image, request, &path).await,
            None => to_standard_output(&session.client, self.image, request).await,
        }
    }
}

/// What a file's name ends in, by its compression.
pub(super) fn suffix(manifest: &Image, index: usize) -> &'static str {
    let file = manifest.files().into_iter().nth(index);
    let compression = file.and_then(|file| Compression::parse(&file.compression));
    compression.map_or("", Compression::suffix)
}

/// Saves a file, shows how far it is, and says what was saved.
pub(super) async fn save(session: &Session, image: Uuid, request: FileRequest, path: &Path) -> anyhow::Result<()> {
    let progress = Progress::default();
    let line = Line::show(session, &image.to_string(), &progress);
    let request = FileRequest {
        progress: progress.clone(),
        ..request
    };
    let saving = async { Ok(session.client.save(image, request, path).await?) };
    let saved = match interrupt::or_else(saving).await {
        Ok(saved) => saved,
        Err(error) => {
            drop(line);
            let is_begun = progress.bytes() > 0 && progress.bytes() < progress.total();
            if !is_begun {
                return Err(error);
            }
            let help = format!("the same again: {} of {} are here", human::bytes(progress.bytes()), human::bytes(progress.total()));
            return Err(WithHelp { error, help }.into());
        }
    };
    drop(line);
    if saved.was_there > 0 {
        eprintln!("{} were here from an earlier attempt.", human::bytes(saved.was_there));
    }
    eprintln!("Saved \"{}\".", path.display());
    Ok(())
}

async fn to_standard_output(client: &Client, image: Uuid, request: FileRequest) -> anyhow::Result<()> {
    let mut download = client.file(image, request).await?;
    let mut out = std::io::stdout();
    while let Some(piece) = download.next().await? {
        out.write_all(&piece)?;
    }
    Ok(out.flush()?)
}
