//! The join with an image server and an image builder (imgapi.md §22): who does the work of jobs, and the publisher.

use std::path::PathBuf;
use std::sync::Arc;

use actors::{Jobs, Publisher, PublisherSystem, Publishing, Workroom, image_jobs, start_publisher};
use anyhow::Context as _;
use repository::configuration::{JoinSettings, Settings};
use srpc::ConnectOptions;
use srpc::tls::{ClientCredentials, load_directory};
use tokio::sync::watch;

/// How to connect to one of them.
type Connect = Arc<dyn Fn() -> ConnectOptions + Send + Sync>;

/// The publisher, if the settings ask for one; it ends when this is dropped.
#[derive(Default)]
pub(crate) struct Join {
    publisher: Option<PublisherSystem>,
}

impl Join {
    /// Holds a text once the publisher was given up.
    pub(crate) fn given_up(&self) -> Option<watch::Receiver<Option<String>>> {
        self.publisher.as_ref().map(PublisherSystem::given_up)
    }

    /// Its handle.
    pub(crate) fn publisher(&self) -> Option<Publisher> {
        self.publisher.as_ref().map(|system| system.publisher().clone())
    }

    /// Ends the publisher. Blocks.
    pub(crate) fn stop(self) {
        if let Some(publisher) = self.publisher {
            publisher.stop();
        }
    }
}

/// Gives the room the ways to image server and image builder that the settings name.
///
/// # Errors
/// The certificates cannot be read.
pub(crate) fn furnish(room: Workroom, settings: &Settings) -> anyhow::Result<Workroom> {
    let join = &settings.join;
    let image_server = connect(join, join.image_server.as_deref())?;
    let imaginator = connect(join, join.imaginator.as_deref())?;
    Ok(room.with_image_server(image_server).with_imaginator(imaginator))
}

/// Has jobs begin, and the image server followed if that is wished.
///
/// # Errors
/// The actors do not answer.
pub(crate) async fn begin(room: &Workroom, jobs: &Jobs, settings: &Settings) -> anyhow::Result<Join> {
    jobs.begin(image_jobs::bodies(room)).await.context("jobs")?;
    let join = &settings.join;
    let is_followed = !join.rules.is_empty() || join.take_in.is_automatic;
    let (true, Some(address), Some(connect)) = (
        is_followed,
        &join.image_server,
        connect(join, join.image_server.as_deref())?,
    ) else {
        return Ok(Join::default());
    };
    let publishing = Publishing::new(room.clone(), jobs.clone(), address.clone(), connect);
    Ok(Join {
        publisher: Some(start_publisher(publishing).context("cannot start threads")?),
    })
}

/// Certificates are read for each connection: they are renewed without a restart. At the start they must be good.
fn connect(join: &JoinSettings, address: Option<&str>) -> anyhow::Result<Option<Connect>> {
    let Some(address) = address.map(str::to_owned) else {
        return Ok(None);
    };
    let directory = join.certificates.clone().map(PathBuf::from);
    if let Some(directory) = &directory {
        load_directory(directory).with_context(|| format!("certificates in {}", directory.display()))?;
    }
    let credentials = move || -> Option<Arc<ClientCredentials>> {
        let directory = directory.as_ref()?;
        match load_directory(directory) {
            Ok(credentials) => credentials,
            Err(error) => {
                tracing::error!("certificates in {}: {error}", directory.display());
                None
            }
        }
    };
    Ok(Some(Arc::new(move || {
        ConnectOptions::new(address.clone()).with_tls(credentials())
    })))
}
