//! `ImageServer.GetObjectStatisticsForImages` (`imageserver.md §3.15`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::rpc::prelude::*;
use actors::image_index::ImageEntry;
use protocol::image_server::{GetObjectStatisticsForImagesRequest, GetObjectStatisticsForImagesResponse};

/// How much several images have in common.
pub(crate) struct GetObjectStatisticsForImages(pub(crate) Shared);

impl RequestReply for GetObjectStatisticsForImages {
    const NAME: &'static str = "GetObjectStatisticsForImages";
    type Request = GetObjectStatisticsForImagesRequest;
    type Reply = GetObjectStatisticsForImagesResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::list()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let snapshot = self.0.images.snapshot();
        let mut entries = Vec::new();
        for name in &request.image_names {
            match snapshot.images.get(name.as_str()) {
                Some(entry) => entries.push(Arc::clone(entry)),
                None if request.ignore_missing => {}
                None => {
                    let error = format!("unknown image: {name}");
                    return Ok(Self::Reply {
                        error,
                        ..Self::Reply::default()
                    });
                }
            }
        }
        Ok(tokio::task::spawn_blocking(move || count(&entries)).await?)
    }
}

fn count(entries: &[Arc<ImageEntry>]) -> GetObjectStatisticsForImagesResponse {
    let start = processor_time();
    let mut reply = GetObjectStatisticsForImagesResponse {
        num_images: entries.len() as u64,
        ..Default::default()
    };
    let mut distinct: HashMap<u32, u64> = HashMap::new();
    for entry in entries {
        reply.num_file_inodes += entry.inodes.regular;
        reply.total_file_inode_bytes = reply
            .total_file_inode_bytes
            .saturating_add(entry.inodes.regular_bytes);
        for object in entry.objects.of_tree() {
            distinct.insert(object.key, object.size);
        }
    }
    reply.num_objects = distinct.len() as u64;
    reply.total_object_bytes = distinct.values().fold(0, |sum, size| sum.saturating_add(*size));
    reply.computation_time = processor_time().saturating_sub(start).into();
    reply
}

/// Processor time this thread has spent so far.
fn processor_time() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // Neither is negative for a processor clock, and nanoseconds are below 10^9.
    std::time::Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
