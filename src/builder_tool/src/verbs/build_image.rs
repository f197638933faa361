//! `build-image stream-name [git-branch]`: asks for a build and waits for it (`builder-tool.md §2.1, §4`).

use std::io::Write;
use std::path::Path;

use anyhow::{anyhow, bail};
use flags::Verb;
use image::Image;
use protocol::imaginator::{BuildImageRequest, BuildImageResponse};

use super::BUILD;
use crate::options::Options;
use crate::progress::BuildProgress;
use crate::session::{Session, refusal};
use crate::variables;

pub(super) const NAME: &str = "build-image";
pub(super) const DOING: &str = "error building image";

/// Bytes of the line with which a server says whether it understood the request.
const ANSWER_BYTES_MOST: usize = 64 << 10;

pub(super) fn verb() -> Verb {
    Verb::new(
        NAME,
        "stream-name [git-branch]",
        "ask for a build, wait for it, print the name of the image",
    )
    .group(BUILD)
    .examples(&[
        "builder-tool -alwaysShowBuildLog build-image base/debian/amd64 # with the log, as it grows",
        "builder-tool -expiresIn=2h build-image users/fred/test try-it # from the branch try-it",
    ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let options = session.options.clone();
    let returns_image = !options.image_filename.as_os_str().is_empty();
    let mut client = session.imaginator().await?;
    let request = BuildImageRequest {
        stream_name: arguments[0].clone(),
        git_branch: arguments.get(1).cloned().unwrap_or_default(),
        expires_in: options.expires_in.into(),
        max_source_age: options.max_source_age.into(),
        maximum_build_duration: options.maximum_build_duration.into(),
        stream_build_log: true,
        return_image: returns_image,
        cancel_on_disconnect: options.cancel_on_disconnect,
        variables: variables::read(&options.variables_filename)?,
        ..BuildImageRequest::default()
    };
    let mut log = Log::begin(&options, &arguments[0]);
    let built = converse(&mut client, &request, &mut log).await;
    log.end(built.is_err());
    let response = built?;
    if !returns_image {
        println!("{}", response.image_name);
        return Ok(());
    }
    match response.image {
        Some(image) => write_image(&image, &options.image_filename),
        None if response.image_name.is_empty() => bail!("no image returned: upgrade the Imaginator"),
        None => bail!(
            "image: {} uploaded, not returned: upgrade the Imaginator",
            response.image_name
        ),
    }
}

/// The whole conversation; the response has an image or the name of one.
async fn converse(
    client: &mut srpc::Client,
    request: &BuildImageRequest,
    log: &mut Log,
) -> anyhow::Result<BuildImageResponse> {
    let mut stream = client.open("Imaginator.BuildImage").await?;
    stream.write_value(request).await?;
    stream.flush().await?;
    let answer = stream.read_line(ANSWER_BYTES_MOST).await?;
    refusal(answer.unwrap_or_default())?;
    loop {
        let response: BuildImageResponse = stream
            .read_value()
            .await
            .map_err(|error| anyhow!("error reading reply: {error}"))?;
        log.piece(&response.build_log);
        refusal(&response.error_string)?;
        if response.image.is_some() || !response.image_name.is_empty() {
            stream.finish().await?;
            return Ok(response);
        }
    }
}

/// Where the log goes: to standard error at once, or there if the build fails.
struct Log {
    is_shown: bool,
    kept: Vec<u8>,
    progress: Option<BuildProgress>,
}

impl Log {
    fn begin(options: &Options, stream: &str) -> Self {
        let is_shown = options.always_show_build_log;
        if is_shown {
            eprintln!("Start of build log ==========================");
        }
        Self {
            is_shown,
            kept: Vec::new(),
            progress: (!is_shown).then(|| BuildProgress::begin(&options.imaginator, stream)),
        }
    }

    fn piece(&mut self, bytes: &[u8]) {
        if self.is_shown {
            // Nothing can be done about a closed standard error.
            let _ = std::io::stderr().write_all(bytes);
            return;
        }
        self.kept.extend_from_slice(bytes);
        if let Some(progress) = &mut self.progress {
            progress.log(bytes);
        }
    }

    fn end(self, failed: bool) {
        if let (Some(progress), false) = (&self.progress, failed) {
            progress.went_well();
        }
        // The line on the terminal goes before anything else is written there.
        drop(self.progress);
        if failed && !self.is_shown {
            let _ = std::io::stderr().write_all(&self.kept);
        }
        if failed || self.is_shown {
            eprintln!("End of build log ============================");
        }
    }
}

/// Writes the image as gob, whole or not at all.
fn write_image(image: &Image, path: &Path) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push("~");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(&gob::to_vec(image))?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        anyhow!("{}: {}", path.display(), tree_io::os_text(&error))
    })
}
