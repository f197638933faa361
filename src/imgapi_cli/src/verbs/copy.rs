//! `copy`: an account's image from another datacenter.

use clap::Args;
use repository::Uuid;

use super::started_job::{self, Waiting};
use crate::arguments::uuid;
use crate::failure::{WithHelp, WrongUse};
use crate::session::Session;

/// Copy an account's image from another datacenter to this one
#[derive(Args)]
#[command(after_long_help = "\
The datacenter that gets the image does the work: --url is its repository, and its imgapiUrlFromDatacenter names the other one. \
Images it is based on come along if they are the account's; others must be there already.

Examples:
  imgapi-cli --url http://imgapi.east --account ACCOUNT copy UUID --from west
  imgapi-cli -P east --account ACCOUNT copy UUID --from west --no-wait")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// The datacenter that has it, by the name this one knows it by
    #[arg(long, value_name = "DATACENTER")]
    from: String,
    #[command(flatten)]
    waiting: Waiting,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        if session.client.options().account.is_none() {
            return Err(WrongUse("whose image? name the owner with --account".to_owned()).into());
        }
        let started = session.client.import_from_datacenter(self.image, &self.from).await;
        let job = started.map_err(|error| {
            let is_unknown = error.refusal().is_some_and(|refusal| refusal.message.contains("is not supported, valid"));
            let error = anyhow::Error::from(error);
            if !is_unknown {
                return error;
            }
            let url = session.client.url();
            let help = format!("\"imgapiUrlFromDatacenter\": {{\"{}\": URL}} in the configuration of {url}", self.from);
            WithHelp { error, help }.into()
        })?;
        started_job::follow(session, &job, &self.waiting).await
    }
}
