//! `publish`: an image of the repository's image server.

use clap::Args;

use super::started_job::{self, Waiting};
use crate::session::Session;

/// Publish an image of the image server: its files become an archive that can be downloaded here
#[derive(Args)]
#[command(after_long_help = "\
An image is published once: asking again shows the same image. How it is compressed and what is said about it is in the \
configuration of the repository, \"publish\".

Examples:
  imgapi-cli publish debian/12/2026-11-22:18:20:00
  imgapi-cli -C staging publish debian/12/2026-11-22:18:20:00 --compression xz --no-wait")]
pub(crate) struct Arguments {
    /// Full name of the image in the image server
    #[arg(value_name = "NAME")]
    image: String,
    /// How its file is compressed: gzip, bzip2, xz or none
    #[arg(long, short = 'c', value_name = "COMPRESSION", value_parser = ["gzip", "bzip2", "xz", "none"])]
    compression: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let job = session
            .client
            .publish(&self.image, self.compression.as_deref())
            .await?;
        started_job::follow_as(session, &job, &self.waiting, "Published").await
    }
}
