//! `create-from-vm`: an image of a machine, or of what stands for one.

use std::path::PathBuf;

use clap::Args;
use repository::Uuid;
use repository_client::NewMachineImage;

use super::started_job::{self, Waiting};
use crate::arguments::uuid;
use crate::manifest;
use crate::session::Session;

/// Have an image made of a machine
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  imgapi-cli create-from-vm VM name=web version=1.0
  imgapi-cli --account ACCOUNT create-from-vm VM -m web.imgmanifest --incremental --no-wait")]
pub(crate) struct Arguments {
    /// Which machine
    #[arg(value_name = "VM", value_parser = uuid)]
    machine: Uuid,
    /// Fields of the manifest, or changes of what the file says
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// The manifest; - for standard input
    #[arg(long, short = 'm', value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Only the difference to the image it was made of
    #[arg(long)]
    incremental: bool,
    /// So many images in its chain of origins at most
    #[arg(long, value_name = "NUMBER")]
    max_origin_depth: Option<u32>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let manifest = manifest::read(self.manifest.as_deref(), &self.fields)?;
        let how = NewMachineImage {
            machine: self.machine,
            is_incremental: self.incremental,
            max_origin_depth: self.max_origin_depth,
        };
        let job = session.client.create_from_machine(&manifest, how).await?;
        started_job::follow(session, &job, &self.waiting).await
    }
}
