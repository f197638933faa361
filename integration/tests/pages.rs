//! What people and scripts see in the image server's pages, asked for over a real connection.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use anyhow::Result;
use image::{Annotation, Filter, Image, Package};
use integration::images::{add, image, make_directory, put, store};
use integration::server::{Answer, Home, ImageServer};

const HOSTILE: &str = "<script>alert(1)<script>";
const HOSTILE_QUERY: &str = "%3Cscript%3Ealert(1)%3Cscript%3E";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
const SAFE_HEADERS: [&str; 4] = [
    "\r\nx-frame-options: deny",
    "\r\nx-xss-protection: 1",
    "\r\ncontent-security-policy: default-src 'self' ;style-src 'self' 'unsafe-inline'",
    "\r\nx-content-type-options: nosniff",
];

/// Every text of this image would be a script, were it not escaped.
fn hostile_image() -> Image {
    let text = || "<script>x<script>".to_owned();
    Image {
        build_branch: text(),
        build_commit_id: text(),
        build_git_url: text(),
        created_for: text(),
        filter: Some(Filter {
            filter_lines: vec!["/<script>.*".to_owned()],
        }),
        release_notes: Some(Annotation {
            object: None,
            url: "javascript:alert('<script>')".to_owned(),
        }),
        build_log: Some(Annotation {
            object: Some(hash::of(b"<script>log<script>")),
            url: String::new(),
        }),
        owner_groups: vec![text()],
        owner_users: vec![text()],
        packages: vec![Package {
            name: text(),
            size: 1,
            version: text(),
        }],
        source_image: text(),
        tags: [(text(), text())].into(),
        ..image(&[("<script>file", b"content")])
    }
}

fn server() -> Result<(Home, ImageServer)> {
    let home = Home::new()?;
    let server = home.start_insecure(&[])?;
    Ok((home, server))
}

fn get(server: &ImageServer, path: &str) -> Answer {
    server.request("GET", path, HTML).unwrap()
}

#[test]
fn nothing_in_an_image_becomes_markup() {
    let (_home, server) = server().unwrap();
    store(&server, &[b"content", b"<script>log<script>"]).unwrap();
    add(&server, HOSTILE, hostile_image()).unwrap();
    make_directory(&server, "<script>dir").unwrap();
    let paths = [
        "/".to_owned(),
        "/listImages".to_owned(),
        "/listDirectories".to_owned(),
        "/listImages?directoryName=%3Cscript%3Edir".to_owned(),
        format!("/showImage?{HOSTILE_QUERY}"),
        format!("/listImage?{HOSTILE_QUERY}"),
        format!("/listBuildLog?{HOSTILE_QUERY}"),
        "/showImage?%3Cscript%3Enone".to_owned(),
        "/logs".to_owned(),
        "/%3Cscript%3Enowhere".to_owned(),
        "/logs/dump?name=%3Cscript%3E".to_owned(),
        "/metrics/%3Cscript%3E".to_owned(),
    ];
    for path in paths {
        let answer = get(&server, &path);
        assert!(
            !answer.body.contains("<script>") && !answer.body.contains("href=\"javascript:"),
            "{path}: {}",
            answer.body
        );
    }
    // They are there, escaped.
    let shown = get(&server, &format!("/showImage?{HOSTILE_QUERY}"));
    assert!(
        shown.body.matches("&#60;script&#62;").count() >= 10,
        "{}",
        shown.body
    );
    let log = server.page_as("/logs/dump?name=latest", HTML).unwrap();
    assert!(
        !log.1.contains("<html") || !log.1.contains("<script>"),
        "{}",
        log.1
    );
}

#[test]
fn every_page_carries_the_headers_that_keep_it_safe() {
    let (_home, server) = server().unwrap();
    put(&server, "image", &[("file", b"content")]).unwrap();
    for path in [
        "/",
        "/listImages",
        "/listImages?output=text",
        "/listDirectories",
        "/showImage?image",
        "/showImage?none",
        "/listImage?image",
        "/healthz",
        "/metrics",
        "/logs",
        "/nowhere",
    ] {
        let answer = get(&server, path);
        for header in SAFE_HEADERS {
            assert!(
                answer.head.contains(header),
                "{path} lacks {header:?}: {}",
                answer.head
            );
        }
    }
}

#[test]
fn other_paths_are_not_found_and_other_methods_not_taken() {
    let (_home, server) = server().unwrap();
    put(&server, "image", &[]).unwrap();
    for path in [
        "/nowhere",
        "/listImagesX",
        "/showimage?image",
        "/getObject?00",
        "/index.html",
    ] {
        assert_eq!(get(&server, path).status, 404, "{path}");
    }
    for path in ["/", "/listImages", "/showImage?image", "/listImage?image"] {
        let status = server.request("DELETE", path, HTML).unwrap().status;
        assert!(status == 404 || status == 405, "{path}: {status}");
        let head = server.request("HEAD", path, HTML).unwrap();
        assert!(head.status == 200 && head.body.is_empty(), "{path}: {head:?}");
    }
}

#[test]
fn an_unknown_image_is_told_in_words_with_status_200() {
    let (_home, server) = server().unwrap();
    for page in ["showImage", "listImage", "listBuildLog", "listReleaseNotes"] {
        let answer = get(&server, &format!("/{page}?a/b"));
        assert!(
            answer.status == 200 && answer.body.contains("Image: a/b UNKNOWN!"),
            "{page}: {answer:?}"
        );
    }
}

#[test]
fn the_list_of_images_has_its_columns_and_selects_by_directory() {
    let (_home, server) = server().unwrap();
    for directory in ["a", "a/b"] {
        make_directory(&server, directory).unwrap();
    }
    let extra = Image {
        build_branch: "topic".to_owned(),
        build_commit_id: "c0ffee".to_owned(),
        filter: Some(Filter {
            filter_lines: vec!["/x".to_owned(), "/y".to_owned()],
        }),
        ..image(&[("file", b"content")])
    };
    store(&server, &[b"content"]).unwrap();
    for name in ["a/v10", "a/v9", "a/b/1", "top"] {
        add(&server, name, extra.clone()).unwrap();
    }
    let text = |query: &str| get(&server, &format!("/listImages?output=text{query}")).body;
    assert_eq!(text(""), "a/b/1\na/v9\na/v10\ntop\n");
    assert_eq!(text("&directoryName=a"), "a/b/1\na/v9\na/v10\n");
    assert_eq!(text("&directoryName=a/"), "a/v9\na/v10\n");
    assert_eq!(text("&directoryName=."), text(""));
    assert_eq!(text("&directoryName=none"), "");

    let page = get(&server, "/listImages");
    for column in [
        "Name",
        "Data Size",
        "Estimated Usage",
        "Data Inodes",
        "Computed Inodes",
        "Filter Lines",
        "Triggers",
        "Branch",
        "Commit",
    ] {
        assert!(page.body.contains(column), "no column {column}");
    }
    assert!(page.body.contains("/showImage?a/v10") && page.body.contains("c0ffee"));
    let json: serde_json::Value =
        serde_json::from_str(&get(&server, "/listImages?output=json").body).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4);
    assert_eq!(
        (&json[2]["Name"], &json[2]["Branch"]),
        (&"a/v10".into(), &"topic".into())
    );
}

#[test]
fn directories_are_listed_with_their_images_a_link_away() {
    let (_home, server) = server().unwrap();
    for directory in ["d10", "d9"] {
        make_directory(&server, directory).unwrap();
    }
    assert_eq!(get(&server, "/listDirectories?output=text").body, ".\nd9\nd10\n");
    let page = get(&server, "/listDirectories").body;
    assert!(
        page.contains("Owner Group") && page.contains("/listImages?directoryName=d10"),
        "{page}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&get(&server, "/listDirectories?output=json").body).unwrap();
    assert_eq!(json[1]["Name"], "d9");
}

#[test]
fn an_image_is_shown_with_all_that_is_known_about_it() {
    let (home, server) = server().unwrap();
    make_directory(&server, "d").unwrap();
    store(&server, &[b"content"]).unwrap();
    let told = Image {
        build_branch: "the-branch".to_owned(),
        build_commit_id: "the-commit".to_owned(),
        build_git_url: "https://git.example/the-repository".to_owned(),
        created_for: "the-person".to_owned(),
        owner_groups: vec!["the-group".to_owned()],
        owner_users: vec!["the-user".to_owned()],
        packages: vec![Package::default()],
        release_notes: Some(Annotation {
            object: None,
            url: "https://notes.example/".to_owned(),
        }),
        source_image: "the-source".to_owned(),
        tags: [("the-key".to_owned(), "the-value".to_owned())].into(),
        ..image(&[("file", b"content")])
    };
    add(&server, "d/image", told).unwrap();
    let page = get(&server, "/showImage?d/image").body;
    for part in [
        "d/image",
        "the-branch",
        "the-commit",
        "https://git.example/the-repository",
        "the-person",
        "the-group",
        "the-user",
        "https://notes.example/",
        "the-source",
        "the-key",
        "the-value",
        "1 data inodes",
        "sparse filter",
        "no triggers",
        "never",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let file = std::fs::read(home.images().join("d/image")).unwrap();
    let (_, checksum) = protocol::image_file::decode(&file).unwrap();
    assert!(
        page.contains(&format!("File checksum: <code>{checksum}</code>")),
        "{page}"
    );
}

#[test]
fn an_images_files_are_listed_as_the_tool_lists_them() {
    let (home, server) = server().unwrap();
    put(&server, "image", &[("file", b"content"), ("other", b"more")]).unwrap();
    let tool = integration::tool::Tool::new(&server, &home.path().join("none"), home.path());
    let shown = tool.must(&["show", "image"]).unwrap();
    assert!(shown.contains("/file") && shown.contains("/other"), "{shown}");
    let page = get(&server, "/listImage?image").body;
    for line in shown.lines() {
        assert!(page.contains(line), "{line} is not in {page}");
    }
    assert!(!page.contains("getObject"), "contents are not open to strangers");
}

#[test]
fn the_status_page_tells_what_the_server_holds() {
    let (_home, server) = server().unwrap();
    put(&server, "one", &[("file", b"content"), ("copy", b"content")]).unwrap();
    store(&server, &[b"loose"]).unwrap();
    let page = get(&server, "/");
    assert_eq!(page.status, 200);
    for part in [
        "imageserver status page",
        "insecure mode",
        "Number of images: <a href=\"/listImages\">1</a>",
        "Number of directories: <a href=\"/listDirectories\">1</a>",
        "/listImages?output=text",
        "/listDirectories?output=text",
        "Replication clients: 0",
        "Number of objects: 2, consuming 12 B",
        "Number of referenced objects: 1 (2 references",
        "Number of unreferenced objects: 1 (50.0%)",
        "GetObjects() RPC slots: 0 out of 100",
        "AddImage(one)",
        "href=\"/metrics\"",
    ] {
        assert!(page.body.contains(part), "{part:?} is not in {}", page.body);
    }
}

#[test]
fn health_and_readiness_are_plain_words() {
    let (_home, server) = server().unwrap();
    for path in ["/healthz", "/readiness"] {
        let answer = server.request("GET", path, "*/*").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{path}");
    }
}

#[test]
fn figures_come_in_the_form_of_who_asks() {
    let (_home, server) = server().unwrap();
    put(&server, "image", &[("file", b"content")]).unwrap();
    store(&server, &[b"loose"]).unwrap();
    let scraper = server.request("GET", "/metrics", "*/*").unwrap();
    assert!(
        scraper.status == 200 && scraper.head.contains("content-type: text/plain; version=0.0.4"),
        "{scraper:?}"
    );
    for line in [
        "\nimageserver_image_count 1\n",
        "\nactor_restarts_total{actor=\"ImageIndex\"} 0\n",
    ] {
        assert!(scraper.body.contains(line), "{line:?} is not in {}", scraper.body);
    }
    let browser = get(&server, "/metrics");
    assert!(
        browser.status == 307 && browser.head.contains("\r\nlocation: /metrics/"),
        "{browser:?}"
    );
    let figure = |path: &str| get(&server, &format!("/metrics{path}?format=text")).body;
    for (path, value) in [
        ("/image-count", "1\n"),
        ("/get-requests", "0\n"),
        ("/objectserver/referenced-object-bytes", "7\n"),
        ("/objectserver/unreferenced-object-bytes", "5\n"),
        ("/proc/flags/permitInsecureMode", "true\n"),
        ("/srpc/server/ImageServer/AddImage/num-permitted-calls", "1\n"),
        ("/srpc/server/ImageServer/AddImage/num-denied-calls", "0\n"),
    ] {
        assert_eq!(figure(path), value, "{path}");
    }
    for path in [
        "/objectserver/referenced-utilisation-percent",
        "/objectserver/unreferenced-utilisation-percent",
    ] {
        let share: f64 = figure(path).trim().parse().unwrap();
        assert!((0.0..1.0).contains(&share), "{path}: {share}");
    }
    for path in [
        "/proc/args",
        "/proc/name",
        "/proc/start-time",
        "/proc/cpu/user",
        "/proc/cpu/sys",
    ] {
        assert!(!figure(path).starts_with('*'), "{path} is not there");
    }
    assert_eq!(figure("/nowhere"), "*Path does not exist.*");
}

#[test]
fn helper_pages_of_the_transport_name_the_services() {
    let (_home, server) = server().unwrap();
    let listed = get(&server, "/_goSRPC_/listMethods").body;
    let mut services: Vec<&str> = listed
        .lines()
        .map(|line| line.split_once('.').unwrap().0)
        .collect();
    services.dedup();
    assert_eq!(services, ["", "ImageServer", "Logger", "ObjectServer"]);
}

#[test]
fn packages_are_listed_for_people_and_for_scripts() {
    let (_home, server) = server().unwrap();
    let package = |name: &str, version: &str, size| Package {
        name: name.to_owned(),
        size,
        version: version.to_owned(),
    };
    let with_packages = Image {
        packages: vec![package("tar", "1.34", 3_219_456), package("bash", "5.2<b>", 7)],
        ..image(&[])
    };
    add(&server, "image", with_packages).unwrap();
    let text = get(&server, "/listPackages?image&output=text").body;
    assert_eq!(text, "tar 1.34 3219456\nbash 5.2<b> 7\n");
    let answer = get(&server, "/listPackages?image&output=json");
    assert!(
        answer.head.contains("content-type: application/json"),
        "{}",
        answer.head
    );
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(
        answer.body.starts_with("[\n") && json[0]["Name"] == "tar" && json[0]["Size"] == 3_219_456,
        "{json}"
    );
    let page = get(&server, "/listPackages?image").body;
    assert!(
        page.contains("<td data-label=\"Name\">tar</td>") && page.contains("5.2&lt;b&gt;"),
        "{page}"
    );
    for (path, status) in [("/listPackages?none", 404), ("/listPackages", 400)] {
        assert_eq!(get(&server, path).status, status, "{path}");
    }
}

#[test]
fn the_texts_of_an_image_are_shown_in_full() {
    let (_home, server) = server().unwrap();
    let text = |object: &[u8]| {
        Some(Annotation {
            object: Some(hash::of(object)),
            url: String::new(),
        })
    };
    store(&server, &[b"first line\nlast <line>\n", b"what is new\n"]).unwrap();
    let told = Image {
        build_log: text(b"first line\nlast <line>\n"),
        release_notes: text(b"what is new\n"),
        ..image(&[])
    };
    add(&server, "image", told).unwrap();
    let log = get(&server, "/listBuildLog?image").body;
    assert!(
        log.contains("<pre>first line\nlast &lt;line&gt;\n</pre>"),
        "{log}"
    );
    let notes = get(&server, "/listReleaseNotes?image").body;
    assert!(notes.contains("<pre>what is new\n</pre>"), "{notes}");
}

#[test]
fn an_object_is_given_as_it_is_where_everybody_may_read() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&["-allowUnauthenticatedReads"]).unwrap();
    store(&server, &[b"<content>"]).unwrap();
    let object = get(&server, &format!("/getObject?{}", hash::of(b"<content>")));
    assert!(object.status == 200 && object.body == "<content>", "{object:?}");
    assert!(object.head.contains("\r\ncontent-length: 9"), "{}", object.head);
    assert_eq!(get(&server, "/getObject?00").status, 400);
    assert_eq!(
        get(&server, &format!("/getObject?{}", hash::of(b"none"))).status,
        404
    );
}

#[test]
fn filter_and_triggers_of_an_image_are_shown_or_that_there_are_none() {
    let (_home, server) = server().unwrap();
    add(&server, "bare", image(&[])).unwrap();
    store(&server, &[b"note"]).unwrap();
    add(
        &server,
        "full",
        integration::images::described(image(&[]), b"note"),
    )
    .unwrap();
    let page = |path: &str| get(&server, path).body;
    assert!(page("/listFilter?bare").contains("Sparse filter"));
    assert!(page("/listTriggers?bare").contains("NO TRIGGERS"));
    assert!(page("/listFilter?full").contains("<pre>/tmp/.*\n/var/log/.*\n</pre>"));
    assert!(page("/listTriggers?full").contains("&quot;Service&quot;: &quot;ssh&quot;"));
    assert!(page("/listComputedInodes?bare").contains("No file of this image is computed."));
}
