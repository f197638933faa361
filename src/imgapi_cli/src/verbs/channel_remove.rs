//! `channel-remove`: takes images from a channel, and never deletes one.

use clap::Args;
use repository::Uuid;
use repository::json::Value;

use crate::arguments::uuid;
use crate::failure::WithHelp;
use crate::output;
use crate::session::Session;

/// Take images from a channel; the last one they are on they keep
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli channel-remove staging UUID\n  imgapi-cli channel-remove dev UUID UUID")]
pub(crate) struct Arguments {
    /// The channel
    // Not `channel`: that is the name of the flag.
    #[arg(value_name = "CHANNEL")]
    from: String,
    /// Which images
    #[arg(value_name = "UUID", value_parser = uuid, required = true)]
    images: Vec<Uuid>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client.on_channel(Some(self.from.clone()));
        for uuid in self.images {
            let image = client.get(uuid).await?;
            let channels = image.field("channels").and_then(Value::as_array);
            if channels.is_none_or(|channels| channels.len() < 2) {
                let error = anyhow::anyhow!("image {uuid} is on no other channel: it would be deleted");
                let help = format!("imgapi-cli -C {} delete {uuid}, if that is what you want", self.from);
                return Err(WithHelp { error, help }.into());
            }
            client.delete(uuid, false).await?;
            output::line(format!("Deleted image {uuid} from \"{}\" channel", self.from))?;
        }
        Ok(())
    }
}
