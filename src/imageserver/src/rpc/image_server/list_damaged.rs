//! `ImageServer.ListDamaged`: our own addition, the original does not have it.

use crate::rpc::prelude::*;
use actors::image_index::DamageReport;
use protocol::image_server::{DamagedImage, DamagedObject, ListDamagedRequest, ListDamagedResponse};

/// What is damaged, which images that affects, and what to do about it.
pub(crate) struct ListDamaged(pub(crate) Shared);

impl RequestReply for ListDamaged {
    const NAME: &'static str = "ListDamaged";
    type Request = ListDamagedRequest;
    type Reply = ListDamagedResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, _request: Self::Request) -> Result<Self::Reply, MethodError> {
        let report = self.0.images.damage().await;
        Ok(match report {
            Ok(report) => reply(report),
            Err(error) => Self::Reply {
                error: error.to_string(),
                ..Self::Reply::default()
            },
        })
    }
}

fn reply(report: DamageReport) -> ListDamagedResponse {
    let names = |names: Vec<std::sync::Arc<str>>| names.iter().map(|name| name.to_string()).collect();
    let images = report.images.into_iter().map(|image| DamagedImage {
        name: image.name.to_string(),
        cause: image.cause,
        known_since: image.since,
        remedy: image.remedy,
    });
    let objects = report.objects.into_iter().map(|object| DamagedObject {
        hash: object.hash,
        file: object.file,
        cause: object.cause,
        known_since: object.since,
        affected_images: object.affected_images,
        image_names: names(object.images),
        remedy: object.remedy,
    });
    ListDamagedResponse {
        error: String::new(),
        images: images.collect(),
        objects: objects.collect(),
    }
}
