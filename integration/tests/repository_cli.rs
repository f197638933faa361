//! `imgapi-cli` against the real daemon: the life of an image as its users live it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::cut_proxy::{CutProxy, Fault};
use integration::repository::{Imgapi, Repository};
use integration::repository_tool::{RepositoryTool, SshAgent};
use serde_json::{Value, json};
use std::fs;

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

#[test]
fn what_breaks_on_the_way_goes_on_in_both_directions() {
    let (_repository, daemon, mut tool) = started(json!({}));
    let content = bytes(20 << 20);
    fs::write(tool.home().join("large.zfs"), &content).unwrap();
    let uuid = created(&tool, "large", &[]);

    // Each way lets less through than the file has; the next command goes on.
    let up = CutProxy::new(daemon.address(), Fault::CutToServer(12 << 20)).unwrap();
    let mut cut = RepositoryTool::new(&format!("http://127.0.0.1:{}", up.port())).unwrap();
    let file = tool.home().join("large.zfs");
    let file = file.to_str().unwrap();
    let broken = cut.run(&["add-file", &uuid, "-f", file]).unwrap();
    assert_eq!(broken.code, 1, "{broken:?}");
    let straight = CutProxy::new(daemon.address(), Fault::None).unwrap();
    tool.set("IMGAPI_CLI_URL", format!("http://127.0.0.1:{}", straight.port()));
    tool.must(&["add-file", &uuid, "-f", file]).unwrap();
    let (sent, _) = straight.bytes();
    assert!(
        sent < 12 << 20,
        "{sent} bytes went over although most of the file was there"
    );
    tool.must(&["activate", &uuid]).unwrap();

    let down = CutProxy::new(daemon.address(), Fault::CutToClient(12 << 20)).unwrap();
    cut.set("IMGAPI_CLI_URL", format!("http://127.0.0.1:{}", down.port()));
    let broken = cut.run(&["get-file", &uuid, "-o", "large"]).unwrap();
    assert!(
        broken.code == 1 && broken.err.contains("try: the same again"),
        "{broken:?}"
    );
    assert!(!cut.home().join("large").exists(), "no half file under the name");
    cut.set("IMGAPI_CLI_URL", daemon.url());
    let whole = cut.run(&["get-file", &uuid, "-o", "large"]).unwrap();
    assert!(
        whole.code == 0 && whole.err.contains("were here from an earlier attempt"),
        "{whole:?}"
    );
    assert!(fs::read(cut.home().join("large")).unwrap() == content);
    let left: Vec<_> = fs::read_dir(cut.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["large"]);
}

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

#[test]
fn lists_longer_than_a_page_come_whole_and_a_reader_that_goes_away_is_no_failure() {
    const IMAGES: usize = 2_345;
    let repository = Repository::new(json!({})).unwrap();
    let manifests = repository.base().join("manifests");
    fs::create_dir_all(&manifests).unwrap();
    for number in 0..IMAGES {
        let uuid = format!("{number:08x}-0000-4000-8000-000000000000");
        // Dates that many have in common: pages must not depend on them.
        let record = json!({
            "v": 2, "uuid": uuid, "owner": OWNER, "name": format!("n{}", number % 10), "version": "1", "disabled": false,
            "activated": true, "public": true, "published_at": format!("2020-01-{:02}T00:00:00.000Z", number % 3 + 1),
            "state": "active", "type": "other", "os": "linux",
            "files": [{ "sha1": "a", "size": 1, "compression": "none", "contentMD5": "b", "mtime": "2020-01-01T00:00:00Z", "stor": "local" }],
        });
        fs::write(manifests.join(format!("{uuid}.raw")), record.to_string()).unwrap();
    }
    let daemon = repository.start().unwrap();
    let tool = RepositoryTool::new(&daemon.url()).unwrap();
    let names = |text: &str| {
        let mut names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        names.len()
    };
    assert_eq!(names(&tool.must(&["list", "-H", "-o", "uuid"]).unwrap()), IMAGES);
    assert_eq!(
        json_of(&tool.must(&["list", "-j"]).unwrap())
            .as_array()
            .unwrap()
            .len(),
        IMAGES
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "uuid", "-l", "1500"]).unwrap()),
        1500
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "uuid", "name=n3"]).unwrap()),
        235
    );
    assert_eq!(
        names(&tool.must(&["list", "-H", "-o", "name", "--latest"]).unwrap()),
        10
    );

    let mut child = tool.command(&["list", "-j"]).unwrap();
    let mut child = child
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), ended.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[test]
fn images_of_another_repository_come_with_what_they_are_based_on_and_jobs_are_waited_for() {
    let (_source, source_daemon, there) = started(json!({}));
    fs::write(there.home().join("a.tar"), bytes(50_000)).unwrap();
    let base = created(&there, "base", &["-f", "a.tar"]);
    let child = created(&there, "child", &["-f", "a.tar", &format!("origin={base}")]);
    let planned = there.must(&["delete", "--dry-run", &base]).unwrap();
    assert!(
        planned.contains(&format!("stands in the way: {child}")),
        "{planned}"
    );
    let shown = there.must(&["list", "--tree", "-H", "-o", "uuid"]).unwrap();
    assert_eq!(shown, format!("{base}\n `- {child}\n"));

    let (_target, _target_daemon, here) = started(json!({}));
    let source = source_daemon.url();
    let started = here
        .must(&["import-remote", &child, "--source", &source, "--no-wait", "-j"])
        .unwrap();
    let job = json_of(&started)["job_uuid"].as_str().unwrap().to_owned();
    assert_eq!(
        here.must(&["wait-job", &job]).unwrap(),
        format!("Job {job} succeeded\n")
    );
    assert!(here.must(&["jobs", &child]).unwrap().contains(&job));
    assert_eq!(
        json_of(&here.must(&["job", &job]).unwrap())["execution"],
        "succeeded"
    );
    here.must(&["wait", &base]).unwrap();
    assert_eq!(
        json_of(&here.must(&["get", &child]).unwrap())["origin"],
        json!(base)
    );

    // The original's spelling waits by itself.
    here.must(&["delete", &child]).unwrap();
    let imported = here.must(&["import", &child, "-S", &source]).unwrap();
    assert_eq!(
        imported,
        format!("Imported image {child} (child, 1.0, state=active)\n")
    );
    let again = here.run(&["import", &child, "-S", &source]).unwrap();
    assert!(
        again.code == 1 && again.err.contains("(ImageUuidAlreadyExists)"),
        "{again:?}"
    );
    let nobody = here
        .run(&["import-remote", OTHER, "-S", "http://127.0.0.1:9"])
        .unwrap();
    assert!(nobody.err.contains("(RemoteSourceError)"), "{nobody:?}");
    // Waiting has an end.
    let late = here.run(&["wait", OTHER, "--timeout", "300ms"]).unwrap();
    let sentence = format!("imgapi-cli: error: image {OTHER} is still not there after 300ms, not active\n");
    assert_eq!((late.code, late.err.as_str()), (1, sentence.as_str()));
}

#[test]
fn a_failure_says_who_was_asked_what_is_wrong_and_what_would_help() {
    let (_repository, daemon, tool) = started(json!({}));
    let said = |outcome: integration::tool::Outcome, code: i32, parts: &[&str]| {
        for part in parts {
            assert!(
                outcome.code == code && outcome.err.contains(part),
                "{part}: {outcome:?}"
            );
        }
    };
    let elsewhere = tool.run(&["--url", "http://127.0.0.1:9", "list"]).unwrap();
    said(
        elsewhere,
        1,
        &[
            "http://127.0.0.1:9",
            "cannot connect: Connection refused",
            "try: --url",
        ],
    );
    said(
        tool.run(&["wait", OTHER, "--state", "actve"]).unwrap(),
        2,
        &["active"],
    );
    said(tool.run(&["get", "base"]).unwrap(), 2, &["not a UUID"]);
    said(
        tool.run(&["create", "-m", "nosuch.json"]).unwrap(),
        3,
        &["cannot read nosuch.json"],
    );
    // A filter that does nothing would show every image as if it were one that was looked for.
    said(
        tool.run(&["list", "nmae=base"]).unwrap(),
        0,
        &["\"nmae\" is no filter"],
    );
    said(
        tool.run(&["list", "name=base", "tag.a=b", "state=all"]).unwrap(),
        0,
        &[""],
    );

    fs::write(tool.home().join("a.tar"), bytes(5_000)).unwrap();
    let bare = created(&tool, "bare", &[]);
    let planned = tool.must(&["delete", "--dry-run", &bare]).unwrap();
    assert!(!planned.contains("with its"), "{planned}");
    let base = created(&tool, "base", &["-f", "a.tar"]);
    let planned = tool.must(&["delete", "--dry-run", &base]).unwrap();
    assert!(planned.ends_with("with its file\n"), "{planned}");
    tool.must(&["export", &base, "--to", "exported"]).unwrap();
    assert!(tool.home().join("exported/base-1.0.imgmanifest").exists());

    // The short names of compressed archives say what they are, too.
    fs::write(tool.home().join("a.tgz"), bytes(100)).unwrap();
    let short = created(&tool, "short", &["-f", "a.tgz"]);
    assert_eq!(
        json_of(&tool.must(&["get", &short]).unwrap())["files"][0]["compression"],
        "gzip"
    );

    // A job tells which step failed, and which rule was broken.
    let (_private, private, there) = started(json!({"mode": "private"}));
    let refused = there.run(&["import", &base, "-S", &daemon.url()]).unwrap();
    said(
        refused,
        1,
        &[
            "import_image: failed",
            "public images are not allowed on a private Images API",
        ],
    );
    drop(private);

    // Whoever uses a profile may be in another directory than whoever made it.
    fs::write(tool.home().join("key"), "").unwrap();
    tool.must(&["-u", "me", "-i", "key", "profiles", "set", "lab"])
        .unwrap();
    let key = tool.home().join("key");
    assert!(tool.must(&["profiles"]).unwrap().contains(key.to_str().unwrap()));
}
