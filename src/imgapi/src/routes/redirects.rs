//! Paths of earlier services, and the documentation (imgapi.md §17).

use repository::Uuid;

use crate::answer::Answer;
use crate::request::Asked;

/// `GET /datasets`.
pub(super) fn list_datasets() -> Answer {
    moved("/images")
}

/// `GET /`, `GET /docs`.
pub(super) fn docs() -> Answer {
    moved("/docs/")
}

/// `GET /datasets/ARGUMENT`. The original leads to paths that it does not have.
pub(super) fn dataset(asked: &Asked) -> Answer {
    let argument = asked.argument.as_deref().unwrap_or_default();
    let parts: Vec<&str> = argument.split(':').collect();
    moved(&match parts.as_slice() {
        [one] if Uuid::parse(one).is_some() => format!("/images/{one}"),
        [name, version] | [_, _, name, version] => format!("/images?name={name}&version={version}"),
        [_, _, name] | [name] => format!("/images?name={name}"),
        _ => "/images".to_owned(),
    })
}

fn moved(location: &str) -> Answer {
    Answer::empty(301).with("location", location)
}
