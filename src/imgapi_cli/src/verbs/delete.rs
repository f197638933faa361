//! `delete`: the end of an image, or of its being on a channel.

use clap::Args;
use repository::Uuid;
use repository::json;
use repository_client::{Image, ListImages};

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Delete an image; where it is on several channels, only from this one
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  imgapi-cli delete UUID --dry-run
  imgapi-cli -C dev delete UUID              # stays on the other channels
  imgapi-cli delete UUID --force-all-channels")]
pub(crate) struct Arguments {
    /// Which images
    #[arg(value_name = "UUID", value_parser = uuid, required = true)]
    images: Vec<Uuid>,
    /// From all channels
    #[arg(long)]
    force_all_channels: bool,
    /// Say what would be deleted, and what stands in the way
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        for &uuid in &self.images {
            // The plan of the dry run is what the sentence afterwards tells.
            let image = session.client.get(uuid).await?;
            let others = self.stays_on(&image, session);
            if self.dry_run {
                self.plan(session, &image, others).await?;
                continue;
            }
            session.client.delete(uuid, self.force_all_channels).await?;
            if session.is_json {
                continue;
            }
            output::line(match (others, &session.channel) {
                (false, _) => format!("Deleted image {uuid}"),
                (true, Some(channel)) => format!("Deleted image {uuid} from \"{channel}\" channel"),
                (true, None) => format!("Deleted image {uuid} from default channel"),
            })?;
        }
        Ok(())
    }

    /// Whether it goes from one channel only.
    fn stays_on(&self, image: &Image, _session: &Session) -> bool {
        let channels = image.field("channels").and_then(json::Value::as_array);
        !self.force_all_channels && channels.is_some_and(|channels| channels.len() > 1)
    }

    async fn plan(&self, session: &Session, image: &Image, stays: bool) -> anyhow::Result<()> {
        let what = match (stays, image.files().is_empty(), image.field("icon").is_none()) {
            (true, _, _) => " from this channel only",
            (false, false, false) => " with its file and its icon",
            (false, false, true) => " with its file",
            (false, true, false) => " with its icon",
            (false, true, true) => "",
        };
        output::line(format!("would delete {}{what}", output::summary(image)))?;
        let mut pages = session.client.pages(ListImages::new().filter("state", "all"));
        while let Some(page) = pages.next().await? {
            for dependent in page.iter().filter(|other| other.origin() == Some(image.uuid())) {
                output::line(format!("stands in the way: {} is based on it", output::summary(dependent)))?;
            }
        }
        Ok(())
    }
}
