//! `POST /images/UUID/file/from-url` (imgapi.md §12.5): the file comes from a web server.

use std::time::Duration;

use actors::image_repository::Slot;
use repository::transfer::{Kind, compression, storage};
use repository::{ApiError, Code, Result};

use super::add_image_file::commit;
use crate::answer::Answer;
use crate::change::Change;
use crate::request::Asked;
use crate::upload::{fetched, place};

/// Until a connection is made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the server may send nothing. How slow it may be, and for how long: [`fetched`].
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Until its answer begins.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// The image with the file of the address in the body.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    change.owned(asked).await?.record.check_files_mutable()?;
    let compression = compression(&asked.parameters)?;
    let url = url(asked).await?;
    check_host(asked, &url)?;
    storage(&asked.parameters, change.account)?;
    let _place = place()?;
    let mut response = get(asked, &url).await?;
    Kind::File.check_announced(response.content_length())?;
    let announced = response.content_length();
    let upload = change.begin(asked, Slot::File(0)).await?;
    let received = fetched(upload, async || response.chunk().await.map_err(failed)).await?;
    let size = received.digests.size;
    if let Some(announced) = announced.filter(|announced| *announced != size) {
        let message =
            format!("\"Content-Length\" header, {announced}, does not match downloaded size, {size}");
        return Err(ApiError::new(Code::Download, message));
    }
    let wanted = asked.parameters.get_nonempty("sha1");
    if let Some(wanted) = wanted.filter(|wanted| *wanted != received.digests.sha1) {
        let message = format!(
            "expected sha1 hash, {wanted}, does not match the uploaded file sha1 hash, {}",
            received.digests.sha1
        );
        return Err(ApiError::new(Code::Download, message));
    }
    let guid = asked.parameters.get_nonempty("dataset_guid");
    commit(asked, &change, received, compression, guid).await
}

async fn url(asked: &mut Asked) -> Result<String> {
    let body = asked.value().await?;
    let url = body.value().and_then(|body| body.get("file_url"));
    let invalid = |code, message| Err(ApiError::invalid_parameter("file_url", code, message));
    match url.and_then(|url| url.as_str()).filter(|url| !url.is_empty()) {
        None => invalid("Missing", "missing \"file_url\" field from request body"),
        Some(url) if !url.starts_with("https:") => {
            invalid("Invalid", "Only URLs using the https: scheme are supported")
        }
        Some(url) => Ok(url.to_owned()),
    }
}

fn check_host(asked: &Asked, url: &str) -> Result<()> {
    // What is no address is told by who connects.
    let host = reqwest::Url::parse(url).ok();
    let host = host.as_ref().and_then(reqwest::Url::host_str);
    let checked = asked.settings.own.check_source_host(host);
    checked.map_err(|message| ApiError::invalid_parameter("file_url", "Invalid", message))
}

/// The beginning of the answer. Nothing but 200 will do: who asks for an image wants no redirection to who knows where.
async fn get(asked: &Asked, url: &str) -> Result<reqwest::Response> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(proxy) = &asked.settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(failed)?);
    }
    let client = builder.build().map_err(failed)?;
    let response = tokio::time::timeout(ANSWER_TIMEOUT, client.get(url).send()).await;
    let response = response
        .map_err(|_| {
            let message = format!(
                "Error getting image: no answer within {} s",
                ANSWER_TIMEOUT.as_secs()
            );
            ApiError::new(Code::Download, message)
        })?
        .map_err(failed)?;
    if response.status() != reqwest::StatusCode::OK {
        let message = format!(
            "HTTP {} error attempting to download image",
            response.status().as_u16()
        );
        return Err(ApiError::new(Code::Download, message));
    }
    Ok(response)
}

/// Without the address, which may hold a secret.
fn failed(error: reqwest::Error) -> ApiError {
    let message = format!("Error getting image: {}", causes(&error.without_url()));
    ApiError::new(Code::Download, message)
}

/// What went wrong, from the outside in: the outermost words say only that a request failed.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts.join(": ")
}
