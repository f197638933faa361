//! `get`: one manifest.

use clap::Args;
use repository::Uuid;
use repository_client::GetImage;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Show an image's manifest
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli get UUID\n  imgapi-cli -C '*' get UUID  # whatever channel it is on\n  imgapi-cli get -A UUID      # with the store its file is in")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// With the fields for administrators
    #[arg(long, short = 'A', alias = "inclAdminFields")]
    incl_admin_fields: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let request = GetImage {
            admin_fields: self.incl_admin_fields,
            known_tag: None,
        };
        match session.client.get_with(self.image, &request).await? {
            Some((image, _)) => output::json(image.value()),
            None => anyhow::bail!("the repository answers that nothing has changed"),
        }
    }
}
