//! The image builder's pages, on a real builder that really builds.

mod acting;
mod live;
mod pages;

use super::chromium::{Chromium, program};
use integration::imaginator::{BOOTSTRAP, Imaginator, Workplace, lacks_root};
use serde_json::Value;

/// What is on no page as anything but text.
const HOSTILE: &str = "x\"'><img src=x onerror=alert(1)><script>alert(2)<script>";
/// A stream that builds until it is told to go on.
const WAITING: &str = "users/waiting";
/// What that one says before and after.
const BEFORE: &str = "the script waits";
const AFTER: &str = "the script goes on";

/// Builder and browser. The order is that of their ends.
struct Stage {
    chromium: Chromium,
    daemon: Imaginator,
    workplace: Workplace,
}

impl Stage {
    /// With streams that wait, fail and have hostile names; `None` where there is no browser or no root, which is said aloud.
    fn set(test: &str) -> Option<Self> {
        let Some(program) = program() else {
            integration::skip(test, "no chromium: apt-get install chromium");
            return None;
        };
        if lacks_root(test) {
            return None;
        }
        let mut workplace = Workplace::new().unwrap();
        workplace
            .add_waiting_stream(WAITING, BOOTSTRAP, BEFORE, AFTER)
            .unwrap();
        let hostile = format!("#! /bin/sh\ncat <<'END'\n{HOSTILE}\nError: {HOSTILE}\nEND\nexit 3\n");
        workplace
            .add_stream("users/failing", BOOTSTRAP, &[("scripts/fail", &hostile)])
            .unwrap();
        let url = format!("dir://{}", workplace.manifest("users/failing").display());
        let stream = serde_json::json!({ "ManifestUrl": url, "Variables": { HOSTILE: HOSTILE }, "BuilderUsers": [HOSTILE] });
        workplace.set_stream(HOSTILE, stream).unwrap();
        let daemon = workplace.start(&[]).unwrap();
        workplace.built(&daemon, BOOTSTRAP).unwrap();
        for stream in ["users/failing", HOSTILE] {
            assert_ne!(workplace.build(&daemon, stream).unwrap().code, 0);
        }
        Some(Self {
            chromium: Chromium::start(program).unwrap(),
            daemon,
            workplace,
        })
    }

    /// The address of a page.
    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.daemon.port)
    }

    /// The page of the build that runs, once one does.
    fn running(&self) -> String {
        let mut page = String::new();
        integration::wait::until("a build runs", || {
            let (_, rows) = self.daemon.page("/?table=building&output=json").unwrap();
            let rows: Value = serde_json::from_str(&rows).unwrap();
            page = rows[0]["Build log"].as_str().unwrap_or_default().to_owned();
            !page.is_empty()
        });
        page
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every page there is, with something on it.
fn all_pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/showImageStreams",
        "/showDirectedGraph",
        "/showBuildLogArchive",
        "/showAllBuilds",
        "/showErrorBuilds",
        "/searchBuildLogs?q=Error",
        "/searchBuildLogs",
        "/dashboards",
        "/logs",
        "/metrics/builder",
    ]
    .map(str::to_owned)
    .into();
    for stream in [BOOTSTRAP, "users/failing", &encoded(HOSTILE)] {
        for page in ["showImageStream", "showLastBuildLog", "showStreamAllBuilds"] {
            pages.push(format!("/{page}?{stream}"));
        }
    }
    pages
}
