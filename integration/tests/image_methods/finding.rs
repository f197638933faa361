//! How images are found and read.

use super::*;

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
