//! `get-image-updates`: the stream of changes, as it comes.

use flags::Verb;
use image_client::updates::Update;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-image-updates";
pub(super) const DOING: &str = "error getting image updates";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "print changes as they happen, until interrupted").group("look")
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let json = session.is_json();
    // The connection is borrowed for as long as this runs, output goes beside it.
    let mut server = image_client::ImageServer::new(session.take_connection().await?);
    let mut updates = server.updates().await?;
    let mut initial = true;
    loop {
        let (word, name) = match updates.next().await? {
            Update::Directory(directory) => (if initial { "DIR" } else { "MKDIR" }, directory.name),
            Update::Image(name) => (if initial { "INIT" } else { "ADD" }, name),
            Update::ImageDeleted(name) => ("DELETE", name),
            Update::DirectoryDeleted(name) => ("DELETE DIRECTORY", name),
            Update::InitialListEnds => {
                initial = false;
                ("INITIAL list received", String::new())
            }
            Update::Unknown(operation) => ("UNKNOWN OPERATION", operation.to_string()),
        };
        if json {
            session.out.json(&serde_json::json!({ "Event": word, "Name": name }))?;
        } else if name.is_empty() {
            session.out.line(word)?;
        } else {
            session.out.line(format!("{word}: {name}"))?;
        }
        // Changes are shown as they happen; the initial list in one go.
        if !initial {
            session.out.flush()?;
        }
    }
}
