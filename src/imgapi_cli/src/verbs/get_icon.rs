//! `get-icon`: an image's icon.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::session::Session;

/// Fetch an image's icon, and check it
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli get-icon UUID -o icon.png\n  imgapi-cli get-icon UUID -O  # UUID-icon.png, by its kind")]
pub(crate) struct Arguments {
    /// Whose icon
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Save it under this name; without a name it goes to standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Save it as UUID-icon and what its kind is called
    #[arg(short = 'O', long = "output-uuid-ext", alias = "outputUuidExt", conflicts_with = "output")]
    by_uuid: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let (kind, bytes) = session.client.icon(self.image).await?;
        let extension = match kind.as_str() {
            "image/jpeg" => ".jpg",
            "image/gif" => ".gif",
            "image/png" => ".png",
            _ => "",
        };
        let by_uuid = self.by_uuid.then(|| PathBuf::from(format!("{}-icon{extension}", self.image)));
        let Some(path) = self.output.or(by_uuid) else {
            let mut out = std::io::stdout();
            out.write_all(&bytes)?;
            return Ok(out.flush()?);
        };
        // Checked already, and small: a half one would need a crash between two system calls.
        let temporary = path.with_extension("partial");
        let write = || std::fs::write(&temporary, &bytes).and_then(|()| std::fs::rename(&temporary, &path));
        write().with_context(|| path.display().to_string())?;
        eprintln!("Saved \"{}\".", path.display());
        Ok(())
    }
}
