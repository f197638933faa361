//! `acl`: who may see a private image.

use clap::Args;
use repository::Uuid;
use repository::json::{self, Value};

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// List the accounts a private image is shared with
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli acl UUID\n  imgapi-cli acl UUID -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.get(self.image).await?;
        // Absent where there is nobody.
        let acl = image.field("acl").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        if session.is_json {
            return output::json(&acl);
        }
        for account in acl.as_array().map(Vec::as_slice).unwrap_or_default() {
            output::line(json::to_text(account))?;
        }
        Ok(())
    }
}
