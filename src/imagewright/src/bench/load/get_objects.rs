//! Objects as fast as they come, thrown away: what is measured is the server.

use super::Target;
use anyhow::{Context, ensure};
use hash::Hash;
use protocol::object_server::{GetObjectsRequest, GetObjectsResponse};
use srpc::Client;
use std::time::Instant;

/// Every one of so many clients fetches all of `objects` in one call; millions of bytes per second of all together.
pub(crate) async fn get_objects(
    target: &Target,
    clients: usize,
    objects: &[(Hash, u64)],
) -> anyhow::Result<f64> {
    let connections = target.connect_many(clients).await?;
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in connections {
        let objects = objects.to_vec();
        tasks.spawn(async move { fetch(&mut client, &objects).await });
    }
    let mut bytes = 0;
    while let Some(done) = tasks.join_next().await {
        bytes += done.context("a client died")??;
    }
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// One call; gives the bytes that came, which are as many as there should be.
pub(super) async fn fetch(client: &mut Client, objects: &[(Hash, u64)]) -> anyhow::Result<u64> {
    let mut stream = client.open("ObjectServer.GetObjects").await?;
    let request = GetObjectsRequest {
        hashes: objects.iter().map(|(hash, _)| *hash).collect(),
        ..GetObjectsRequest::default()
    };
    stream.write_value(&request).await?;
    stream.flush().await?;
    let reply: GetObjectsResponse = stream.read_prompt_value().await?;
    ensure!(reply.response_string.is_empty(), "{}", reply.response_string);
    let sizes = objects.iter().map(|(_, size)| size);
    ensure!(
        reply.object_sizes.iter().eq(sizes),
        "the server tells other sizes than the objects have"
    );
    let total: u64 = reply.object_sizes.iter().sum();
    let mut left = total;
    let mut piece = Vec::new();
    while left > 0 {
        piece.clear();
        left -= stream.read_raw_into(&mut piece, left).await? as u64;
    }
    stream.finish().await?;
    Ok(total)
}
