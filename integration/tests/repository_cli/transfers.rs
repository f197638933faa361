//! Files on the way, in both directions.

use crate::{bytes, created, started};
use integration::cut_proxy::{CutProxy, Fault};
use integration::repository_tool::RepositoryTool;
use serde_json::json;
use std::fs;

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
