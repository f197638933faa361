//! `update`: changes fields of a manifest.

use std::path::PathBuf;

use clap::Args;
use repository::Uuid;
use repository::json::Object;
use repository_client::GetImage;

use crate::arguments::uuid;
use crate::manifest;
use crate::output;
use crate::session::Session;

/// Change fields of an image's manifest
#[derive(Args)]
#[command(after_long_help = "\
Values are JSON where they can be, else texts; nothing behind the = removes a field. FIELD.KEY=VALUE changes one key of tags, \
requirements and the like and leaves the others. If somebody changes the image meanwhile, nothing is changed: ask again.

Examples:
  imgapi-cli update UUID description='for tests' public=true
  imgapi-cli update UUID tags.role=db tags.old= homepage=
  imgapi-cli update UUID -f changes.json")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// What to change
    #[arg(value_name = "FIELD=VALUE", conflicts_with = "file")]
    fields: Vec<String>,
    /// JSON object with what to change; - for standard input
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let changes = manifest::read(self.file.as_deref(), &self.fields)?;
        let found = session.client.get_with(self.image, &GetImage::default()).await?;
        let (known, tag) = match found {
            Some((image, tag)) => (image.into_object(), tag),
            None => (Object::new(), None),
        };
        // The repository replaces objects whole: what is not named stays by being sent again.
        let fields: Vec<String> = changes.keys().cloned().collect();
        let mut changed: Object = known.into_iter().filter(|(field, _)| fields.contains(field)).collect();
        manifest::merge(&mut changed, changes);
        let image = session.client.update(self.image, &changed, tag.as_deref()).await?;
        output::changed(session, &image, format!("Update image {}", output::summary(&image)))
    }
}
