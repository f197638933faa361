//! `activate`: makes an image usable.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Make an image usable; its file cannot be changed any more
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli activate UUID\n  imgapi-cli -P production activate UUID -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.activate(self.image).await?;
        output::changed(session, &image, format!("Activated image {}", self.image))
    }
}
