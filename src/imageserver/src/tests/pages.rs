//! What people see.

use std::sync::Arc;

use super::bench::Bench;
use crate::pages;
use actix_web::http::StatusCode;
use actix_web::{App, test, web};
use front::logs::Logs;
use front::metrics::Metrics;
use front::site::Site;

async fn get(bench: &Bench, path: &str) -> (StatusCode, String) {
    let metrics = Metrics::new("imageserver");
    let site = Site::new("imageserver", metrics, Logs::in_memory());
    let app = App::new()
        .app_data(web::Data::new(site))
        .app_data(web::Data::from(Arc::clone(&bench.server)))
        .configure(|config| pages::configure(&bench.shared, config));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
    let status = response.status();
    let body = test::read_body(response).await;
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[actix_rt::test]
async fn names_and_contents_are_escaped_on_every_page() {
    let bench = Bench::start(&["-allowUnauthenticatedReads"]);
    let name = "<script>alert(1)</script>".replace('/', "");
    bench.add_image(&name, b"content").await;
    let query = "%3Cscript%3Ealert(1)%3Cscript%3E";
    let pages = [
        "/".to_owned(),
        "/listImages".to_owned(),
        "/listDirectories".to_owned(),
        "/listImages?directoryName=%3Cscript%3E".to_owned(),
        format!("/showImage?{query}"),
        format!("/listImage?{query}"),
        format!("/listFilter?{query}"),
        format!("/listTriggers?{query}"),
        format!("/listPackages?{query}"),
        format!("/listComputedInodes?{query}"),
        format!("/listBuildLog?{query}"),
        format!("/listReleaseNotes?{query}"),
        "/showImage?%3Cscript%3Enone".to_owned(),
        "/listPackages?%3Cscript%3Enone".to_owned(),
    ];
    for page in pages {
        let (_, body) = get(&bench, &page).await;
        // The frame's own script has a source.
        assert!(!body.contains("<script>"), "{page}: {body}");
        assert!(!body.contains("<b>.*") && !body.contains("file <&>"), "{page}");
    }
}

#[actix_rt::test]
async fn an_unknown_image_is_said_to_be_so_with_the_status_scripts_know() {
    let bench = Bench::start(&[]);
    for page in [
        "showImage",
        "listImage",
        "listFilter",
        "listTriggers",
        "listBuildLog",
    ] {
        let (status, body) = get(&bench, &format!("/{page}?a/b")).await;
        assert!(
            status == StatusCode::OK && body.contains("Image: a/b UNKNOWN!"),
            "{page}: {body}"
        );
    }
    let (status, body) = get(&bench, "/listPackages?a/b").await;
    assert!(status == StatusCode::NOT_FOUND && body.contains("Image: a/b UNKNOWN!"));
    assert_eq!(get(&bench, "/listPackages").await.0, StatusCode::BAD_REQUEST);
}

#[actix_rt::test]
async fn lists_come_as_text_in_version_order() {
    let bench = Bench::start(&[]);
    for name in ["v10", "v9", "other"] {
        bench.add_image(name, b"content").await;
    }
    assert_eq!(get(&bench, "/listImages?output=text").await.1, "other\nv9\nv10\n");
    assert_eq!(get(&bench, "/listDirectories?output=text").await.1, ".\n");
    assert!(
        get(&bench, "/listImages?output=csv")
            .await
            .1
            .starts_with("Name,Data Size,Estimated Usage,")
    );
    let json: serde_json::Value =
        serde_json::from_str(&get(&bench, "/listImages?output=json").await.1).unwrap();
    assert_eq!(json[1]["Name"], "v9");
}

#[actix_rt::test]
async fn contents_are_for_strangers_only_where_that_is_allowed() {
    let closed = Bench::start(&[]);
    let hash = closed.add_image("x", b"content").await;
    assert_eq!(
        get(&closed, &format!("/getObject?{hash}")).await.0,
        StatusCode::NOT_FOUND
    );
    assert!(!get(&closed, "/listImage?x").await.1.contains("getObject"));

    let open = Bench::start(&["-allowUnauthenticatedReads"]);
    let hash = open.add_image("x", b"content").await;
    assert_eq!(
        get(&open, &format!("/getObject?{hash}")).await,
        (StatusCode::OK, "content".to_owned())
    );
    assert!(
        get(&open, "/listImage?x")
            .await
            .1
            .contains(&format!("/getObject?{hash}"))
    );
    assert_eq!(get(&open, "/getObject?xyz").await.0, StatusCode::BAD_REQUEST);
    let unknown = hash::of(b"unknown");
    assert_eq!(
        get(&open, &format!("/getObject?{unknown}")).await.0,
        StatusCode::NOT_FOUND
    );
}
