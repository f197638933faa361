//! How far it is; only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the line is drawn anew.
const PERIOD: Duration = Duration::from_millis(200);

/// A line on the terminal; gone when dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    objects: AtomicU64,
    images: AtomicU64,
}

impl Progress {
    pub(super) fn start() -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} {bytes_per_sec} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(PERIOD);
        Progress {
            bar,
            objects: AtomicU64::new(0),
            images: AtomicU64::new(0),
        }
    }

    pub(super) fn objects(&self, count: u64, bytes: u64) {
        self.objects.fetch_add(count, Ordering::Relaxed);
        self.told(bytes);
    }

    pub(super) fn image(&self, bytes: u64) {
        self.images.fetch_add(1, Ordering::Relaxed);
        self.told(bytes);
    }

    fn told(&self, bytes: u64) {
        self.bar.inc(bytes);
        let (objects, images) = (&self.objects, &self.images);
        self.bar.set_message(format!(
            "{} objects, {} images",
            objects.load(Ordering::Relaxed),
            images.load(Ordering::Relaxed)
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
