//! `import`: an image of a manifest that names itself, from here or from another repository.

use clap::Args;
use repository::Uuid;
use repository::json::Value;
use repository_client::ImportImage;

use super::new_image::Given;
use super::started_job;
use crate::arguments::uuid;
use crate::failure::WrongUse;
use crate::session::Session;

/// Import an image with the uuid and the date it has
#[derive(Args)]
#[command(after_long_help = "\
With -S the repository takes manifest, file, and what the image is based on, from another repository; otherwise manifest and file \
are of this host, as `export --to` writes them.

Examples:
  imgapi-cli import UUID -S https://images.example.com
  imgapi-cli import UUID -S 'https://updates.example.com?channel=release'
  imgapi-cli import -m base.imgmanifest -f base.zfs.gz")]
pub(crate) struct Arguments {
    /// Which image of the other repository
    #[arg(value_name = "UUID", value_parser = uuid, requires = "source_url")]
    image: Option<Uuid>,
    /// Address of the other repository
    #[arg(long, short = 'S', value_name = "URL", requires = "image", conflicts_with_all = ["manifest", "file", "compression", "sha1"])]
    source_url: Option<String>,
    #[command(flatten)]
    given: Given,
    /// The owner need not be known there
    #[arg(long)]
    skip_owner_check: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let how = ImportImage {
            skip_owner_check: self.skip_owner_check,
        };
        if let (Some(uuid), Some(source)) = (self.image, &self.source_url) {
            // As the original's client has it: -C is the channel there.
            let source = with_channel(source, session.channel.as_deref())?;
            let client = session.client.on_channel(None);
            let job = client.import_remote(uuid, &source, how).await?;
            return started_job::follow(session, &job, &started_job::Waiting::default()).await;
        }
        let manifest = self.given.manifest(&[])?;
        let named = manifest.get("uuid").and_then(Value::as_str).and_then(Uuid::parse);
        let Some(named) = named else {
            return Err(WrongUse("the manifest has no \"uuid\"; imgapi-cli create makes one".to_owned()).into());
        };
        let file = self.given.file(&manifest)?;
        let image = session.client.import(named, &manifest, how).await?;
        file.put_into(session, &image).await
    }
}

/// The address with a channel: that of the flag, or its own, or all.
fn with_channel(source: &str, channel: Option<&str>) -> anyhow::Result<String> {
    let has_own = source.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| pair.starts_with("channel="))
    });
    match (has_own, channel) {
        (true, Some(_)) => Err(WrongUse("channel specified twice".to_owned()).into()),
        (true, None) => Ok(source.to_owned()),
        (false, channel) => {
            let sign = if source.contains('?') { '&' } else { '?' };
            Ok(format!("{source}{sign}channel={}", channel.unwrap_or("*")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::with_channel;

    #[test]
    fn the_channel_of_the_other_repository_is_named_once() {
        assert_eq!(with_channel("http://h", None).unwrap(), "http://h?channel=*");
        assert_eq!(with_channel("http://h", Some("dev")).unwrap(), "http://h?channel=dev");
        assert_eq!(with_channel("http://h?channel=x", None).unwrap(), "http://h?channel=x");
        assert!(with_channel("http://h?channel=x", Some("dev")).is_err());
    }
}
