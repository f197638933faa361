//! What the image server's methods answer, where neither a recorded conversation nor a test of the actors shows it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use gob::Time;
use image::Image;
use integration::images::{add, add_trusted, delete, get, image, make_directory, names, put, store};
use integration::plain_call::{call, connect};
use integration::secured::Secured;
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::Shutdown;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

/// Every method but the built-in ones; P: public, U: open without a certificate where `-allowUnauthenticatedReads`
/// says so (`imageserver.md §1.1`).
const METHODS: &[(&str, &str)] = &[
    ("ImageServer.AddImage", ""),
    ("ImageServer.AddImageTrusted", ""),
    ("ImageServer.ChangeImageExpiration", "P"),
    ("ImageServer.CheckDirectory", "PU"),
    ("ImageServer.CheckImage", "PU"),
    ("ImageServer.ChownDirectory", "P"),
    ("ImageServer.DeleteDirectory", ""),
    ("ImageServer.DeleteImage", "P"),
    ("ImageServer.DeleteUnreferencedObjects", ""),
    ("ImageServer.FindLatestImage", "PU"),
    ("ImageServer.GetFilteredImageUpdates", "PU"),
    ("ImageServer.GetImage", "PU"),
    ("ImageServer.GetImageArchive", "PU"),
    ("ImageServer.GetImageComputedFiles", "PU"),
    ("ImageServer.GetImageExpiration", "PU"),
    ("ImageServer.GetImageInodes", "PU"),
    ("ImageServer.GetImageUpdates", "PU"),
    ("ImageServer.GetImageUsageEstimate", "PU"),
    ("ImageServer.GetObjectStatisticsForImages", "PU"),
    ("ImageServer.GetReplicationMaster", "PU"),
    ("ImageServer.ImportTree", ""),
    ("ImageServer.ListDamaged", "PU"),
    ("ImageServer.ListDirectories", "PU"),
    ("ImageServer.ListImages", "PU"),
    ("ImageServer.ListSelectedImages", "PU"),
    ("ImageServer.ListUnreferencedObjects", "PU"),
    ("ImageServer.MakeDirectory", ""),
    ("ImageServer.RestoreImageFromArchive", ""),
    ("ImageServer.Scrub", ""),
    ("ImageServer.ScrubStatus", ""),
    ("Logger.Debug", ""),
    ("Logger.GetStackTrace", ""),
    ("Logger.Print", ""),
    ("Logger.SetDebugLevel", ""),
    ("Logger.Watch", ""),
    ("ObjectServer.AddObjects", ""),
    ("ObjectServer.CheckObjects", "U"),
    ("ObjectServer.GetObjects", "U"),
    ("ObjectServer.ImportObjects", ""),
    ("ObjectServer.TestBandwidth", ""),
];

fn listed(server: &ImageServer, page: &str) -> Vec<String> {
    let (status, text) = server.page(&format!("/_goSRPC_/{page}")).unwrap();
    assert_eq!(status, 200);
    text.lines()
        .filter(|line| !line.starts_with('.'))
        .map(str::to_owned)
        .collect()
}

fn with(letter: char) -> Vec<String> {
    let chosen = METHODS.iter().filter(|(_, class)| class.contains(letter));
    chosen.map(|(method, _)| (*method).to_owned()).collect()
}

#[test]
fn there_are_the_specified_methods_and_each_is_open_to_whom_it_should_be() {
    let closed = Secured::new(&[]).unwrap();
    let all: Vec<String> = METHODS.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(listed(&closed.server, "listMethods"), all);
    assert_eq!(listed(&closed.server, "listPublicMethods"), with('P'));

    let open = Secured::new(&["-allowUnauthenticatedReads"]).unwrap();
    for (method, class) in METHODS {
        let mut stream = connect(open.server.address()).unwrap();
        let request = format!("{method}\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        stream.get_mut().shutdown(Shutdown::Write).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let expected = if class.contains('U') {
            "\n"
        } else {
            "access to method denied\n"
        };
        assert_eq!(line, expected, "{method}");
    }
}

#[test]
fn object_methods_are_public_where_a_flag_says_so() {
    let stage = Secured::new(&[
        "-allowPublicAddObjects",
        "-allowPublicCheckObjects=true",
        "-allowPublicGetObjects",
    ])
    .unwrap();
    let mut expected = with('P');
    for method in ["AddObjects", "CheckObjects", "GetObjects", "ImportObjects"] {
        expected.push(format!("ObjectServer.{method}"));
    }
    assert_eq!(listed(&stage.server, "listPublicMethods"), expected);
}

#[test]
fn members_of_trusted_groups_may_call_everything() {
    let stage = Secured::new(&["-srpcTrustedGroups=none,operators"]).unwrap();
    for (user, group) in [("olga", "operators"), ("otto", "others")] {
        stage
            .identity
            .issue(
                user,
                &["--identity", "--groups", group],
                &stage.certificates(user),
            )
            .unwrap();
    }
    stage.tool("olga").must(&["mkdir", "by-olga"]).unwrap();
    let refused = stage.tool("otto").run(&["mkdir", "by-otto"]).unwrap();
    assert!(refused.err.contains("access to method denied"), "{refused:?}");
}

#[test]
fn names_are_matched_exactly() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    make_directory(&server, "a").unwrap();
    put(&server, "a/image", &[]).unwrap();
    for (name, there) in [
        (".", true),
        ("a", true),
        ("a/", false),
        ("./a", false),
        ("", false),
    ] {
        let request = CheckDirectoryRequest {
            directory_name: name.to_owned(),
        };
        let reply: CheckDirectoryResponse =
            call(server.address(), "ImageServer.CheckDirectory", &request).unwrap();
        assert_eq!(reply.directory_exists, there, "{name:?}");
    }
    for (name, there) in [
        ("a/image", true),
        ("a//image", false),
        ("/a/image", false),
        ("a", false),
    ] {
        let request = CheckImageRequest {
            image_name: name.to_owned(),
        };
        let reply: CheckImageResponse = call(server.address(), "ImageServer.CheckImage", &request).unwrap();
        assert_eq!(reply.image_exists, there, "{name:?}");
    }
}

#[test]
fn an_image_comes_whole_or_without_its_tree_and_with_its_link() {
    let home = Home::new().unwrap();
    let template = "-informationDatabaseTemplate=https://db.example/{{.Name}}?branch={{.BuildBranch}}";
    let server = home.start_insecure(&[template]).unwrap();
    let built = |expires_at| Image {
        build_branch: "topic".to_owned(),
        expires_at,
        ..image(&[("file", b"content")])
    };
    store(&server, &[b"content"]).unwrap();
    add(&server, "stays", built(Time::ZERO)).unwrap();
    add(&server, "goes", built((SystemTime::now() + HOUR).into())).unwrap();
    let ask = |name: &str, ignore_filesystem, ignore_filesystem_if_expiring| {
        let request = GetImageRequest {
            image_name: name.to_owned(),
            ignore_filesystem,
            ignore_filesystem_if_expiring,
            ..GetImageRequest::default()
        };
        call::<_, GetImageResponse>(server.address(), "ImageServer.GetImage", &request).unwrap()
    };
    for (name, bare, bare_if_expiring, whole) in [
        ("stays", false, false, true),
        ("stays", true, false, false),
        ("stays", false, true, true),
        ("goes", false, false, true),
        ("goes", false, true, false),
    ] {
        let reply = ask(name, bare, bare_if_expiring);
        assert_eq!(reply.image.unwrap().file_system.is_some(), whole, "{name}");
        assert_eq!(
            reply.information_database_url,
            format!("https://db.example/{name}?branch=topic")
        );
    }
    let none = ask("none", false, false);
    assert!(none.image.is_none() && none.information_database_url.is_empty());
}

#[test]
fn the_latest_image_of_a_directory_is_found() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    make_directory(&server, "d").unwrap();
    make_directory(&server, "d/below").unwrap();
    make_directory(&server, "empty").unwrap();
    let at = |seconds, branch: &str, tag: &str| Image {
        created_on: Time::new(seconds, 0, gob::Zone::Utc),
        build_branch: branch.to_owned(),
        build_commit_id: format!("commit-{seconds}"),
        tags: [("os".to_owned(), tag.to_owned())].into(),
        ..image(&[])
    };
    add_trusted(&server, "d/old", at(1_000_000, "master", "a")).unwrap();
    add_trusted(&server, "d/middle", at(2_000_000, "topic", "b")).unwrap();
    let expiring = Image {
        expires_at: (SystemTime::now() + HOUR).into(),
        ..at(3_000_000, "master", "b")
    };
    add_trusted(&server, "d/new", expiring).unwrap();
    add_trusted(&server, "d/below/newer", at(4_000_000, "master", "a")).unwrap();
    let find = |directory: &str, build: &str, ignore_expiring_images, tag: &[&str]| {
        let request = FindLatestImageRequest {
            build_commit_id: build.to_owned(),
            directory_name: directory.to_owned(),
            ignore_expiring_images,
            tags_to_match: tags(tag),
        };
        let reply: FindLatestImageResponse =
            call(server.address(), "ImageServer.FindLatestImage", &request).unwrap();
        (reply.image_name, reply.error)
    };
    let found = |name: &str| (name.to_owned(), String::new());
    assert_eq!(find("d", "", false, &[]), found("d/new"));
    assert_eq!(find("d", "", true, &[]), found("d/middle"));
    assert_eq!(find("d", "master", true, &[]), found("d/old"));
    assert_eq!(find("d", "commit-2000000", false, &[]), found("d/middle"));
    assert_eq!(find("d", "", false, &["a", "c"]), found("d/old"));
    assert_eq!(find("d", "none", false, &[]), found(""));
    assert_eq!(find("empty", "", false, &[]), found(""));
    assert_eq!(
        find("unknown", "", false, &[]),
        (String::new(), "unknown directory: unknown".to_owned())
    );
}

fn tags(values: &[&str]) -> BTreeMap<String, Vec<String>> {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    if values.is_empty() {
        return BTreeMap::new();
    }
    [("os".to_owned(), values)].into()
}

#[test]
fn listings_select_by_directory_expiration_and_tags() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    make_directory(&server, "a").unwrap();
    make_directory(&server, "a/b").unwrap();
    let tagged = |tag: &str| Image {
        tags: [("os".to_owned(), tag.to_owned())].into(),
        ..image(&[])
    };
    add(&server, "a/1", tagged("x")).unwrap();
    add(&server, "a/b/2", tagged("y")).unwrap();
    add(&server, "ab", tagged("x")).unwrap();
    let expiring = Image {
        expires_at: (SystemTime::now() + HOUR).into(),
        ..tagged("x")
    };
    add(&server, "a/b/3", expiring).unwrap();
    let list = |directory: &str, ignore_expiring_images, tag: &[&str]| {
        let request = ListSelectedImagesRequest {
            directory_name: directory.to_owned(),
            ignore_expiring_images,
            tags_to_match: tags(tag),
        };
        let mut bytes = b"ImageServer.ListSelectedImages\n".to_vec();
        gob::Encoder::new().encode(&request, &mut bytes);
        lines_after(&server, &bytes)
    };
    assert_eq!(list("", false, &[]), ["a/1", "a/b/2", "a/b/3", "ab"]);
    assert_eq!(list(".", false, &[]), ["a/1", "a/b/2", "a/b/3", "ab"]);
    assert_eq!(list("a", false, &[]), ["a/1", "a/b/2", "a/b/3"]);
    assert_eq!(list("a/", false, &[]), ["a/1"]);
    assert_eq!(list("a/b", true, &[]), ["a/b/2"]);
    assert_eq!(list("", false, &["y"]), ["a/b/2"]);
    assert!(list("none", false, &[]).is_empty());
    assert_eq!(
        lines_after(&server, b"ImageServer.ListImages\n"),
        ["a/1", "a/b/2", "a/b/3", "ab"]
    );
}

/// The lines up to the empty one that ends a listing, sorted.
fn lines_after(server: &ImageServer, call: &[u8]) -> Vec<String> {
    let mut stream = connect(server.address()).unwrap();
    stream.get_mut().write_all(call).unwrap();
    let mut lines = stream.lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "", "the call is accepted");
    let mut names: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    names.sort();
    names
}

fn change_expiration(server: &ImageServer, name: &str, expires_at: Time) -> String {
    let request = ChangeImageExpirationRequest {
        expires_at,
        image_name: name.to_owned(),
    };
    let reply: ChangeImageExpirationResponse =
        call(server.address(), "ImageServer.ChangeImageExpiration", &request).unwrap();
    reply.error
}

fn expiration(server: &ImageServer, name: &str) -> Result<Time, String> {
    let request = GetImageExpirationRequest {
        image_name: name.to_owned(),
    };
    let reply: GetImageExpirationResponse =
        call(server.address(), "ImageServer.GetImageExpiration", &request).unwrap();
    if reply.error.is_empty() {
        Ok(reply.expires_at)
    } else {
        Err(reply.error)
    }
}

#[test]
fn without_certificates_expirations_have_no_limit() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let soon = SystemTime::now() + HOUR;
    let expiring = Image {
        expires_at: soon.into(),
        ..image(&[])
    };
    add(&server, "goes", expiring).unwrap();
    add(&server, "stays", image(&[])).unwrap();
    assert_eq!(expiration(&server, "stays"), Ok(Time::ZERO));
    assert_eq!(expiration(&server, "none"), Err("image not found".to_owned()));
    let in_ten_years: Time = (SystemTime::now() + 87_600 * HOUR).into();
    assert_eq!(change_expiration(&server, "goes", in_ten_years), "");
    assert_eq!(
        expiration(&server, "goes").map(|time| time.unix_seconds()),
        Ok(in_ten_years.unix_seconds())
    );
    assert_eq!(
        change_expiration(&server, "goes", soon.into()),
        "cannot shorten expiration time"
    );
    assert_eq!(change_expiration(&server, "goes", Time::ZERO), "");
    assert_eq!(expiration(&server, "goes"), Ok(Time::ZERO));
    assert_eq!(
        change_expiration(&server, "goes", in_ten_years),
        "image does not expire"
    );
    assert_eq!(
        change_expiration(&server, "none", in_ten_years),
        "image not found"
    );
}

#[test]
fn how_far_ahead_an_expiration_may_be_is_set_by_flags_and_by_who_asks() {
    let stage = Secured::new(&[
        "-maximumExpirationDuration=2h",
        "-maximumExpirationDurationPrivileged=10h",
    ])
    .unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let user = stage.issue("user", &[]).unwrap();
    let tree = stage.directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let filter = stage.directory.path().join("filter");
    std::fs::write(&filter, "").unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    admin
        .must(&[
            "-requiredPaths=",
            "-expiresIn=1h",
            "add",
            "goes",
            &path(&tree),
            &path(&filter),
            "",
        ])
        .unwrap();
    for (tool, expires_in, words) in [
        (&user, "-expiresIn=3h", "maximum expiration time is 2h0m0s"),
        (&user, "-expiresIn=90m", "no access to image"),
        (&user, "-expiresIn=0", "not permitted to make image non-expiring"),
        (
            &admin,
            "-expiresIn=11h",
            "maximum expiration time is 10h0m0s for you",
        ),
    ] {
        let refused = tool
            .run(&[expires_in, "change-image-expiration", "goes"])
            .unwrap();
        assert!(
            refused.code == 1 && refused.err.contains(words),
            "{expires_in}: {refused:?}"
        );
    }
    admin
        .must(&["-expiresIn=9h", "change-image-expiration", "goes"])
        .unwrap();
    admin
        .must(&["-expiresIn=0", "change-image-expiration", "goes"])
        .unwrap();
    assert!(
        stage
            .server
            .logs("ChangeImageExpiration(goes) never expire by admin", 1)
    );
}

#[test]
fn adding_tells_who_it_was_and_deleting_needs_the_right_to() {
    let stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let other = stage.issue("other", &[]).unwrap();
    let adder = stage
        .issue(
            "adder",
            &[
                "--methods",
                "ImageServer.AddImage,ObjectServer.AddObjects,ObjectServer.CheckObjects",
            ],
        )
        .unwrap();
    let tree = stage.directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), "content").unwrap();
    let filter = stage.directory.path().join("filter");
    std::fs::write(&filter, "").unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    let add = |name: &str| {
        adder
            .must(&["-requiredPaths=", "add", name, &path(&tree), &path(&filter), ""])
            .unwrap()
    };
    add("one");
    add("two");
    let refused = other.run(&["delete", "one"]).unwrap();
    assert!(
        refused.code == 1 && refused.err.contains("no access to image"),
        "{refused:?}"
    );
    // Who added an image may delete it, without the power to delete any.
    adder.must(&["delete", "one"]).unwrap();
    admin.must(&["delete", "two"]).unwrap();
    for line in [
        "AddImage(one) by adder",
        "DeleteImage(one) by adder",
        "DeleteImage(two) by admin",
    ] {
        assert!(stage.server.logs(line, 1), "{line} is not logged");
    }
}

#[test]
fn what_an_adder_tells_of_creator_and_time_is_not_believed() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let told = || Image {
        created_by: "somebody else".to_owned(),
        created_for: "bob".to_owned(),
        created_on: Time::new(1_000_000, 0, gob::Zone::Utc),
        owner_users: vec!["carl".to_owned()],
        owner_groups: vec!["dev".to_owned()],
        source_image: "source".to_owned(),
        tags: [("os".to_owned(), "a".to_owned())].into(),
        ..image(&[])
    };
    let before = SystemTime::now();
    add(&server, "added", told()).unwrap();
    add_trusted(&server, "trusted", told()).unwrap();
    let added = get(&server, "added").unwrap().unwrap();
    assert_eq!(added.created_by, "");
    assert!(added.created_on.to_system_time().unwrap() >= before - Duration::from_secs(1));
    let trusted = get(&server, "trusted").unwrap().unwrap();
    assert_eq!(
        (trusted.created_by.as_str(), trusted.created_on.unix_seconds()),
        ("somebody else", 1_000_000)
    );
    for image in [added, trusted] {
        let told = told();
        assert_eq!(
            (image.created_for, image.owner_users, image.owner_groups),
            (told.created_for, told.owner_users, told.owner_groups)
        );
        assert_eq!((image.source_image, image.tags), (told.source_image, told.tags));
    }
}

#[test]
fn a_deleted_image_leaves_its_name_taken_and_an_empty_file() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    put(&server, "gone", &[("file", b"content")]).unwrap();
    delete(&server, "gone").unwrap();
    assert_eq!(std::fs::metadata(home.images().join("gone")).unwrap().len(), 0);
    assert!(names(&server).unwrap().is_empty());
    let error = |result: anyhow::Result<()>| result.unwrap_err().to_string();
    assert_eq!(error(delete(&server, "gone")), "image does not exist");
    assert_eq!(
        error(put(&server, "gone", &[])),
        "cannot add previously deleted image: gone"
    );
}
