//! `ImageServer.GetImageInodes` (`imageserver.md §3.14`).

use std::collections::BTreeMap;

use crate::rpc::prelude::*;
use bstr::{BString, ByteSlice};
use image::walk::LinkCounts;
use image::{FileSystem, InodeTable};
use protocol::image_server::{GetImageInodesRequest, GetImageInodesResponse};

/// Some inodes of an image by path; paths that are not there are left out.
pub(crate) struct GetImageInodes(pub(crate) Shared);

impl RequestReply for GetImageInodes {
    const NAME: &'static str = "GetImageInodes";
    type Request = GetImageInodesRequest;
    type Reply = GetImageInodesResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let Some(image) = self.0.images.image(&request.image_name).await? else {
            return Ok(Self::Reply::default());
        };
        let wanted: Vec<BString> = request.filenames;
        // Walking a tree of many thousand entries is no work for the thread that serves other connections.
        let reply = tokio::task::spawn_blocking(move || match &image.file_system {
            Some(tree) => find(tree, &wanted),
            None => Self::Reply {
                image_exists: true,
                ..Self::Reply::default()
            },
        });
        Ok(reply.await?)
    }
}

fn find(tree: &FileSystem, wanted: &[BString]) -> GetImageInodesResponse {
    let found = tree.find_all(wanted.iter().map(|path| path.as_bstr()));
    let links = LinkCounts::of(tree);
    let mut inodes = InodeTable::new();
    let mut num_links = BTreeMap::new();
    for &number in found.values() {
        if let Some(inode) = tree.inode_table.get(number) {
            inodes.insert(number, inode.clone());
            num_links.insert(number, u64::from(links.get(tree, Some(number))));
        }
    }
    // Present though empty, as the original has them.
    GetImageInodesResponse {
        error: String::new(),
        image_exists: true,
        inode_numbers: Some(found.into_iter().collect()),
        inodes: Some(inodes),
        num_links: Some(num_links),
    }
}
