//! The stock Node client, `sdc-clients`, lives the life of an image with our repository, as it does with the original.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Imgapi, Repository};
use integration::repository_tool::RepositoryTool;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Directory with `node_modules`, in which `npm install sdc-clients` was run.
const MODULES_VARIABLE: &str = "IMAGEWRIGHT_NODE_CLIENT";

fn start(configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

/// Runs the life with these arguments; every step must go well.
fn live(arguments: &[&str]) {
    let modules = std::env::var_os(MODULES_VARIABLE).expect("scripts/test-node.sh sets it");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/life.js");
    let output = Command::new("node")
        .arg(script)
        .args(arguments)
        .env("NODE_PATH", Path::new(&modules).join("node_modules"))
        .env_remove("SSH_AUTH_SOCK")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{arguments:?}: {}", out.lines().last().unwrap_or_default());
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
}

#[test]
#[ignore = "takes the stock Node client: scripts/test-node.sh"]
fn an_image_lives_without_signatures() {
    let (_repository, daemon) = start(json!({}));
    live(&[&daemon.url()]);
}

#[test]
#[ignore = "takes the stock Node client: scripts/test-node.sh"]
fn an_image_lives_with_signatures_of_every_kind_of_key_and_on_channels() {
    let tool = RepositoryTool::new("").unwrap();
    let kinds = ["rsa", "ecdsa", "ed25519"];
    let keys: Vec<String> = kinds
        .iter()
        .map(|kind| tool.make_key(kind, kind).unwrap())
        .collect();
    let (_repository, daemon) = start(json!({
        "authType": "signature", "authKeys": { "joe": keys },
        "channels": [
            { "name": "dev", "description": "all", "default": true },
            { "name": "release", "description": "what is released" },
        ],
    }));
    for kind in kinds {
        let key = tool.home().join(kind);
        live(&[&daemon.url(), "joe", key.to_str().unwrap(), "--channels"]);
    }
}

#[test]
#[ignore = "takes the stock Node client: scripts/test-node.sh"]
fn images_come_from_another_repository_with_what_they_are_based_on() {
    let (_source, source) = start(json!({}));
    let tool = RepositoryTool::new(&source.url()).unwrap();
    fs::write(tool.home().join("a.tar"), [7; 100_000]).unwrap();
    let mut origin = String::new();
    for name in ["base", "child"] {
        let fields = [
            "version=1",
            "type=other",
            "os=linux",
            "public=true",
            "owner=352971aa-31ba-496c-9ade-a379feaecd52",
        ];
        let (name, based) = (format!("name={name}"), format!("origin={origin}"));
        let mut arguments = vec!["create", &name, &based, "-f", "a.tar"];
        arguments.extend(fields);
        let made = tool.must(&arguments).unwrap();
        origin = made.split_whitespace().nth(2).unwrap().to_owned();
    }
    let (_repository, daemon) = start(json!({}));
    live(&[&daemon.url(), &format!("--source={},{origin}", source.url())]);
}

#[test]
#[ignore = "takes the stock Node client: scripts/test-node.sh"]
fn accounts_of_a_datacenter_clone_and_copy_images() {
    let of = |name: &str| json!({ "mode": "dc", "datacenterName": name, "adminUuid": "930896af-bf8c-48d4-885c-6573a94b1853" });
    let (_west, west) = start(of("west"));
    let mut configuration = of("east");
    configuration["imgapiUrlFromDatacenter"] = json!({ "west": west.url() });
    let (_east, east) = start(configuration);
    live(&[&east.url(), &format!("--datacenter=west,{}", west.url())]);
}
