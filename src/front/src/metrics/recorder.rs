//! What stands behind the `metrics` facade.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Bounds of the buckets of durations, in seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0,
];

pub(super) struct Recorder(Option<PrometheusHandle>);

impl Recorder {
    pub(super) fn absent() -> Self {
        Self(None)
    }

    /// Installs the recorder. Only one fits in a process: who comes later renders nothing.
    pub(super) fn install() -> Self {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS_SECONDS)
            .map(PrometheusBuilder::build_recorder);
        // Fails for an empty list of buckets only.
        let Ok(recorder) = builder else { return Self(None) };
        let handle = recorder.handle();
        Self(metrics::set_global_recorder(recorder).is_ok().then_some(handle))
    }

    pub(super) fn render(&self) -> String {
        self.0.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    }

    pub(super) fn upkeep(&self) {
        if let Some(handle) = &self.0 {
            handle.run_upkeep();
        }
    }
}
