//! Keys, agents and profiles: as whom, and which repository.

use crate::{json_of, started};
use integration::repository_tool::{RepositoryTool, SshAgent};
use serde_json::json;

#[test]
fn every_kind_of_key_signs_from_a_file_and_from_an_agent() {
    let tool = RepositoryTool::new("").unwrap();
    let kinds = ["ed25519", "ecdsa", "rsa"];
    let keys: Vec<String> = kinds
        .iter()
        .map(|kind| tool.make_key(kind, kind).unwrap())
        .collect();
    let (_repository, daemon, _) = started(json!({ "authType": "signature", "authKeys": { "joe": keys } }));
    let mut tool = tool;
    tool.set("IMGAPI_CLI_URL", daemon.url());
    let user = |outcome: &str| json_of(outcome)["user"].clone();
    for kind in kinds {
        assert_eq!(
            user(&tool.must(&["-u", "joe", "-i", kind, "ping"]).unwrap()),
            "joe",
            "{kind}"
        );
        let directory = tempfile::tempdir().unwrap();
        let agent = SshAgent::with_key(directory.path(), &tool.home().join(kind)).unwrap();
        tool.set("SSH_AUTH_SOCK", agent.socket.to_str().unwrap());
        let public = format!("{kind}.pub");
        assert_eq!(
            user(&tool.must(&["-u", "joe", "-i", &public, "ping"]).unwrap()),
            "joe",
            "{kind}"
        );
        // What needs a signature: another user has none.
        tool.must(&["-u", "joe", "-i", &public, "state"]).unwrap();
        assert_eq!(tool.run(&["-u", "jim", "-i", &public, "state"]).unwrap().code, 4);
    }
    let absent = tool.run(&["-u", "joe", "-i", "nosuch", "ping"]).unwrap();
    assert!(
        absent.code == 3
            && absent
                .err
                .contains("nosuch is no file, and no key of an SSH agent"),
        "{absent:?}"
    );
}

#[test]
fn profiles_say_which_repository_and_as_whom() {
    let (_repository, daemon, mut tool) = started(json!({}));
    let url = daemon.url();
    tool.set("IMGAPI_CLI_URL", "http://127.0.0.1:9");
    tool.must(&["--url", &url, "-C", "dev", "profiles", "set", "lab"])
        .unwrap();
    assert_eq!(
        tool.run(&["ping"]).unwrap().code,
        1,
        "the environment counts more than a profile nobody named"
    );
    tool.must(&["-P", "lab", "ping"]).unwrap();
    assert!(
        tool.must(&["profiles"])
            .unwrap()
            .contains("lab   -        http://127.0.0.1")
    );
    assert_eq!(tool.run(&["-P", "production", "ping"]).unwrap().code, 2);
    tool.must(&["profiles", "remove", "lab"]).unwrap();
    assert_eq!(tool.run(&["-P", "lab", "ping"]).unwrap().code, 2);
}
