use super::*;
use crate::testing::{Front, body};

#[tokio::test]
async fn a_page_has_the_frame_and_asks_nothing_of_other_hosts() {
    let front = Front::start();
    let answer = front.get("/listImages").await;
    let html = body(&answer);
    for piece in [
        "<title>images · imageserver</title>",
        "name=\"viewport\"",
        "aria-label=\"where you are\"",
        "healthy",
        "<a href=\"/showImage?base/debian-12/2026-11-01:07\">base/debian-12/2026-11-01:07</a>",
        "<span title=\"189000000 bytes\">",
        "<time datetime=\"2026-11-22T05:00:00Z\" title=\"2026-11-22 05:00:00 UTC\">",
        "data-copy=\"48abd848abd8",
        "imagetool list",
        "<a href=\"?output=csv\">CSV</a>",
        "role=\"search\"",
    ] {
        assert!(html.contains(piece), "{piece} is not in {html}");
    }
    assert!(
        !html.contains("http://") && !html.contains("https://"),
        "a page refers to another host"
    );
    // The policy of the headers forbids them.
    assert!(
        !html.contains("<script>") && !html.contains("onclick"),
        "a page has a script inside"
    );
}

#[tokio::test]
async fn every_table_is_there_as_text_json_and_csv() {
    let front = Front::start();
    let text = front.get("/listImages?output=text").await;
    assert!(
        text.to_ascii_lowercase().contains("content-type: text/plain"),
        "{text}"
    );
    assert_eq!(body(&text).lines().next(), Some("base/debian-12/2026-11-01:07"));
    assert_eq!(body(&text).lines().count(), 14);
    let json = front.get("/listImages?output=json").await;
    let json: serde_json::Value = serde_json::from_str(body(&json)).unwrap();
    assert_eq!(json[1]["Name"], "base/debian-12/2026-11-02:07");
    assert_eq!(json[1]["Data Size"], 378_000_000);
    assert_eq!(json[1]["Created"], "2026-11-22T05:00:00Z");
    let csv = front.get("/listImages?output=csv").await;
    assert!(
        body(&csv)
            .starts_with("Name,Data Size,Created,Checksum\r\nbase/debian-12/2026-11-01:07,189000000,2026-")
    );
}

#[test]
fn cells_are_escaped_in_every_form() {
    let mut table = Table::new([Column::text("a,b"), Column::text("<th>")]);
    table.push([Cell::text("<b>\"x\""), Cell::link("/p?a&b\"", "line\nend")]);
    assert!(!table.html().contains("<b>") && !table.html().contains("<th>\n"));
    assert!(
        table.html().contains("<a href=\"/p?a&amp;b&quot;\">"),
        "{}",
        table.html()
    );
    assert_eq!(table.csv(), "\"a,b\",<th>\r\n\"<b>\"\"x\"\"\",\"line\nend\"\r\n");
}

#[test]
fn an_empty_table_says_why() {
    let table = Table::new([Column::text("a")])
        .when_empty(empty("No image was added yet.", "<code>imagetool add</code>"));
    assert!(table.html().contains("No image was added yet."));
    assert_eq!(
        (
            table.text().as_str(),
            table.csv().as_str(),
            serde_json::from_str::<serde_json::Value>(&table.json().unwrap()).unwrap()
        ),
        ("", "a\r\n", serde_json::json!([]))
    );
}

#[tokio::test]
async fn an_unknown_path_is_a_page_for_people_and_a_line_for_scripts() {
    let front = Front::start();
    let script = front.get("/no%3Cscript%3E").await;
    assert!(
        script.starts_with("HTTP/1.1 404 ") && body(&script) == "404 page not found\n",
        "{script}"
    );
    let page = front.get_with("/no", "Accept: text/html\r\n").await;
    assert!(
        page.starts_with("HTTP/1.1 404 ") && page.contains("There is no page /no here."),
        "{page}"
    );
    assert!(page.contains("go to the front page"));
}

#[tokio::test]
async fn assets_are_asked_for_each_time_but_sent_once() {
    let front = Front::start();
    for (name, kind) in [
        ("page.css", "text/css"),
        ("page.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let answer = front.get(&format!("/assets/{name}")).await;
        let head = answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
        assert!(head.contains(&format!("content-type: {kind}")), "{head}");
        let tag = head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .unwrap()
            .to_owned();
        let again = front
            .get_with(&format!("/assets/{name}"), &format!("If-None-Match: {tag}\r\n"))
            .await;
        assert!(
            again.starts_with("HTTP/1.1 304 ") && body(&again).is_empty(),
            "{again}"
        );
    }
    assert!(
        front
            .get("/assets/..%2fCargo.toml")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
}

#[tokio::test]
async fn large_pages_are_compressed_for_who_asks() {
    let front = Front::start();
    let answer = front
        .get_with("/assets/page.css", "Accept-Encoding: gzip\r\n")
        .await
        .to_ascii_lowercase();
    assert!(answer.contains("content-encoding: gzip"), "{}", &answer[..300]);
}
