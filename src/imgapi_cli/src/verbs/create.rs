//! `create`: a new image of a manifest.

use clap::Args;

use super::new_image::Given;
use crate::session::Session;

/// Make an image of a manifest; with -f also give it its file and activate it
#[derive(Args)]
#[command(after_long_help = "\
The manifest needs name, version, type, os and owner, and public=true at a public repository. If something fails after that, the image is \
deleted again; only where the connection is lost it stays, and add-file goes on.

Examples:
  imgapi-cli create -m base.imgmanifest -f base.zfs.gz
  imgapi-cli create -m base.imgmanifest version=1.1 public=true -f base-1.1.zfs.gz
  imgapi-cli create < manifest.json        # then add-file, activate")]
pub(crate) struct Arguments {
    /// Fields of the manifest, or changes of what the file says
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    #[command(flatten)]
    given: Given,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let manifest = self.given.manifest(&self.fields)?;
        let file = self.given.file(&manifest)?;
        let image = session.client.create(&manifest).await?;
        file.put_into(session, &image).await
    }
}
