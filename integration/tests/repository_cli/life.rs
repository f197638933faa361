//! An image as its users live it.

use crate::{OTHER, OWNER, bytes, created, json_of, started, uuid_in};
use integration::repository_tool::RepositoryTool;
use serde_json::{Value, json};
use std::fs;

#[test]
fn an_image_lives_as_the_original_s_users_know_it() {
    let mut tool = RepositoryTool::new("").unwrap();
    let keys = [tool.make_key("ed25519", "id").unwrap()];
    let (_repository, daemon, _) = started(json!({
        "authType": "signature", "authKeys": { "joe": keys },
        "channels": [
            { "name": "dev", "description": "all", "default": true },
            { "name": "release", "description": "what is released" },
        ],
    }));
    tool.set("IMGAPI_CLI_URL", daemon.url());

    // Nobody may write, and is told what would help.
    fs::write(tool.home().join("base.tar.gz"), bytes(3_000_000)).unwrap();
    let refused = tool.run(&["create", "name=x"]).unwrap();
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused
            .err
            .starts_with("imgapi-cli: error (UnauthorizedError): Unauthorized\ntry: --user"),
        "{refused:?}"
    );

    tool.set("IMGAPI_CLI_USER", "joe");
    tool.set("IMGAPI_CLI_IDENTITY", "id");
    assert_eq!(json_of(&tool.must(&["ping"]).unwrap())["user"], "joe");

    // Made, given its file, activated: three commands.
    let uuid = created(&tool, "base", &["tags.role=db"]);
    let nothing = tool.run(&["activate", &uuid]).unwrap();
    assert_eq!(
        (nothing.code, nothing.err.contains("(NoActivationNoFile)")),
        (1, true),
        "{nothing:?}"
    );
    let added = tool.must(&["add-file", &uuid, "-f", "base.tar.gz"]).unwrap();
    assert_eq!(
        added,
        format!("Added file \"base.tar.gz\" (compression \"gzip\") to image {uuid}\n")
    );
    assert_eq!(
        tool.must(&["activate", &uuid]).unwrap(),
        format!("Activated image {uuid}\n")
    );

    // Seen.
    let listed = tool
        .must(&["list", "-H", "-o", "uuid,name,size,flags,channels", "name=~bas"])
        .unwrap();
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>(),
        [uuid.as_str(), "base", "3000000", "P", "dev"]
    );
    assert_eq!(tool.must(&["list", "-j", "name=nosuch"]).unwrap(), "[]\n");
    let manifest = json_of(&tool.must(&["get", &uuid]).unwrap());
    assert_eq!(manifest["tags"], json!({"role": "db"}));
    tool.must(&["get-file", &uuid, "-O"]).unwrap();
    assert!(fs::read(tool.home().join(format!("{uuid}-file.gz"))).unwrap() == bytes(3_000_000));

    // Changed.
    tool.must(&[
        "update",
        &uuid,
        "description=for tests",
        "tags.n=1",
        "homepage=http://example.com",
    ])
    .unwrap();
    let manifest = json_of(&tool.must(&["get", &uuid]).unwrap());
    assert_eq!(
        manifest["tags"],
        json!({"role": "db", "n": 1}),
        "one key changed, the other stays"
    );
    tool.must(&["update", &uuid, "homepage=", "tags.role="]).unwrap();
    let manifest = json_of(&tool.must(&["get", &uuid]).unwrap());
    assert_eq!(
        (manifest.get("homepage"), &manifest["tags"]),
        (None, &json!({"n": 1}))
    );
    tool.must(&["disable", &uuid]).unwrap();
    assert_eq!(tool.must(&["list", "-H"]).unwrap(), "");
    let enabled = tool.must(&["enable", &uuid]).unwrap();
    assert_eq!(
        enabled,
        format!("Enabled image {uuid} (state is now \"active\")\n")
    );
    tool.must(&["add-acl", &uuid, OTHER]).unwrap();
    assert_eq!(tool.must(&["acl", &uuid]).unwrap(), format!("{OTHER}\n"));
    tool.must(&["remove-acl", &uuid, OTHER]).unwrap();
    assert_eq!(tool.must(&["acl", &uuid]).unwrap(), "");

    // An icon.
    let icon = [b"\x89PNG\r\n\x1a\n".as_slice(), &bytes(1000)].concat();
    fs::write(tool.home().join("icon.png"), &icon).unwrap();
    tool.must(&["add-icon", &uuid, "-f", "icon.png"]).unwrap();
    tool.must(&["get-icon", &uuid, "-O"]).unwrap();
    assert!(fs::read(tool.home().join(format!("{uuid}-icon.png"))).unwrap() == icon);
    tool.must(&["delete-icon", &uuid]).unwrap();
    assert_eq!(tool.run(&["get-icon", &uuid]).unwrap().code, 3);

    // Promoted, and taken back; a channel's last image is not deleted by taking it away.
    assert_eq!(
        tool.must(&["channels", "-H", "-o", "name,default"]).unwrap(),
        "dev      true\nrelease  -\n"
    );
    tool.must(&["channel-add", "release", &uuid]).unwrap();
    assert!(tool.must(&["-C", "release", "list"]).unwrap().contains(&uuid));
    tool.must(&["channel-remove", "dev", &uuid]).unwrap();
    assert_eq!(tool.run(&["get", &uuid]).unwrap().code, 3);
    let last = tool.run(&["channel-remove", "release", &uuid]).unwrap();
    assert!(
        last.code == 1 && last.err.contains("it would be deleted"),
        "{last:?}"
    );

    // Gone.
    let planned = tool
        .must(&["-C", "release", "delete", "--dry-run", &uuid])
        .unwrap();
    assert!(
        planned.starts_with(&format!("would delete {uuid} (base, 1.0")),
        "{planned}"
    );
    let deleted = tool.must(&["-C", "release", "delete", &uuid]).unwrap();
    assert_eq!(deleted, format!("Deleted image {uuid}\n"));
    let gone = tool.run(&["-C", "*", "get", &uuid]).unwrap();
    assert_eq!(gone.code, 3);
    assert_eq!(
        gone.err,
        format!("imgapi-cli: error (ResourceNotFound): image {uuid} not found\n")
    );
    tool.must(&["reload-auth-keys"]).unwrap();
    assert!(json_of(&tool.must(&["state"]).unwrap())["storageTypes"].is_array());
}

#[test]
fn one_command_makes_an_image_and_what_fails_behind_it_leaves_none() {
    let (_repository, daemon, tool) = started(json!({}));
    fs::write(tool.home().join("a.tar.xz"), bytes(100_000)).unwrap();
    let uuid = created(&tool, "whole", &["-f", "a.tar.xz"]);
    let manifest = json_of(&tool.must(&["get", &uuid]).unwrap());
    assert_eq!(
        (&manifest["state"], &manifest["files"][0]["compression"]),
        (&json!("active"), &json!("xz"))
    );

    // Somebody who reads one line and goes, such as `head -1`, undoes nothing.
    let mut command = tool
        .command(&["create", "name=head", "-m", "m.json", "-f", "a.tar.xz"])
        .unwrap();
    let mut fields = manifest.as_object().unwrap().clone();
    fields.retain(|field, _| ["name", "version", "type", "os", "owner", "public"].contains(&field.as_str()));
    fs::write(tool.home().join("m.json"), Value::Object(fields).to_string()).unwrap();
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    let unread = tool.must(&["list", "-H", "-o", "uuid", "name=head"]).unwrap();
    tool.must(&["delete", unread.trim()]).unwrap();

    // Exported and, under the same uuid, taken in again.
    tool.must(&["export", &uuid, "--to", "."]).unwrap();
    tool.must(&["delete", &uuid]).unwrap();
    tool.must(&["import", "-m", "whole-1.0.imgmanifest", "-f", "whole-1.0.zfs.xz"])
        .unwrap();
    let again = json_of(&tool.must(&["get", &uuid]).unwrap());
    assert_eq!(
        (&again["published_at"], &again["files"]),
        (&manifest["published_at"], &manifest["files"])
    );

    // A file that is not the one the manifest names is not sent, and nothing is left.
    tool.must(&["delete", &uuid]).unwrap();
    fs::write(tool.home().join("whole-1.0.zfs.xz"), bytes(99_999)).unwrap();
    let wrong = tool
        .run(&["import", "-m", "whole-1.0.imgmanifest", "-f", "whole-1.0.zfs.xz"])
        .unwrap();
    assert!(
        wrong.code == 1 && wrong.err.contains("the file has the SHA-1"),
        "{wrong:?}"
    );
    assert!(wrong.err.contains("Deleted image"), "{wrong:?}");
    assert_eq!(tool.must(&["list", "-a", "-H"]).unwrap(), "");

    // A file that is not there is found out before anything is made.
    let absent = tool.run(&["create", "name=x", "-f", "absent.gz"]).unwrap();
    assert_eq!((absent.code, absent.out.as_str()), (3, ""));
    drop(daemon);
}

#[test]
fn a_file_by_standard_input_and_manifests_too() {
    let (_repository, _daemon, tool) = started(json!({}));
    let manifest = json!({ "name": "piped", "version": "2", "type": "other", "os": "linux", "owner": OWNER, "public": true });
    let made = tool
        .run_with(&["create"], manifest.to_string().as_bytes())
        .unwrap();
    assert_eq!(made.code, 0, "{made:?}");
    let uuid = uuid_in(&made.out);
    let unsaid = tool.run_with(&["add-file", &uuid, "-f", "-"], b"x").unwrap();
    assert_eq!(unsaid.code, 2, "{unsaid:?}");
    let content = bytes(2_000_000);
    let sent = tool
        .run_with(&["add-file", &uuid, "-f", "-", "-c", "none"], &content)
        .unwrap();
    assert_eq!(sent.code, 0, "{sent:?}");
    // To standard output, and the bytes are those.
    let mut command = tool.command(&["get-file", &uuid]).unwrap();
    assert!(command.output().unwrap().stdout == content);
    let changes = json!({ "description": "piped as well" }).to_string();
    let updated = tool
        .run_with(&["update", &uuid, "-f", "-"], changes.as_bytes())
        .unwrap();
    assert_eq!(updated.code, 0, "{updated:?}");
    assert_eq!(
        json_of(&tool.must(&["get", &uuid]).unwrap())["description"],
        "piped as well"
    );
}
