//! What is going on, how far, how fast, how long still; only on a terminal.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use protocol::image_server::ScrubPass;
use tree_io::Progress;

use image_client::add_queue::AddProgress;

/// How often the line is drawn anew.
const PERIOD: Duration = Duration::from_millis(200);

/// A line on the terminal that lives as long as this; off a terminal it is nothing.
pub(crate) struct ProgressLine {
    bar: ProgressBar,
    ticker: Option<tokio::task::JoinHandle<()>>,
}

impl ProgressLine {
    /// Fetching: the total is known.
    pub(crate) fn fetching(total_bytes: u64, progress: &Progress) -> ProgressLine {
        let template = "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {wide_bar}";
        let progress = progress.clone();
        ProgressLine::start(Some(total_bytes), template, move |bar| {
            bar.set_position(progress.bytes());
            bar.set_message(format!("{} files", progress.files()));
        })
    }

    /// Adding: how much there is shows only at the end; how much need not be sent is worth seeing.
    pub(crate) fn adding(progress: &Progress, queue: AddProgress) -> ProgressLine {
        let progress = progress.clone();
        ProgressLine::start(
            None,
            "{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}",
            move |bar| {
                let report = queue.report();
                let saved = human::bytes(report.bytes.saturating_sub(report.sent_bytes));
                bar.set_position(progress.bytes());
                bar.set_message(format!(
                    "{} files scanned, {} sent, {saved} already there;",
                    progress.files(),
                    human::bytes(report.sent_bytes)
                ));
            },
        )
    }

    /// The server reads what it stores.
    pub(crate) fn scrubbing(progress: &ScrubProgress) -> ProgressLine {
        let template = "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {wide_bar}";
        let progress = Arc::clone(&progress.0);
        ProgressLine::start(Some(0), template, move |bar| {
            let Ok(pass) = progress.lock() else { return };
            bar.set_length(pass.bytes_total);
            bar.set_position(pass.bytes_checked);
            let damaged = pass.damaged_images + pass.damaged_objects;
            bar.set_message(format!(
                "{} images, {} objects read, {damaged} damaged;",
                pass.images_checked, pass.objects_checked
            ));
        })
    }

    fn start(
        total: Option<u64>,
        template: &str,
        update: impl Fn(&ProgressBar) + Send + 'static,
    ) -> ProgressLine {
        if !std::io::stderr().is_terminal() {
            return ProgressLine {
                bar: ProgressBar::hidden(),
                ticker: None,
            };
        }
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let drawn = bar.clone();
        let ticker = tokio::spawn(async move {
            let mut period = tokio::time::interval(PERIOD);
            // Work that ends at once needs no line.
            period.tick().await;
            loop {
                period.tick().await;
                update(&drawn);
                drawn.tick();
            }
        });
        ProgressLine {
            bar,
            ticker: Some(ticker),
        }
    }
}

/// How far the server is, as it said last.
#[derive(Default)]
pub(crate) struct ScrubProgress(Arc<Mutex<ScrubPass>>);

impl ScrubProgress {
    pub(crate) fn set(&self, pass: &ScrubPass) {
        if let Ok(mut known) = self.0.lock() {
            known.clone_from(pass);
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(ticker) = &self.ticker {
            ticker.abort();
        }
        self.bar.finish_and_clear();
    }
}
