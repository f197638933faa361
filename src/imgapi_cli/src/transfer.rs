//! How far a transfer is: a line on the terminal; off a terminal nothing.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use repository_client::Progress;

use crate::session::Session;

/// How often the line is drawn anew.
const PERIOD: Duration = Duration::from_millis(200);

/// The line; gone with this.
pub(crate) struct Line {
    bar: ProgressBar,
    ticker: Option<tokio::task::JoinHandle<()>>,
}

impl Line {
    /// Shows a transfer under a name, if there is a terminal and nobody asked for quiet.
    pub(crate) fn show(session: &Session, what: &str, progress: &Progress) -> Self {
        if session.is_quiet || !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
                ticker: None,
            };
        }
        // Not drawn before something is known: nothing of nothing looks like all of it.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template = "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {wide_bar}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        let (drawn, progress, what) = (bar.clone(), progress.clone(), what.to_owned());
        let ticker = tokio::spawn(async move {
            let mut period = tokio::time::interval(PERIOD);
            // Work that ends at once needs no line.
            period.tick().await;
            let mut is_begun = false;
            loop {
                period.tick().await;
                drawn.set_length(progress.total().max(progress.bytes()));
                drawn.set_position(progress.bytes());
                if !is_begun && progress.bytes() > 0 {
                    is_begun = true;
                    // What was there from an earlier attempt did not go through now, and says nothing about how fast it goes.
                    drawn.reset_eta();
                    drawn.set_draw_target(ProgressDrawTarget::stderr());
                }
                match progress.reconnections() {
                    0 => {}
                    count => drawn.set_message(format!("{what} (connection {})", count + 1)),
                }
                drawn.tick();
            }
        });
        Self {
            bar,
            ticker: Some(ticker),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(ticker) = &self.ticker {
            ticker.abort();
        }
        self.bar.finish_and_clear();
    }
}
