//! `Imaginator.CancelBuild`, a method of our own: ends builds that wait or run.

use crate::rpc::prelude::*;
use protocol::imaginator::{CancelBuildRequest, CancelBuildResponse};

/// Ends the build with a number, or all of a stream.
pub(crate) struct CancelBuild(pub(crate) Shared);

impl RequestReply for CancelBuild {
    const NAME: &'static str = "CancelBuild";
    type Request = CancelBuildRequest;
    type Reply = CancelBuildResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let numbers = match request.build_number {
            0 => self.numbers_of(&request.stream_name),
            number => vec![number],
        };
        let mut reply = Self::Reply::default();
        if numbers.is_empty() {
            reply.error = format!("no build of {} is waiting or running", request.stream_name);
        }
        for number in numbers {
            match self.0.scheduler.cancel(number, username(call)).await {
                Ok(()) => {
                    tracing::info!("CancelBuild({}): {number}", username(call));
                    reply.cancelled += 1;
                }
                Err(error) => reply.error = error.to_string(),
            }
        }
        Ok(reply)
    }
}

impl CancelBuild {
    /// Builds of a stream that wait or run.
    fn numbers_of(&self, stream: &str) -> Vec<u64> {
        let snapshot = self.0.scheduler.snapshot();
        let queued = snapshot.queued.iter().map(|queued| &queued.build);
        let all = snapshot.running.iter().chain(queued);
        all.filter(|build| build.stream() == stream)
            .map(|build| build.number)
            .collect()
    }
}
