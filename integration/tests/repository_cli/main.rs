//! `imgapi-cli` against the real daemon.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

mod callers;
mod failures;
mod life;
mod lists;
mod transfers;

use integration::repository::{Imgapi, Repository};
use integration::repository_tool::RepositoryTool;
use serde_json::Value;

const OWNER: &str = "352971aa-31ba-496c-9ade-a379feaecd52";
const OTHER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";

fn started(configuration: Value) -> (Repository, Imgapi, RepositoryTool) {
    let repository = Repository::new(configuration).unwrap();
    let daemon = repository.start().unwrap();
    let tool = RepositoryTool::new(&daemon.url()).unwrap();
    (repository, daemon, tool)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

/// The uuid in `Imported image UUID (…`.
fn uuid_in(line: &str) -> String {
    let uuid = line.split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(uuid.len(), 36, "{line}");
    uuid
}

fn created(tool: &RepositoryTool, name: &str, more: &[&str]) -> String {
    let fields = [
        "create",
        &format!("name={name}"),
        "version=1.0",
        "type=other",
        "os=linux",
        "public=true",
        &format!("owner={OWNER}"),
    ]
    .map(str::to_owned);
    let mut arguments = fields.to_vec();
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    uuid_in(&tool.must(&arguments).unwrap())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
