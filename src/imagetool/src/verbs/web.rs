//! What an image names by its address: fetched by HTTP, as it is.

use std::time::Duration;

use anyhow::{anyhow, bail};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the other side may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The body of a page of at most `max_bytes`.
pub(super) async fn get(url: &str, max_bytes: u64) -> anyhow::Result<Vec<u8>> {
    let failed = |error: reqwest::Error| anyhow!("GET {url}: {}", cause(&error));
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build()
        .map_err(failed)?;
    let mut response = client.get(url).send().await.map_err(failed)?;
    if response.status() != reqwest::StatusCode::OK {
        bail!("GET {url}: {}", response.status());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            bail!("GET {url}: more than {}", human::bytes(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost of the causes says what was wrong; those around it repeat the address.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
