//! `scrub`: has the server read everything it stores again, and repair what is damaged. Our own addition; the original's
//! server cannot.

use std::time::Duration;

use anyhow::bail;
use flags::Verb;
use protocol::image_server::ScrubPass;

use super::Verdict;
use crate::progress_bar::{ProgressLine, ScrubProgress};
use crate::session::Session;

pub(super) const NAME: &str = "scrub";
pub(super) const DOING: &str = "error scrubbing";

/// Between two questions how far it is.
const ASK_PERIOD: Duration = Duration::from_millis(500);

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "have the server read everything again and repair what is damaged; exit code 1 if damage is left")
        .group("housekeeping")
        .examples(&[
            "imagetool scrub # at the rate of the server's -scrubRate; waits for the end",
            "imagetool -scrubRate=200MiB scrub # so many bytes a second; one under way goes on at that rate",
        ])
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let rate = session.options.scrub_rate;
    let Some(number) = session.server().await?.scrub(rate).await? else {
        bail!("this server cannot: it does not have the method ImageServer.Scrub");
    };
    let progress = ScrubProgress::default();
    let line = ProgressLine::scrubbing(&progress);
    let pass = loop {
        let status = session.server().await?.scrub_status().await?;
        if status.last.number >= number {
            break status.last;
        }
        if status.running.number < number {
            bail!("the server was started anew meanwhile");
        }
        progress.set(&status.running);
        // The server goes on if somebody interrupts us.
        tokio::time::sleep(ASK_PERIOD).await;
    };
    drop(line);
    report(session, &pass)?;
    Ok(Verdict::of(is_clean(&pass)))
}

fn is_clean(pass: &ScrubPass) -> bool {
    pass.unrepaired_images == 0 && pass.unrepaired_objects == 0 && pass.unchecked == 0 && pass.failure.is_empty()
}

fn report(session: &mut Session, pass: &ScrubPass) -> anyhow::Result<()> {
    if session.is_json() {
        return session.out.json(pass);
    }
    let read = format!(
        "{} image files and {} objects ({}) read",
        pass.images_checked,
        pass.objects_checked,
        human::bytes(pass.bytes_checked)
    );
    session.out.line(read)?;
    for (what, damaged, repaired, left) in [
        ("images", pass.damaged_images, pass.repaired_images, pass.unrepaired_images),
        ("objects", pass.damaged_objects, pass.repaired_objects, pass.unrepaired_objects),
    ] {
        session.out.line(format!("{what}: {damaged} damaged, {repaired} repaired, {left} left"))?;
    }
    if pass.unchecked > 0 {
        let text = format!("{} could not be read: the server's log says why", pass.unchecked);
        session.out.line(text)?;
    }
    if !pass.failure.is_empty() {
        session.out.line(format!("broken off: {}", pass.failure))?;
    }
    if pass.unrepaired_images + pass.unrepaired_objects > 0 {
        session.out.line("imagetool list-damaged says what is left, and what to do about it")?;
    }
    Ok(())
}
