//! `wait`: waits until an image is in a state; the exit code tells.

use std::time::Duration;

use clap::Args;
use repository::Uuid;
use tokio::time::Instant;

use crate::arguments::{duration, uuid};
use crate::output;
use crate::session::Session;

/// Between two looks: at first, and later.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LAST_LOOK: Duration = Duration::from_secs(5);

/// What an image may be; another word would be waited for in vain.
const STATES: [&str; 5] = ["active", "unactivated", "disabled", "creating", "failed"];

/// Wait until an image is there and in a state; exit code 1 if it is not in time
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli wait UUID --timeout 10m && imgapi-cli get-file UUID -O\n  imgapi-cli wait UUID --state disabled")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// The state
    #[arg(long, value_name = "STATE", default_value = "active", value_parser = STATES)]
    state: String,
    /// Wait at most so long
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    timeout: Duration,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let deadline = Instant::now() + self.timeout;
        let mut pause = FIRST_LOOK;
        let mut seen = "not there".to_owned();
        loop {
            match session.client.find(self.image).await {
                Ok(Some(image)) if image.state() == self.state => {
                    return output::changed(session, &image, format!("Image {}", output::summary(&image)));
                }
                // Nobody brings back what has failed.
                Ok(Some(image)) if image.state() == "failed" => {
                    let error = image.field("error").and_then(|error| error.get("message"));
                    let why = error.map(repository::json::to_text).unwrap_or_default();
                    anyhow::bail!("image {} has failed: {why}", self.image);
                }
                Ok(Some(image)) => seen = image.state().to_owned(),
                Ok(None) => "not there".clone_into(&mut seen),
                Err(error) if error.is_passing() => seen = format!("not known ({error})"),
                Err(error) => return Err(error.into()),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (image, timeout, state) = (self.image, self.timeout, self.state);
                anyhow::bail!("image {image} is still {seen} after {timeout:?}, not {state}");
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}
