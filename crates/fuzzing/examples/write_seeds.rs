//! Writes seeds into `fuzz/corpus`, from the recordings and files in this repository and from a few lines here. Run it again
//! when the layout of a target's input changes; what it does not write is left alone.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a tool for whoever works on the targets: it may fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Larger seeds slow a fuzzer down more than they help.
const SEED_MAX_BYTES: usize = 60_000;

fn main() {
    gob();
    srpc();
    image();
    tar();
    filters();
    index();
    texts();
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write(target: &str, name: &str, choices: &[u8], rest: &[u8]) {
    if rest.len() > SEED_MAX_BYTES {
        println!("too large, left out: {target} {name}");
        return;
    }
    let directory = top().join("fuzz/corpus").join(target);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name), [choices, rest].concat()).unwrap();
}

/// One side of a recorded conversation, behind its opening and so many lines.
fn recording(name: &str, side: &str, lines: usize) -> Vec<u8> {
    let bytes = fs::read(top().join("integration/golden/srpc").join(name).join(side)).unwrap();
    let opening = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    let mut rest = &bytes[opening..];
    for _ in 0..lines {
        rest = &rest[rest.iter().position(|&byte| byte == b'\n').unwrap() + 1..];
    }
    rest.to_vec()
}

fn file(path: &str) -> Vec<u8> {
    fs::read(top().join("crates").join(path)).unwrap()
}

/// Numbers as in the target's table of types.
fn gob() {
    let pieces = 5;
    write("gob", "image", &[0, pieces], &file("protocol/tests/data/v1"));
    for (number, name, side, lines) in [
        (1, "ImageServer.GetImage.gob", "server.bin", 2),
        (2, "ImageServer.AddImage.gob", "client.bin", 1),
        (3, "ImageServer.GetImageUpdates.gob", "server.bin", 1),
        (5, "ImageServer.FindLatestImage.gob", "client.bin", 1),
        (6, "ImageServer.ListSelectedImages.gob", "client.bin", 1),
        (7, "ImageServer.GetImageComputedFiles.gob", "server.bin", 2),
        (8, "ObjectServer.AddObjects.badhash.gob", "client.bin", 1),
        (9, "ObjectServer.AddObjects.gob", "server.bin", 1),
        (10, "ObjectServer.CheckObjects.gob", "client.bin", 1),
        (11, "ObjectServer.CheckObjects.gob", "server.bin", 2),
        (14, "Logger.Watch.gob", "server.bin", 1),
    ] {
        write("gob", name, &[number, pieces], &recording(name, side, lines));
    }
    write(
        "gob",
        "archive",
        &[12, pieces],
        &file("protocol/tests/data/small-v1.archive"),
    );
    write(
        "gob",
        "metadata",
        &[13, pieces],
        &file("protocol/tests/data/owned.metadata"),
    );
    write(
        "gob",
        "saved",
        &[19, pieces],
        &file("protocol/tests/data/small-v1.saved-head"),
    );
    for (name, bytes) in fuzzing::gob_seeds() {
        write("gob", name, &[], &bytes);
    }
}

fn srpc() {
    let golden = top().join("integration/golden/srpc");
    for entry in fs::read_dir(golden).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some((call, coding)) = name.rsplit_once('.') else {
            continue;
        };
        let coder = u8::from(coding == "json");
        if matches!(
            call,
            "ImageServer.FindLatestImage" | "ImageServer.AddImage" | "ObjectServer.AddObjects" | "ping"
        ) || call.starts_with("error.")
        {
            write(
                "srpc",
                &format!("server-{name}"),
                &[3, coder, 7],
                &recording(&name, "client.bin", 0),
            );
        }
        if call.starts_with("ImageServer.GetImage") {
            write(
                "srpc",
                &format!("client-{name}"),
                &[4, coder, 7],
                &recording(&name, "server.bin", 0),
            );
        }
        if coding == "json" && call.starts_with("ImageServer.Find") {
            write("srpc", "json", &[5, 7], &recording(&name, "client.bin", 1));
            let script = [2, 1, 7, 2, 0xf8, 2];
            write("srpc", "script-json", &script, &recording(&name, "client.bin", 0));
        }
    }
    let find = recording("ImageServer.FindLatestImage.gob", "client.bin", 0);
    write(
        "srpc",
        "script-gob",
        &[2, 0, 3, 4, 0xf8, 2, 0xf8, 15],
        &[&find, &b"line\nraw"[..]].concat(),
    );
    for (name, head) in [
        ("head", &b"CONNECT /_goSRPC_/ HTTP/1.0\n\nrest"[..]),
        (
            "head-powers",
            b"CONNECT /_goSRPC_/?doNotUseMethodPowers=%74rue&a=b HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        ("head-json", b"CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\n"),
        ("head-page", b"GET /_goSRPC_/listMethods HTTP/1.0\r\n\r\n"),
    ] {
        write("srpc", name, &[0, 3], head);
        write(
            "srpc",
            &format!("line-{name}"),
            &[1],
            head.split(|&byte| byte == b'\n').next().unwrap(),
        );
    }
    write(
        "srpc",
        "line-connected",
        &[1],
        b"HTTP/1.0 200 Connected to Go SRPC",
    );
    write("srpc", "line-missing", &[1], b"HTTP/1.0 405 Method Not Allowed");
    let extension = srpc::powers::extension_der(["ImageServer.*", "ObjectServer.GetObjects"]);
    write("srpc", "extension", &[6], &extension);
    for (at, pattern) in [
        "Image*.Get?mage\0ImageServer.GetImage",
        "[a-c^]\\**\0b*/",
        "[^a].?\0b.c",
    ]
    .iter()
    .enumerate()
    {
        write("srpc", &format!("pattern-{at}"), &[7], pattern.as_bytes());
    }
}

fn image() {
    let v1 = file("protocol/tests/data/v1");
    write("image", "v1", &[0], &v1);
    write("image", "v1-value", &[1], &v1[..v1.len() - 64]);
    write(
        "image",
        "metadata",
        &[2],
        &file("protocol/tests/data/owned.metadata"),
    );
    write(
        "image",
        "archive",
        &[3],
        &file("protocol/tests/data/small-v1.archive"),
    );
    // Entries are a number and a choice of name; inodes a number, a choice of kind and what that takes.
    let tree = [
        2, 1, 0, 2, 1, 1, 4, 2, 3, 2, 1, 3, 2, 0, 1, 0xa4, 0, 1, 0, 9, 3, 2, 3, b'x', b'/', b'y',
    ];
    write("image", "tree", &[4], &tree);
    write("image", "cycle", &[4], &[1, 1, 0, 1, 4, 1, 1, 0]);
    write("image", "twice", &[4], &[2, 1, 0, 1, 0, 1, 1, 1, b's']);
    write(
        "image",
        "computed",
        &[4],
        &[1, 255, 5, 255, 1, 3, b'a', b':', b'1'],
    );
}

/// Archives of GNU tar are there beside these.
fn tar() {
    let members = b"5a/\n0a/b\t\thello\t0000644\n1a/c\ta/b\n2a/d\tb\n0a/b\t\tanother\t0000600\t0001750\0\t\t14524770000";
    write("tar", "members", &[2], members);
    write("tar", "members-filter", &[0x12], members);
    let extended = b"xh\tpath=a long name\tmtime=-1.6\tuid=4000000000\n0y\t\thi\nxh\tlinkpath=t\n2l\nLL\t\tlong\n0z\ngg\tcomment=c";
    write("tar", "members-pax", &[2], extended);
    let devices = b"3tty\t\t\t0000666\t\t\t000000004\x000000001\n6fifo\n4disk\n7f\t\tx\t\t\t\t\tprefix";
    write("tar", "members-devices", &[2], devices);
    write("tar", "link-with-zero-byte", &[2], b"xh\tlinkpath=a\0b\n2l");
    write(
        "tar",
        "path-too-long",
        &[2],
        &[b"xh\tpath=", [b'n'; 5000].as_slice(), b"\n0f"].concat(),
    );
}

fn filters() {
    let filter = file("image/tests/data/filter1");
    write(
        "filters",
        "filter1",
        &[0],
        &[b"/a/b\0/x\0", filter.as_slice()].concat(),
    );
    write("filters", "empty-expression", &[1], b"\0/a");
    for (at, expression) in [
        "/etc/fstab",
        "/var/log(|/.*)$",
        "/.*[.]bak.*",
        ".*/cache.*",
        "/tmp/.*",
        "/a|/b$",
        "/lib/.*[.]so[.][0-9]+$",
        "(?i)/[[:alpha:]_]{2,5}\\d?$",
        "\\Q/a.b\\E\\x{41}\\pL",
        "/(?P<n>a+|b*?)(c{2}){3}",
        "[^\\x00-\\x{10FFFF}]",
    ]
    .iter()
    .enumerate()
    {
        let seed = [expression, "/etc/fstab", "/var/log/x", "/x.bak", "/A\u{e9}"].join("\0");
        write("filters", &format!("expression-{at}"), &[1], seed.as_bytes());
    }
}

/// Payloads without and files with their frame; of images and of objects.
fn index() {
    let images = actors::fuzzing::sample_index();
    write("index", "images", &[0], &images);
    let sealed = storage::frame::seal(actors::fuzzing::INDEX_KIND, &images);
    write("index", "images-file", &[2], &sealed);
    // Inode of the root; the directory's prefix and stamp, the number of objects, and they.
    let number = |number: u64| number.to_le_bytes();
    let record = [
        b"ab".as_slice(),
        &number(4096),
        &number(1),
        &number(2),
        &2_u32.to_le_bytes(),
    ]
    .concat();
    let objects = [
        number(7).as_slice(),
        &record,
        &[3; 140],
        b"cd",
        &record[2..26],
        &[0; 4],
    ]
    .concat();
    write("index", "objects", &[1], &objects);
    let sealed = storage::frame::seal(storage::fuzzing::INDEX_KIND, &objects);
    write("index", "objects-file", &[3], &sealed);
    write("index", "objects-none", &[1], &number(7));
}

/// Numbers as in the target's table of kinds.
fn texts() {
    write("texts", "triggers", &[1], &file("image/tests/data/triggers1"));
    write(
        "texts",
        "computed-json",
        &[4],
        &file("image/tests/data/computed1.json"),
    );
    write(
        "texts",
        "image-json",
        &[5],
        &file("image/tests/data/v1.meta.json"),
    );
    write(
        "texts",
        "find-json",
        &[5],
        &recording("ImageServer.FindLatestImage.json", "client.bin", 1),
    );
    write(
        "texts",
        "watch-json",
        &[5],
        &recording("Logger.Watch.json", "server.bin", 1),
    );
    for (name, kind, text) in [
        ("tags-json", 3, "# comment\n{\"a\": \"b\", \"c\": \"\"}"),
        ("tags", 6, "a=b,c=d,a=e"),
        ("required", 7, "/etc:d,/etc/passwd:f,/dev/tty:c"),
        ("computed", 8, "# list\n/etc/x host:6971\n"),
        ("name", 9, "a/../b//c.d"),
        ("size", 10, "10MiB"),
        ("duration", 11, "-1h15m30.918s"),
        ("time", 12, "2023-11-14T22:13:20.123456789+01:00"),
        ("hash", 13, &"0f".repeat(64)),
        ("versions", 14, "1.10a\x001.9"),
        ("value", 15, "0x1_f"),
    ] {
        write("texts", name, &[kind], text.as_bytes());
    }
    let arguments = b"debug = 0x1\n# c\0-ignoreExpiring\0--timeout\x001m0.5s\0add\0a\0b";
    write("texts", "arguments", &[0], arguments);
}
