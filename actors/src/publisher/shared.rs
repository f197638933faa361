//! What outlives an incarnation of the actor.

use super::config::Publishing;
use super::queue::Queue;
use super::status::{PublisherLink, PublisherStatus};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) struct Shared {
    pub(super) config: Publishing,
    queue: Mutex<Queue>,
    /// Rings when there is something to publish.
    pub(super) bell: Notify,
    figures: Mutex<PublisherStatus>,
}

impl Shared {
    pub(super) fn new(config: Publishing) -> Shared {
        let figures = PublisherStatus::new(config.upstream.clone());
        metrics::gauge!("imgapi_publisher_connected").set(0.0);
        for outcome in ["published", "failed"] {
            metrics::counter!("imgapi_publisher_images_total", "outcome" => outcome).increment(0);
        }
        Shared {
            queue: Mutex::new(Queue::new(config.retry_pause)),
            bell: Notify::new(),
            figures: Mutex::new(figures),
            config,
        }
    }

    pub(super) fn with_queue<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue.lock();
        let done = work(&mut queue);
        metrics::gauge!("imgapi_publisher_waiting").set(queue.len() as f64);
        done
    }

    pub(super) fn set_link(&self, link: PublisherLink) {
        self.figures.lock().link = link;
        let is_connected = link == PublisherLink::Listing || link == PublisherLink::Following;
        metrics::gauge!("imgapi_publisher_connected").set(f64::from(u8::from(is_connected)));
    }

    /// An image was published, or was not and why.
    pub(super) fn ended(&self, name: &str, failure: Option<&str>) {
        self.figures.lock().ended(name, failure);
        let outcome = failure.map_or("published", |_| "failed");
        metrics::counter!("imgapi_publisher_images_total", "outcome" => outcome).increment(1);
    }

    /// Something else than one image.
    pub(super) fn failed(&self, text: String) {
        self.figures.lock().last_error = Some(text);
        metrics::counter!("imgapi_publisher_images_total", "outcome" => "failed").increment(1);
    }

    pub(super) fn link_failed(&self, text: String) {
        self.figures.lock().last_error = Some(text);
    }

    pub(super) fn status(&self) -> PublisherStatus {
        let mut status = self.figures.lock().clone();
        let queue = self.queue.lock();
        status.waiting = queue.len();
        status.failing = queue.failing();
        status
    }
}
