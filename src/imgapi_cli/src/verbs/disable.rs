//! `disable`: hides an image from lists.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Hide an image from lists; nothing new is made of it
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli disable UUID\n  imgapi-cli -P production disable UUID -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.disable(self.image).await?;
        output::changed(session, &image, format!("Disabled image {}", self.image))
    }
}
