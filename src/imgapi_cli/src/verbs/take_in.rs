//! `take-in`: an image's file becomes an image of the repository's image server.

use clap::Args;
use repository::Uuid;

use super::started_job::{self, Waiting};
use crate::arguments::uuid;
use crate::session::Session;

/// Take an uploaded root file system into the image server
#[derive(Args)]
#[command(after_long_help = "\
The file of the image must be a tar archive, compressed or not. The image stays as it is; its tag store:image names the one in \
the image server.

Examples:
  imgapi-cli take-in UUID
  imgapi-cli get UUID --json | jq -r '.tags[\"store:image\"]'")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    #[command(flatten)]
    waiting: Waiting,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let job = session.client.take_in(self.image).await?;
        started_job::follow_as(session, &job, &self.waiting, "Taken into the image server:").await
    }
}
