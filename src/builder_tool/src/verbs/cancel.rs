//! `cancel stream-or-number`: ends builds that wait or run. Only this implementation's image builder can do that.

use flags::Verb;
use protocol::imaginator::{CancelBuildRequest, CancelBuildResponse};

use super::BUILD;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "cancel";
pub(super) const DOING: &str = "error cancelling";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "stream-or-number", "end builds that wait or run")
        .group(BUILD)
        .examples(&[
            "builder-tool cancel users/fred/test # all builds of the stream",
            "builder-tool cancel 17 # the one with this number, which the pages show",
        ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let name = &arguments[0];
    let request = match name.parse() {
        Ok(number) => CancelBuildRequest {
            build_number: number,
            ..CancelBuildRequest::default()
        },
        Err(_) => CancelBuildRequest {
            stream_name: name.clone(),
            ..CancelBuildRequest::default()
        },
    };
    let reply: CancelBuildResponse = session.call("CancelBuild", &request).await?;
    refusal(reply.error)?;
    match reply.cancelled {
        1 => println!("1 build cancelled"),
        count => println!("{count} builds cancelled"),
    }
    Ok(())
}
