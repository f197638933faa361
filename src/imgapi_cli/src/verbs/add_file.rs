//! `add-file`: gives an image its file.

use std::path::{Path, PathBuf};

use clap::Args;
use repository::Uuid;

use super::file_of_image::{self, AboutFile};
use crate::arguments::uuid;
use crate::failure::{Interrupted, WithHelp};
use crate::interrupt;
use crate::output;
use crate::session::Session;

/// Give an image its file
#[derive(Args)]
#[command(after_long_help = "\
A connection that breaks is made again and goes on where it was; so does the same command later, within 7 days, where the \
repository can do that.

Examples:
  imgapi-cli add-file UUID -f base.zfs.gz
  imgapi-cli add-file UUID -f https://files.example.com/base.tar.xz  # the repository fetches it
  tar -c tree | gzip | imgapi-cli add-file UUID -f - -c gzip
  imgapi-cli add-file UUID --source https://images.example.com       # from another repository")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// The file, an https: address, or - for standard input
    #[arg(long, short = 'f', value_name = "FILE-OR-URL", required_unless_present = "source")]
    file: Option<PathBuf>,
    /// Take it from the same image of this repository
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    source: Option<String>,
    #[command(flatten)]
    about: AboutFile,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let uuid = self.image;
        if let Some(source) = &self.source {
            let storage = self.about.storage.as_deref();
            let image = session.client.add_file_from(uuid, source, storage).await?;
            return output::changed(session, &image, format!("Added file from \"{source}\" to image {uuid}"));
        }
        let file = self.file.unwrap_or_default();
        if let Some(url) = file_of_image::is_address(&file) {
            let about = self.about.of(url)?;
            let image = session.client.add_file_from_url(uuid, url, &about).await?;
            let compression = about.compression.word();
            let sentence = format!("Added file from url \"{url}\" (compression \"{compression}\") to image {uuid}");
            return output::changed(session, &image, sentence);
        }
        let about = file_of_image::check(&file, &self.about)?;
        match interrupt::or_else(file_of_image::send(session, uuid, &file, &about)).await {
            Err(error) if error.is::<Interrupted>() && file != Path::new("-") => {
                let help = "the same again: what arrived is kept for 7 days, and it goes on there".to_owned();
                Err(WithHelp { error, help }.into())
            }
            sent => sent.map(|_| ()),
        }
    }
}
