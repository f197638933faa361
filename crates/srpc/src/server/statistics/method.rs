//! Figures of one method.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::{Distribution, DistributionSnapshot};

pub(crate) struct MethodStatistics {
    name: Arc<str>,
    is_request_reply: bool,
    denied: AtomicU64,
    permitted: AtomicU64,
    running: AtomicI64,
    successful: Distribution,
    failed: Distribution,
    successful_inside: Distribution,
    failed_inside: Distribution,
}

/// How a permitted call ended, as a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallResult {
    Ok,
    Error,
    Panic,
}

/// Figures of one method at one moment.
#[derive(Clone, Debug)]
pub struct MethodSnapshot {
    /// `Service.Method`.
    pub name: Arc<str>,
    /// It is of the request-reply kind.
    pub is_request_reply: bool,
    /// Calls refused for lack of rights; a blocker's vetoes are not among them.
    pub denied_calls: u64,
    /// Calls begun.
    pub permitted_calls: u64,
    /// Calls running now.
    pub running_calls: u64,
    /// Whole durations of calls that succeeded.
    pub successful_call_durations: DistributionSnapshot,
    /// Whole durations of calls that failed.
    pub failed_call_durations: DistributionSnapshot,
    /// Time inside the method, without decoding and encoding, for request-reply calls that succeeded.
    pub successful_request_reply_call_durations: DistributionSnapshot,
    /// The same for those that failed.
    pub failed_request_reply_call_durations: DistributionSnapshot,
}

impl MethodStatistics {
    pub(crate) fn new(name: Arc<str>, is_request_reply: bool) -> Self {
        Self {
            name,
            is_request_reply,
            denied: AtomicU64::new(0),
            permitted: AtomicU64::new(0),
            running: AtomicI64::new(0),
            successful: Distribution::default(),
            failed: Distribution::default(),
            successful_inside: Distribution::default(),
            failed_inside: Distribution::default(),
        }
    }

    pub(crate) fn is_request_reply(&self) -> bool {
        self.is_request_reply
    }

    pub(crate) fn deny(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("srpc_server_calls_total", "method" => self.label(), "result" => "denied")
            .increment(1);
    }

    /// Counts a running call until the guard is dropped.
    pub(crate) fn permit(&self) -> RunningCall<'_> {
        self.permitted.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        RunningCall(self)
    }

    pub(crate) fn finish(&self, result: CallResult, whole: Duration, inside: Option<Duration>) {
        let ok = result == CallResult::Ok;
        if ok { &self.successful } else { &self.failed }.add(whole);
        if let Some(inside) = inside {
            if ok {
                &self.successful_inside
            } else {
                &self.failed_inside
            }
            .add(inside);
        }
        let result = match result {
            CallResult::Ok => "ok",
            CallResult::Error => "error",
            CallResult::Panic => "panic",
        };
        metrics::counter!("srpc_server_calls_total", "method" => self.label(), "result" => result)
            .increment(1);
        metrics::histogram!("srpc_server_call_duration_seconds", "method" => self.label())
            .record(whole.as_secs_f64());
    }

    pub(crate) fn snapshot(&self) -> MethodSnapshot {
        MethodSnapshot {
            name: Arc::clone(&self.name),
            is_request_reply: self.is_request_reply,
            denied_calls: self.denied.load(Ordering::Relaxed),
            permitted_calls: self.permitted.load(Ordering::Relaxed),
            running_calls: u64::try_from(self.running.load(Ordering::Relaxed)).unwrap_or(0),
            successful_call_durations: self.successful.snapshot(),
            failed_call_durations: self.failed.snapshot(),
            successful_request_reply_call_durations: self.successful_inside.snapshot(),
            failed_request_reply_call_durations: self.failed_inside.snapshot(),
        }
    }

    fn label(&self) -> metrics::SharedString {
        metrics::SharedString::from_shared(Arc::clone(&self.name))
    }
}

pub(crate) struct RunningCall<'a>(&'a MethodStatistics);

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
