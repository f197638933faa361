//! `clone`: an account's own copy of an image that is shared with it.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::failure::WrongUse;
use crate::output;
use crate::session::Session;

/// Make an account's own copy of an image that is shared with it
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli --account ACCOUNT clone UUID\n  imgapi-cli --account ACCOUNT clone UUID -j | jq -r .uuid")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Some(account) = session.client.options().account else {
            return Err(WrongUse("for whom? name the account with --account".to_owned()).into());
        };
        let image = session.client.clone_image(self.image, account).await?;
        let sentence = format!("Cloned image {} as {}", self.image, output::summary(&image));
        output::changed(session, &image, sentence)
    }
}
