//! `get-page-token [method...]`: a token with which the pages do what methods do. Only this implementation's image builder has it.

use flags::Verb;
use protocol::imaginator::{GetPageTokenRequest, GetPageTokenResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "get-page-token";
pub(super) const DOING: &str = "error getting page token";

pub(super) fn verb() -> Verb {
    Verb::new(
        NAME,
        "[method]",
        "print a token that lets the pages do what you may do, for an hour",
    )
    .group(CONTROL)
    .examples(&[
        "builder-tool get-page-token # for all buttons of the pages",
        "builder-tool get-page-token CancelBuild # for this one",
    ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let request = GetPageTokenRequest {
        methods: arguments.to_vec(),
        ..GetPageTokenRequest::default()
    };
    let reply: GetPageTokenResponse = session.call("GetPageToken", &request).await?;
    refusal(&reply.error)?;
    if session.options.json {
        let text = image::go_json::to_line(&reply)?;
        print!("{}", String::from_utf8_lossy(&text));
    } else {
        println!("{}", reply.token);
    }
    Ok(())
}
