//! `change-stor`: moves files to another store.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Move the files of images to another store
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli change-stor local UUID\n  imgapi-cli change-stor manta UUID UUID")]
pub(crate) struct Arguments {
    /// The store: local or manta
    stor: String,
    /// Which images
    #[arg(value_name = "UUID", value_parser = uuid, required = true)]
    images: Vec<Uuid>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let stor = &self.stor;
        let (mut failed, count) = (None, self.images.len());
        for uuid in self.images {
            match session.client.change_stor(uuid, stor).await {
                Ok(image) => {
                    let (name, version) = (image.name(), image.version());
                    let sentence = format!("Changed image {uuid} ({name}@{version}) stor to \"{stor}\"");
                    output::changed(session, &image, sentence)?;
                }
                // The others are done all the same; of a single one the end tells.
                Err(error) => {
                    if count > 1 {
                        eprintln!("Error changing image {uuid} stor to \"{stor}\": {error}");
                    }
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
