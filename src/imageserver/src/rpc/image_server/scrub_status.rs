//! `ImageServer.ScrubStatus`: our own addition, the original does not have it.

use crate::rpc::prelude::*;
use gob::Time;
use protocol::image_server::{ScrubPass, ScrubStatusRequest, ScrubStatusResponse};
use std::time::SystemTime;

/// How reading everything again goes, and how it went last time.
pub(crate) struct ScrubStatus(pub(crate) Shared);

impl RequestReply for ScrubStatus {
    const NAME: &'static str = "ScrubStatus";
    type Request = ScrubStatusRequest;
    type Reply = ScrubStatusResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, _request: Self::Request) -> Result<Self::Reply, MethodError> {
        let status = self.0.scrubber.status();
        Ok(ScrubStatusResponse {
            running: status.running.map(pass).unwrap_or_default(),
            last: status.last.map(pass).unwrap_or_default(),
            last_finished_at: time(status.last_finished_at),
            next_at: time(status.next_at),
            sources: status.sources,
            last_error: status.last_error.unwrap_or_default(),
        })
    }
}

fn time(at: Option<SystemTime>) -> Time {
    at.map_or(Time::ZERO, Time::from)
}

fn pass(pass: actors::ScrubPass) -> ScrubPass {
    ScrubPass {
        number: pass.number,
        asked_for: pass.asked_for,
        bytes_per_second: pass.rate_bytes,
        started_at: time(pass.started_at),
        finished_at: time(pass.finished_at),
        images_checked: pass.images_checked,
        images_total: pass.images_total,
        objects_checked: pass.objects_checked,
        objects_total: pass.objects_total,
        bytes_checked: pass.bytes_checked,
        bytes_total: pass.bytes_total,
        damaged_images: pass.damaged_images,
        damaged_objects: pass.damaged_objects,
        repaired_images: pass.repaired_images,
        repaired_objects: pass.repaired_objects,
        unrepaired_images: pass.unrepaired_images,
        unrepaired_objects: pass.unrepaired_objects,
        unchecked: pass.unchecked,
        failure: pass.failure.unwrap_or_default(),
    }
}
