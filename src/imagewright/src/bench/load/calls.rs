//! Small calls, one after the other on each connection.

use super::super::figures::quantile;
use super::super::stock::BASE;
use super::Target;
use anyhow::Context;
use image_client::ImageServer;
use std::time::{Duration, Instant};

/// Which call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// An empty line, answered by an empty line.
    Empty,
    /// `ImageServer.CheckImage` of an image that is there.
    CheckImage,
}

/// What came out.
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) p99_milliseconds: f64,
}

/// Calls as fast as answers come, on each of so many connections, for about `length`.
pub(crate) async fn calls(
    target: &Target,
    connections: usize,
    call: Call,
    length: Duration,
) -> anyhow::Result<Rate> {
    let mut servers = Vec::new();
    for client in target.connect_many(connections).await? {
        let mut server = ImageServer::new(client);
        // Once before the clock runs, to have everything at hand.
        once(&mut server, call).await?;
        servers.push(server);
    }
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut server in servers {
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < length {
                let asked = Instant::now();
                once(&mut server, call).await?;
                latencies.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done.context("a client died")??);
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    Ok(Rate {
        per_second: latencies.len() as f64 / seconds,
        p99_milliseconds: quantile(&latencies, 0.99),
    })
}

async fn once(server: &mut ImageServer, call: Call) -> anyhow::Result<()> {
    match call {
        Call::Empty => server.client().ping().await?,
        Call::CheckImage => anyhow::ensure!(server.check_image(BASE).await?, "{BASE} is not there"),
    }
    Ok(())
}
