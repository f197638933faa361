//! `add-icon`: a small picture.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use repository::Uuid;
use repository::manifest::MAXIMUM_ICON_BYTES;

use crate::arguments::uuid;
use crate::failure::WrongUse;
use crate::output;
use crate::session::Session;

/// Give an image an icon: JPEG, PNG or GIF of at most 128 KiB
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli add-icon UUID -f icon.png\n  imgapi-cli add-icon UUID -f picture -c image/gif")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// The picture
    #[arg(long, short = 'f', value_name = "FILE")]
    file: PathBuf,
    /// image/jpeg, image/png or image/gif (default: by the name)
    #[arg(long, short = 'c', value_name = "TYPE", alias = "contentType")]
    content_type: Option<String>,
    /// Its SHA-1, to make sure that it is the right one
    #[arg(long, short = 's', value_name = "SHA1")]
    sha1: Option<String>,
    /// Accepted for existing scripts; icons lie with the files
    #[arg(long, hide = true, value_name = "STORE")]
    storage: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let kind = match self.content_type.as_deref() {
            Some("jpg" | "jpeg") => "image/jpeg".to_owned(),
            Some("png") => "image/png".to_owned(),
            Some("gif") => "image/gif".to_owned(),
            Some(kind) => kind.to_owned(),
            None => kind_of(&self.file)?.to_owned(),
        };
        let name = || self.file.display().to_string();
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&self.file).with_context(name)?;
        file.take(MAXIMUM_ICON_BYTES + 1).read_to_end(&mut bytes).with_context(name)?;
        anyhow::ensure!(bytes.len() as u64 <= MAXIMUM_ICON_BYTES, "{}: more than {MAXIMUM_ICON_BYTES} bytes", name());
        if let Some(expected) = &self.sha1 {
            let mut digester = repository::digest::Digester::new()?;
            digester.update(&bytes)?;
            let found = digester.finish()?.sha1;
            anyhow::ensure!(*expected == found, "{}: its SHA-1 is {found}", name());
        }
        let image = session.client.add_icon(self.image, &kind, bytes).await?;
        output::changed(session, &image, format!("Added icon \"{}\" to image {}", name(), self.image))
    }
}

fn kind_of(path: &Path) -> anyhow::Result<&'static str> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "jpg" | "jpeg" => Ok("image/jpeg"),
        "png" => Ok("image/png"),
        "gif" => Ok("image/gif"),
        _ => Err(WrongUse(format!("the name {path:?} does not say what kind of picture it is: add -c")).into()),
    }
}
