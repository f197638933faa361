//! `Imaginator.BuildImage` (`builder-tool.md §4`): asks for a build, tells its log while it runs, then how it ended.

use std::time::Duration;

use crate::rpc::prelude::*;
use actors::build_runner::{BuildLog, BuildResult};
use actors::stream_scheduler::{BuildRequest, BuildRequester, RequestError, Ticket};
use builder::Delivery;
use protocol::imaginator::{BuildImageRequest, BuildImageResponse};
use srpc::ConnError;
use tokio::time::{Instant, sleep_until};

/// Bytes of the log in one message.
const PIECE_BYTES: usize = 64 << 10;
/// How long a piece of the log may wait for further ones before it is sent.
const FLUSH_DELAY: Duration = Duration::from_millis(100);

/// Builds an image. The build goes on when the caller goes away, unless the daemon or the request says otherwise.
pub(crate) struct BuildImage(pub(crate) Shared);

impl Raw for BuildImage {
    const NAME: &'static str = "BuildImage";

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: BuildImageRequest = match conn.read_value().await {
            Ok(request) => request,
            Err(ConnError::Closed) => return Err(RawError::close_client()),
            Err(error) => {
                // What follows on the stream cannot be told from the rest of the request.
                conn.write_line(&one_line(&error.to_string())).await?;
                conn.flush().await?;
                return Err(error.into());
            }
        };
        conn.write_line("").await?;
        let streams_log = request.stream_build_log;
        let asked = tokio::select! {
            asked = self.0.scheduler.request(build_request(call, request)) => asked,
            _ = conn.closed() => return Err(RawError::close_client()),
        };
        let last = match asked {
            Ok(ticket) if streams_log => {
                send_log(conn, &ticket).await?;
                let result = ticket.ended().await;
                last_response(&ticket, &result, Vec::new())
            }
            Ok(ticket) => {
                let result = tokio::select! {
                    result = ticket.ended() => result,
                    _ = conn.closed() => return Err(RawError::close_client()),
                };
                last_response(&ticket, &result, whole(ticket.log()))
            }
            Err(error) => refusal(&error),
        };
        conn.write_value(&last).await?;
        Ok(())
    }
}

fn build_request(call: &Call, request: BuildImageRequest) -> BuildRequest {
    let span = |span: gob::Duration| span.to_std().unwrap_or_default();
    BuildRequest {
        stream: request.stream_name,
        variables: request.variables,
        branch: request.git_branch,
        max_source_age: Some(span(request.max_source_age)).filter(|age| !age.is_zero()),
        expires_in: span(request.expires_in),
        maximum_duration: span(request.maximum_build_duration),
        delivery: if request.return_image {
            Delivery::Return
        } else {
            Delivery::Publish
        },
        disable_recursive_build: request.disable_recursive_build,
        cancel_on_disconnect: request.cancel_on_disconnect,
        requester: BuildRequester {
            username: call.caller.username.clone(),
            groups: call.caller.groups.iter().cloned().collect(),
            is_privileged: call.have_method_access,
        },
    }
}

/// Sends the log as it grows, to its end. Everything is flushed when it returns.
async fn send_log(conn: &mut Conn, ticket: &Ticket) -> Result<(), RawError> {
    let mut log = ticket.log().follow(0);
    let mut flush_at: Option<Instant> = None;
    loop {
        let flush_due = async {
            match flush_at {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // In this order: a log that never pauses must not keep a caller waiting.
            biased;
            () = flush_due => {
                conn.flush().await?;
                flush_at = None;
            }
            piece = log.next(PIECE_BYTES) => match piece {
                Some(piece) => {
                    let message = BuildImageResponse { build_log: piece.to_vec(), ..BuildImageResponse::default() };
                    conn.write_value(&message).await?;
                    flush_at.get_or_insert_with(|| Instant::now() + FLUSH_DELAY);
                }
                None => break,
            },
            _ = conn.closed() => return Err(RawError::close_client()),
        }
    }
    conn.flush().await?;
    Ok(())
}

/// All of a log that is complete.
fn whole(log: &BuildLog) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let piece = log.read(bytes.len() as u64, PIECE_BYTES);
        if piece.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(&piece);
    }
}

/// The message that ends the conversation: with an image, or a name, or an error, and never with two of them.
fn last_response(ticket: &Ticket, result: &BuildResult, build_log: Vec<u8>) -> BuildImageResponse {
    let mut response = BuildImageResponse {
        build_log,
        ..BuildImageResponse::default()
    };
    match &result.outcome {
        Ok(built) => match ticket.build().image() {
            Some(image) => response.image = Some(image.as_ref().clone()),
            None => response.image_name = built.name.clone(),
        },
        Err(failure) => {
            response.error_string = failure.text.as_str().into();
            if let Some(needed) = &failure.needs {
                response.need_source_image = true;
                response.source_image = needed.stream.clone();
                response.source_image_build_variables = needed.variables.clone();
                response.source_image_git_commit_id = needed.commit.clone();
            }
        }
    }
    let is_empty = response.image.is_none() && response.image_name.is_empty();
    if is_empty && response.error_string.is_empty() {
        // A caller that is told nothing waits for ever.
        response.error_string =
            "internal error: the build ended without an image and without an error".into();
    }
    response
}

fn refusal(error: &RequestError) -> BuildImageResponse {
    BuildImageResponse {
        error_string: error.to_string().into(),
        ..BuildImageResponse::default()
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
