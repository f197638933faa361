//! How far behind we are, for people and for graphs.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// What the link is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Connecting.
    Connecting,
    /// Connected; the list of what there is comes in.
    Listing,
    /// Fetching what the list names and we lack.
    CatchingUp,
    /// Up to the list; changes come as they happen.
    Following,
    /// Pausing before the next attempt to connect.
    Waiting,
}

impl LinkState {
    /// In a word or two.
    pub fn text(self) -> &'static str {
        match self {
            LinkState::Connecting => "connecting",
            LinkState::Listing => "receiving the list",
            LinkState::CatchingUp => "catching up",
            LinkState::Following => "following",
            LinkState::Waiting => "waiting to connect again",
        }
    }
}

/// The state of replication at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicationStatus {
    /// `HOST:PORT`.
    pub upstream: String,
    /// What the link is doing.
    pub state: LinkState,
    /// When it was last connected.
    pub connected_at: Option<SystemTime>,
    /// When the upstream last said something.
    pub last_event_at: Option<SystemTime>,
    /// Announcements received and not worked off, images being tried again included.
    pub images_behind: u64,
    /// Bytes of objects known to be missing. Those of images whose trees are not here yet are not known.
    pub bytes_behind: u64,
    /// Images the upstream announces that are not here.
    pub unfetched_images: u64,
    /// Images that the upstream's list lacks and that are kept, since they are too many.
    pub held_back: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// Why the link broke last, or what failed last.
    pub last_error: Option<String>,
    /// Images added since the start.
    pub images_added: u64,
    /// Images deleted since the start.
    pub images_deleted: u64,
    /// Objects fetched since the start.
    pub objects_fetched: u64,
    /// Their bytes.
    pub bytes_fetched: u64,
}

/// The status as it changes; each change is a metric too.
pub(super) struct Status {
    inner: Mutex<Inner>,
}

struct Inner {
    figures: ReplicationStatus,
    /// Connections made.
    connections: u64,
    /// Images taken from the link and not done.
    in_hand: u64,
    /// Announcements in the link's queue.
    queued: u64,
}

impl Status {
    pub(super) fn new(upstream: String) -> Status {
        let status = Status {
            inner: Mutex::new(Inner {
                figures: ReplicationStatus {
                    upstream,
                    state: LinkState::Connecting,
                    connected_at: None,
                    last_event_at: None,
                    images_behind: 0,
                    bytes_behind: 0,
                    unfetched_images: 0,
                    held_back: 0,
                    reconnects: 0,
                    last_error: None,
                    images_added: 0,
                    images_deleted: 0,
                    objects_fetched: 0,
                    bytes_fetched: 0,
                },
                connections: 0,
                in_hand: 0,
                queued: 0,
            }),
        };
        status.set_state(LinkState::Connecting);
        status.inner.lock().tell_behind();
        // There before the first of each, so that alerts on their growth see the first one too.
        for counter in [
            "imageserver_replication_reconnects_total",
            "imageserver_replication_images_added_total",
            "imageserver_replication_images_deleted_total",
            "imageserver_replication_objects_fetched_total",
            "imageserver_replication_fetched_bytes_total",
            "imageserver_replication_errors_total",
        ] {
            metrics::counter!(counter).increment(0);
        }
        status
    }

    pub(super) fn get(&self, unfetched: usize) -> ReplicationStatus {
        let inner = self.inner.lock();
        ReplicationStatus {
            images_behind: inner.in_hand + inner.queued,
            unfetched_images: unfetched as u64,
            ..inner.figures.clone()
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.inner.lock().figures.last_error.clone()
    }

    pub(super) fn set_state(&self, state: LinkState) {
        self.inner.lock().figures.state = state;
        let connected = matches!(
            state,
            LinkState::Listing | LinkState::CatchingUp | LinkState::Following
        );
        metrics::gauge!("imageserver_replication_connected").set(f64::from(u8::from(connected)));
        metrics::gauge!("imageserver_replication_following")
            .set(f64::from(u8::from(state == LinkState::Following)));
    }

    pub(super) fn connected(&self) {
        let mut inner = self.inner.lock();
        inner.figures.connected_at = Some(SystemTime::now());
        inner.connections += 1;
        if inner.connections > 1 {
            inner.figures.reconnects += 1;
            metrics::counter!("imageserver_replication_reconnects_total").increment(1);
        }
    }

    pub(super) fn event(&self) {
        let now = SystemTime::now();
        self.inner.lock().figures.last_event_at = Some(now);
        let seconds = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64());
        metrics::gauge!("imageserver_replication_last_event_timestamp_seconds").set(seconds);
    }

    /// Announcements in hand, and waiting behind them.
    pub(super) fn behind(&self, in_hand: usize, queued: usize) {
        let mut inner = self.inner.lock();
        (inner.in_hand, inner.queued) = (in_hand as u64, queued as u64);
        inner.tell_behind();
    }

    /// One of those in hand is done; so many wait behind them.
    pub(super) fn one_done(&self, queued: usize) {
        let mut inner = self.inner.lock();
        inner.in_hand = inner.in_hand.saturating_sub(1);
        inner.queued = queued as u64;
        inner.tell_behind();
    }

    /// The link has ended: what was missing is counted anew by the next.
    pub(super) fn link_ended(&self) {
        let mut inner = self.inner.lock();
        (inner.in_hand, inner.queued) = (0, 0);
        inner.tell_behind();
    }

    /// So many bytes of objects are missing, until they are fetched or what this returns is dropped.
    pub(super) fn bytes_missing(&self, bytes: u64) -> BytesMissing<'_> {
        let mut inner = self.inner.lock();
        inner.figures.bytes_behind += bytes;
        inner.tell_behind();
        BytesMissing {
            status: self,
            left: AtomicU64::new(bytes),
        }
    }

    pub(super) fn image_added(&self) {
        self.inner.lock().figures.images_added += 1;
        metrics::counter!("imageserver_replication_images_added_total").increment(1);
    }

    pub(super) fn image_deleted(&self) {
        self.inner.lock().figures.images_deleted += 1;
        metrics::counter!("imageserver_replication_images_deleted_total").increment(1);
    }

    /// So many images are not in the upstream's list, and stay all the same.
    pub(super) fn held_back(&self, images: usize) {
        self.inner.lock().figures.held_back = images as u64;
        metrics::gauge!("imageserver_replication_held_back_deletions").set(images as f64);
    }

    pub(super) fn failed(&self, text: String) {
        self.inner.lock().figures.last_error = Some(text);
        metrics::counter!("imageserver_replication_errors_total").increment(1);
    }
}

/// Objects that are being fetched for an image.
pub(super) struct BytesMissing<'a> {
    status: &'a Status,
    left: AtomicU64,
}

impl BytesMissing<'_> {
    /// These have come.
    pub(super) fn fetched(&self, objects: u64, bytes: u64) {
        let mut inner = self.status.inner.lock();
        inner.figures.objects_fetched += objects;
        inner.figures.bytes_fetched += bytes;
        // Not more than were missing: what came may be longer than it was said to be.
        let counted = bytes.min(self.left.load(Ordering::Relaxed));
        self.left.fetch_sub(counted, Ordering::Relaxed);
        inner.forget_missing(counted);
        metrics::counter!("imageserver_replication_objects_fetched_total").increment(objects);
        metrics::counter!("imageserver_replication_fetched_bytes_total").increment(bytes);
    }
}

impl Drop for BytesMissing<'_> {
    fn drop(&mut self) {
        self.status.inner.lock().forget_missing(*self.left.get_mut());
    }
}

impl Inner {
    fn forget_missing(&mut self, bytes: u64) {
        self.figures.bytes_behind = self.figures.bytes_behind.saturating_sub(bytes);
        self.tell_behind();
    }

    fn tell_behind(&self) {
        metrics::gauge!("imageserver_replication_images_behind").set((self.in_hand + self.queued) as f64);
        metrics::gauge!("imageserver_replication_bytes_behind").set(self.figures.bytes_behind as f64);
    }
}
