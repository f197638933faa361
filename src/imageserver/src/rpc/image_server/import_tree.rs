//! `ImageServer.ImportTree` (`imageserver.md §3.21`).

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::time::Instant;

use crate::import::{Assembly, Fetcher, ImportError, PARALLEL_FETCHES, PartKind, TreeUrl, Wanted};
use crate::rpc::object_server::lease;
use crate::rpc::prelude::*;
use actors::image_index::AddRequest;
use bstr::BString;
use futures_util::{StreamExt, TryStreamExt, stream};
use gob::Time;
use hash::Hash;
use image::Image;
use protocol::image_server::{ImportTreeRequest, ImportTreeResponse};

/// Bytes of the text of one tree. A directory of 100,000 entries takes 20 MB.
const TREE_TEXT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a link's target: the system's own limit.
const TARGET_BYTES_MAX: u64 = 4096;

/// Builds an image from a tree on an HTTP server; errors travel in the reply.
pub(crate) struct ImportTree(pub(crate) Shared);

impl RequestReply for ImportTree {
    const NAME: &'static str = "ImportTree";
    type Request = ImportTreeRequest;
    type Reply = ImportTreeResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let mut reply = Self::Reply::default();
        if let Some(error) = self.0.go_to_master() {
            reply.error = error;
            return Ok(reply);
        }
        let directory = &request.directory_name;
        tracing::info!("ImportTree({directory}) from: {}{}", request.tree_url, by(call));
        match self.import(call, &request, &mut reply).await {
            Ok(name) => reply.image_name = name,
            Err(error) => {
                tracing::info!("ImportTree({directory}){}: {}", by(call), error.text());
                reply.error = error.text().to_owned();
            }
        }
        Ok(reply)
    }
}

impl ImportTree {
    async fn import(
        &self,
        call: &Call,
        request: &ImportTreeRequest,
        reply: &mut ImportTreeResponse,
    ) -> Result<String, MethodError> {
        let url = TreeUrl::parse(&request.tree_url)?;
        let snapshot = self.0.images.snapshot();
        let directory = &request.directory_name;
        if !snapshot.directories.contains_key(directory.as_str()) {
            return Err(format!("directory: {directory} does not exist").into());
        }
        let name = if directory == "." {
            url.hash.to_string()
        } else {
            format!("{directory}/{}", url.hash)
        };
        if snapshot.images.contains_key(name.as_str()) {
            return Err(format!("image: {name} already exists").into());
        }
        let fetcher = Fetcher::new(self.0.objects.clone(), lease(&self.0, call))?;
        let start = Instant::now();
        let assembly = self.fetch_trees(&fetcher, &url, reply).await?;
        reply.trees_download_time = start.elapsed().into();
        let start = Instant::now();
        let targets = self.fetch_parts(&fetcher, &url, &assembly, reply).await?;
        reply.files_download_time = start.elapsed().into();
        let file_system = assembly.build(url.hash, &targets, Time::now())?;
        let image = Image {
            file_system: Some(file_system),
            expires_at: request.expires_at,
            ..Image::default()
        };
        let add = AddRequest {
            name: name.clone(),
            image,
            requester: requester(call),
            trusted: false,
        };
        self.0.images.add(add).await?;
        Ok(name)
    }

    /// All trees, one level after the other.
    async fn fetch_trees(
        &self,
        fetcher: &Fetcher,
        url: &TreeUrl,
        reply: &mut ImportTreeResponse,
    ) -> Result<Assembly, MethodError> {
        let mut assembly = Assembly::new();
        let mut level = vec![url.hash];
        while !level.is_empty() {
            let wanted = level.iter().map(|&hash| Wanted {
                url: url.tree(hash),
                hash,
                size: None,
            });
            for (size, added) in self.fetch_missing(fetcher, wanted.collect()).await? {
                if added {
                    reply.tree_bytes_added += size;
                    reply.tree_objects_added += 1;
                }
            }
            let mut next = HashSet::new();
            for hash in level {
                let text = self.content(hash, TREE_TEXT_BYTES_MAX).await?;
                next.extend(assembly.add_tree(hash, &text)?);
            }
            level = next.into_iter().filter(|hash| !assembly.has(hash)).collect();
        }
        Ok(assembly)
    }

    /// All contents; returns the targets of links.
    async fn fetch_parts(
        &self,
        fetcher: &Fetcher,
        url: &TreeUrl,
        assembly: &Assembly,
        reply: &mut ImportTreeResponse,
    ) -> Result<HashMap<Hash, BString>, MethodError> {
        let parts = assembly.parts();
        let wanted = parts.iter().map(|part| Wanted {
            url: url.blob(part.hash),
            hash: part.hash,
            // The size of a link says nothing about its target everywhere.
            size: (part.kind == PartKind::File).then_some(part.size),
        });
        for (size, added) in self.fetch_missing(fetcher, wanted.collect()).await? {
            if added {
                reply.file_bytes_added += size;
                reply.file_objects_added += 1;
            }
        }
        let mut targets = HashMap::new();
        for part in parts.iter().filter(|part| part.kind == PartKind::Symlink) {
            targets.insert(
                part.hash,
                BString::from(self.content(part.hash, TARGET_BYTES_MAX).await?),
            );
        }
        Ok(targets)
    }

    /// Size, and whether it is new, of each object that was not there.
    async fn fetch_missing(
        &self,
        fetcher: &Fetcher,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<(u64, bool)>, ImportError> {
        let hashes: Vec<Hash> = wanted.iter().map(|wanted| wanted.hash).collect();
        let sizes = fetcher.present(&hashes);
        let missing: Vec<Wanted> = wanted
            .into_iter()
            .zip(sizes)
            .filter(|(_, size)| *size == 0)
            .map(|(wanted, _)| wanted)
            .collect();
        stream::iter(missing)
            .map(|wanted| fetcher.fetch(wanted))
            .buffer_unordered(PARALLEL_FETCHES)
            .try_collect()
            .await
    }

    /// The content of a stored object that must not be larger than `bytes_max`.
    async fn content(&self, hash: Hash, bytes_max: u64) -> Result<Vec<u8>, MethodError> {
        let objects = self.0.objects.clone();
        let read = move || -> Result<Vec<u8>, String> {
            let object = objects.backend().open(&hash).map_err(|error| error.to_string())?;
            if object.size > bytes_max {
                return Err(format!(
                    "object {hash}: {} bytes, at most {bytes_max} expected",
                    object.size
                ));
            }
            let mut content = Vec::new();
            object
                .file
                .take(bytes_max)
                .read_to_end(&mut content)
                .map_err(|error| error.to_string())?;
            if hash::of(&content) == hash {
                Ok(content)
            } else {
                Err(format!("object {hash} is damaged"))
            }
        };
        Ok(tokio::task::spawn_blocking(read).await??)
    }
}
