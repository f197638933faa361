//! `enable`: lets a disabled image be used again.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Let a disabled image be used again
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli enable UUID\n  imgapi-cli -P production enable UUID -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.enable(self.image).await?;
        output::changed(session, &image, format!("Enabled image {} (state is now \"{}\")", self.image, image.state()))
    }
}
