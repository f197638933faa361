//! `delete-icon`: takes an icon away.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Take an image's icon away
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli delete-icon UUID\n  imgapi-cli -P production delete-icon UUID -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.delete_icon(self.image).await?;
        output::changed(session, &image, format!("Deleted icon from image {}", self.image))
    }
}
