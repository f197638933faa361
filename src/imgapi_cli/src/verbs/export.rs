//! `export`: manifest and file as files, in the object store or here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use repository::Uuid;
use repository::json;
use repository_client::FileRequest;

use super::get_file;
use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Write an image's manifest and file to the object store, or to a directory of this host
#[derive(Args)]
#[command(after_long_help = "\
The files are NAME-VERSION.imgmanifest and NAME-VERSION.zfs with what its compression is called; `import -m -f` reads them again.

Examples:
  imgapi-cli export UUID --to /backup
  imgapi-cli export UUID -o /joe/stor/images  # in the object store, by the repository")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Path of the object store, or beginning of the two paths
    #[arg(short = 'o', long = "output-template", value_name = "PATH", required_unless_present = "to")]
    output: Option<String>,
    /// Directory of this host; it is made if it is not there
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "output")]
    to: Option<PathBuf>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let uuid = self.image;
        if let Some(path) = &self.output {
            let answer = session.client.export(uuid, path).await?;
            if session.is_json {
                return output::json(&answer);
            }
            return output::line(format!("Image {uuid} exported to Manta path {path}"));
        }
        self.to_directory(session, &self.to.clone().unwrap_or_default()).await
    }

    async fn to_directory(&self, session: &Session, directory: &Path) -> anyhow::Result<()> {
        let manifest = session.client.get(self.image).await?;
        anyhow::ensure!(!manifest.files().is_empty(), "image \"{}\" has no file", self.image);
        // A name may have slashes; the files are in the directory all the same.
        let stem = format!("{}-{}", manifest.name(), manifest.version()).replace('/', "-");
        match std::fs::create_dir(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot make the directory {}", directory.display()));
            }
            _ => {}
        }
        let file = directory.join(format!("{stem}.zfs{}", get_file::suffix(&manifest, 0)));
        get_file::save(session, self.image, FileRequest::of(&manifest, 0), &file).await?;
        // Last: where a manifest is, its file is.
        let path = directory.join(format!("{stem}.imgmanifest"));
        let mut temporary = path.as_os_str().to_owned();
        temporary.push("~");
        let text = json::pretty(manifest.value(), 4) + "\n";
        std::fs::write(&temporary, text)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .with_context(|| path.display().to_string())?;
        eprintln!("Saved \"{}\".", path.display());
        Ok(())
    }
}
