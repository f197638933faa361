//! `channel-add`: puts images on one more channel.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Put images that are on this channel on another one as well
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli channel-add staging UUID          # from the default channel\n  imgapi-cli -C staging channel-add release UUID UUID")]
pub(crate) struct Arguments {
    /// The other channel
    // Not `channel`: that is the name of the flag.
    #[arg(value_name = "CHANNEL")]
    other: String,
    /// Which images
    #[arg(value_name = "UUID", value_parser = uuid, required = true)]
    images: Vec<Uuid>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let channel = &self.other;
        let (mut failed, count) = (None, self.images.len());
        for uuid in self.images {
            match session.client.channel_add(uuid, channel).await {
                Ok(image) => {
                    let (name, version) = (image.name(), image.version());
                    let sentence = format!("Added image {uuid} ({name}@{version}) to \"{channel}\" channel");
                    output::changed(session, &image, sentence)?;
                }
                // The others are done all the same; of a single one the end tells.
                Err(error) => {
                    if count > 1 {
                        eprintln!("Error adding image {uuid} to \"{channel}\" channel: {error}");
                    }
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
