//! `create`: a new image of a manifest.

use std::path::PathBuf;

use clap::Args;

use super::file_of_image::{self, AboutFile};
use super::new_image;
use crate::manifest;
use crate::output;
use crate::session::Session;

/// Make an image of a manifest; with -f also give it its file and activate it
#[derive(Args)]
#[command(after_long_help = "\
The manifest needs name, version, type, os and owner, and public=true at a public repository. If something fails behind it, the image is
deleted again; only where the connection is lost it stays, and add-file goes on.

Examples:
  imgapi-cli create -m base.imgmanifest -f base.zfs.gz
  imgapi-cli create name=base version=1.0 type=other os=linux public=true owner=ACCOUNT -f base.tar.gz
  imgapi-cli create < manifest.json        # then add-file, activate")]
pub(crate) struct Arguments {
    /// Fields of the manifest, or changes of what the file says
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// The manifest; - for standard input
    #[arg(long, short = 'm', value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Also send this file and activate the image
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    about: AboutFile,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let manifest = manifest::read(self.manifest.as_deref(), &self.fields)?;
        let about = self.about.or_of(&manifest);
        let file = match self.file {
            Some(path) => Some((file_of_image::check(&path, &about)?, path)),
            None => None,
        };
        let image = session.client.create(&manifest).await?;
        output::changed(session, &image, format!("Imported image {}", output::summary(&image)))?;
        match file {
            Some((about, path)) => new_image::complete(session, &image, &path, &about).await,
            None => Ok(()),
        }
    }
}
