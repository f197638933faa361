//! What is damaged on a server stays announced, so that no replica loses its copy; who asks for it learns why and what to
//! do; and what was repaired is back without a restart.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::images::{delete, get, names, put, store};
use integration::plain_call::connect;
use integration::server::{Home, ImageServer};
use integration::tool::Tool;
use protocol::image_server::{ImageUpdate, operation};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

/// One who follows the image updates as a replica does: what it was told is what it keeps.
struct Follower {
    stream: BufReader<TcpStream>,
    decoder: gob::Decoder,
    images: BTreeSet<String>,
}

impl Follower {
    /// Connects and reads the initial list.
    fn connect(server: &ImageServer) -> Follower {
        let mut stream = connect(server.address()).unwrap();
        stream
            .get_mut()
            .write_all(b"ImageServer.GetImageUpdates\n")
            .unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert_eq!(line, "\n");
        let mut follower = Follower {
            stream,
            decoder: gob::Decoder::new(gob::Limits::default()),
            images: BTreeSet::new(),
        };
        while follower.next() != ImageUpdate::default() {}
        follower
    }

    fn next(&mut self) -> ImageUpdate {
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.stream.fill_buf().unwrap());
            let fresh = self.stream.buffer().len();
            assert!(fresh > 0, "the stream has ended");
            match self.decoder.decode::<ImageUpdate>(&bytes).unwrap() {
                gob::Progress::Value { value, consumed } => {
                    self.stream.consume(consumed + fresh - bytes.len());
                    self.take_in(&value);
                    return value;
                }
                gob::Progress::NeedMore { .. } => self.stream.consume(fresh),
            }
        }
    }

    fn take_in(&mut self, update: &ImageUpdate) {
        match update.operation {
            operation::ADD_IMAGE if !update.name.is_empty() => drop(self.images.insert(update.name.clone())),
            operation::DELETE_IMAGE => drop(self.images.remove(&update.name)),
            _ => {}
        }
    }

    /// Reads until an image of this name is announced.
    fn until(&mut self, name: &str) {
        while self.next().name != name {}
    }

    fn knows(&self) -> Vec<&str> {
        self.images.iter().map(String::as_str).collect()
    }
}

fn object_file(server: &ImageServer, content: &[u8]) -> PathBuf {
    let hex = hash::of(content).to_string();
    server.objects.join(&hex[..2]).join(&hex[2..4]).join(&hex[4..])
}

fn halve(file: &Path) -> Vec<u8> {
    let whole = std::fs::read(file).unwrap();
    std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
    whole
}

fn refusal(server: &ImageServer, name: &str) -> String {
    get(server, name).unwrap_err().to_string()
}

#[test]
fn a_damaged_image_stays_announced_and_comes_back_when_its_file_is_restored() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    for name in ["damaged", "sound"] {
        put(&server, name, &[("file", name.as_bytes())]).unwrap();
    }
    let mut follower = Follower::connect(&server);
    // While it runs.
    let whole = halve(&server.images.join("damaged"));
    let refused = refusal(&server, "damaged");
    for word in [
        "damaged is quarantined",
        "to repair it",
        "a good copy",
        "imagetool delete damaged",
    ] {
        assert!(refused.contains(word), "{refused}");
    }
    put(&server, "marker", &[]).unwrap();
    follower.until("marker");
    assert_eq!(follower.knows(), ["damaged", "marker", "sound"]);
    assert_eq!(Follower::connect(&server).knows(), ["damaged", "marker", "sound"]);
    // After a restart.
    server.stop().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let mut follower = Follower::connect(&server);
    assert_eq!(follower.knows(), ["damaged", "marker", "sound"]);
    assert!(refusal(&server, "damaged").contains("is quarantined"));
    assert!(names(&server).unwrap().contains(&"damaged".to_owned()));
    // Back without another restart, and announced, for those who could not fetch it.
    std::fs::write(server.images.join("damaged"), whole).unwrap();
    assert!(get(&server, "damaged").unwrap().is_some());
    follower.until("damaged");
    // On purpose it can be deleted all the same, and only then it is announced as gone.
    halve(&server.images.join("sound"));
    assert!(refusal(&server, "sound").contains("is quarantined"));
    delete(&server, "sound").unwrap();
    follower.until("sound");
    assert_eq!(follower.knows(), ["damaged", "marker"]);
    assert_eq!(std::fs::metadata(server.images.join("sound")).unwrap().len(), 0);
}

#[test]
fn page_and_tool_say_what_is_damaged_what_that_affects_and_what_to_do() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let tool = Tool::new(&server, &home.path().join("none"), home.path());
    put(&server, "good", &[("file", b"content")]).unwrap();
    put(&server, "bad", &[("file", b"content")]).unwrap();
    assert_eq!(tool.must(&["list-damaged"]).unwrap(), "");
    assert!(!server.page("/").unwrap().1.contains("damaged"));
    assert!(
        server
            .page("/listDamaged")
            .unwrap()
            .1
            .contains("Nothing is known to be damaged")
    );

    std::fs::write(object_file(&server, b"content"), b"tnetnoc").unwrap();
    tool.run(&["get", "good", &home.path().join("out").display().to_string()])
        .unwrap();
    halve(&server.images.join("bad"));
    let refused = tool.run(&["show", "bad"]).unwrap();
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("is quarantined") && refused.err.contains("to repair it"),
        "{}",
        refused.err
    );
    assert!(tool.must(&["list"]).unwrap().contains("bad"), "the name stays");

    let listed = tool.run(&["list-damaged"]).unwrap();
    assert_eq!(listed.code, 1);
    let hash = hash::of(b"content").to_string();
    for words in [
        "image bad\n",
        &format!("object {hash}\n"),
        "affects       bad, good\n",
        "add the same content again",
    ] {
        assert!(listed.out.contains(words), "{words}: {}", listed.out);
    }
    assert!(
        server
            .page("/")
            .unwrap()
            .1
            .contains("1 image and 1 object are damaged")
    );
    let (status, page) = server.page("/listDamaged?output=json").unwrap();
    assert_eq!(status, 200);
    let json: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        (json[0]["Kind"].as_str(), json[0]["Name"].as_str()),
        (Some("image"), Some("bad"))
    );
    assert_eq!(
        (json[1]["Kind"].as_str(), json[1]["Name"].as_str()),
        (Some("object"), Some(hash.as_str()))
    );
    assert_eq!(json[1]["AffectedImages"], 2);
    assert_eq!(json[1]["ImageNames"], "bad, good");

    // The remedies work.
    store(&server, &[b"content"]).unwrap();
    tool.must(&["delete", "bad"]).unwrap();
    assert_eq!(tool.must(&["--json", "list-damaged"]).unwrap(), "");
    assert!(
        server
            .page("/listDamaged")
            .unwrap()
            .1
            .contains("Nothing is known to be damaged")
    );
}
