//! What `create`, `import` and `add-file` have in common: a file of this host on its way to the repository.

use std::path::{Path, PathBuf};

use clap::Args;
use repository::Uuid;
use repository::json::{Object, Value};
use repository::manifest::Compression;
use repository_client::{AddFile, Image, Progress};

use crate::failure::WrongUse;
use crate::output;
use crate::session::Session;
use crate::transfer::Line;

/// What is said about the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AboutFile {
    /// gzip, bzip2, xz or none (default: by the manifest or the name)
    #[arg(long, short = 'c', value_name = "COMPRESSION", value_parser = compression)]
    pub(crate) compression: Option<Compression>,
    /// Its SHA-1, to make sure that it is the right one
    #[arg(long, short = 's', value_name = "SHA1")]
    pub(crate) sha1: Option<String>,
    /// Which store it should go to: local or manta
    #[arg(long, value_name = "STORE")]
    pub(crate) storage: Option<String>,
}

fn compression(word: &str) -> Result<Compression, String> {
    Compression::parse(word).ok_or_else(|| "must be one of gzip, bzip2, xz, none".to_owned())
}

impl AboutFile {
    /// What flags do not say a manifest may, as it was exported.
    pub(crate) fn or_of(mut self, manifest: &Object) -> Self {
        let file = manifest.get("files").and_then(|files| files.get(0));
        let text = |key: &str| file.and_then(|file| file.get(key)).and_then(Value::as_str);
        self.compression = self
            .compression
            .or_else(|| text("compression").and_then(Compression::parse));
        self.sha1 = self.sha1.or_else(|| text("sha1").map(str::to_owned));
        self
    }

    /// For a file of this name.
    pub(crate) fn of(&self, name: &str) -> anyhow::Result<AddFile> {
        let compression = match (self.compression, compression_of(name)) {
            (Some(compression), _) => compression,
            (None, Compression::None) if !is_plain(name) => {
                let what = format!(
                    "the name {name:?} does not say how it is compressed: add -c gzip, bzip2, xz or none"
                );
                return Err(WrongUse(what).into());
            }
            (None, compression) => compression,
        };
        Ok(AddFile {
            sha1: self.sha1.clone(),
            storage: self.storage.clone(),
            ..AddFile::new(compression)
        })
    }
}

/// By the end of a name, the short spellings of compressed tar archives included.
fn compression_of(name: &str) -> Compression {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("tgz") => Compression::Gzip,
        Some("tbz" | "tbz2") => Compression::Bzip2,
        Some("txz") => Compression::Xz,
        _ => Compression::of_name(name),
    }
}

/// Names of files that are not compressed by what they are.
fn is_plain(name: &str) -> bool {
    [".zfs", ".tar", ".raw", ".img"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

/// Sends a file, shows how far it is, and says that it is there.
pub(crate) async fn send(
    session: &Session,
    image: Uuid,
    path: &Path,
    about: &AddFile,
) -> anyhow::Result<Image> {
    let progress = Progress::default();
    let line = Line::show(session, &image.to_string(), &progress);
    let sent = if path == Path::new("-") {
        let stdin = tokio::io::stdin();
        session
            .client
            .add_file_stream(image, about, stdin, None, &progress)
            .await
    } else {
        session.client.add_file(image, about, path, &progress).await
    };
    drop(line);
    let sent = sent?;
    let (path, compression) = (path.display(), about.compression.word());
    let sentence = format!("Added file \"{path}\" (compression \"{compression}\") to image {image}");
    output::changed(session, &sent, sentence)?;
    Ok(sent)
}

/// Whether a file is named by an address.
pub(crate) fn is_address(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let lower = text.to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://")).then_some(text)
}

/// Makes sure before anything is made that a file can be read, and what is said about it.
pub(crate) fn check(path: &PathBuf, about: &AboutFile) -> anyhow::Result<AddFile> {
    use anyhow::Context;
    let about = about.of(&path.display().to_string())?;
    if path != Path::new("-") {
        let metadata = std::fs::metadata(path).with_context(|| path.display().to_string())?;
        anyhow::ensure!(metadata.is_file(), "{}: not a file", path.display());
    }
    Ok(about)
}
