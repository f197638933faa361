//! `import-remote`: an image of another repository.

use clap::Args;
use repository::Uuid;
use repository_client::ImportImage;

use super::started_job::{self, Waiting};
use crate::arguments::uuid;
use crate::session::Session;

/// Have the repository take an image, and what it is based on, from another one
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  imgapi-cli import-remote UUID --source https://images.example.com
  imgapi-cli -C dev import-remote UUID --source 'https://updates.example.com?channel=release'")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Address of the other repository
    #[arg(long, short = 'S', value_name = "URL")]
    source: String,
    /// The owner need not be known there
    #[arg(long)]
    skip_owner_check: bool,
    #[command(flatten)]
    waiting: Waiting,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let how = ImportImage {
            skip_owner_check: self.skip_owner_check,
        };
        let job = session.client.import_remote(self.image, &self.source, how).await?;
        started_job::follow(session, &job, &self.waiting).await
    }
}
