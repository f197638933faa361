//! A server with images that have something of everything, and all its pages.

use super::chromium::{Chromium, program};
use image::tree::mode;
use image::{
    Annotation, DirectoryEntry, DirectoryInode, FileSystem, Filter, Image, Inode, InodeTable, Package,
    RegularInode, SymlinkInode, Trigger, Triggers,
};
use integration::images::{add, make_directory, store};
use integration::server::{Home, ImageServer};

/// Server and browser. The order is that of their ends.
pub(crate) struct Stage {
    pub(crate) chromium: Chromium,
    pub(crate) server: ImageServer,
    _home: Home,
}

/// Two images, of which the second is what became of the first.
pub(crate) const OLD: &str = "base/web/2026-11-21";
pub(crate) const NEW: &str = "base/web/2026-11-22";

impl Stage {
    /// `None` where there is no browser; that is said aloud.
    pub(crate) fn set(test: &str) -> Option<Self> {
        let Some(program) = program() else {
            integration::skip(test, "no chromium: apt-get install chromium");
            return None;
        };
        let home = Home::new().unwrap();
        let server = home.start_insecure(&["-allowUnauthenticatedReads"]).unwrap();
        for directory in ["base", "base/web", "other"] {
            make_directory(&server, directory).unwrap();
        }
        store(&server, &[OLD_TEXT, NEW_TEXT, LOG, BINARY]).unwrap();
        add(&server, OLD, image(OLD_TEXT, "1.9", &["motd"])).unwrap();
        add(&server, NEW, image(NEW_TEXT, "1.10", &["fresh"])).unwrap();
        Some(Self {
            chromium: Chromium::start(program).unwrap(),
            server,
            _home: home,
        })
    }

    /// The address of a page.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.server.port)
    }
}

const OLD_TEXT: &[u8] = b"one\ntwo\nthree\n";
const NEW_TEXT: &[u8] = b"one\ntwo and a half\nthree\n";
const LOG: &[u8] = b"it was built\n";
const BINARY: &[u8] = b"\0\x01\x02 no text";

/// Every page there is, with something on it.
pub(crate) fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/images",
        "/images?directory=base/web",
        "/search?q=web",
        "/search?q=nothing-has-this",
        "/expiring",
        "/listImages",
        "/listDirectories",
        "/listDamaged",
        "/objects",
        "/replication",
        "/dashboards",
        "/compare",
        "/logs",
        "/logs?q=Add&level=0",
        "/logs/showLast?1h",
        "/metrics/",
        "/metrics/srpc/server",
    ]
    .map(str::to_owned)
    .into();
    for page in [
        "showImage",
        "listImage",
        "listComputedInodes",
        "listFilter",
        "listTriggers",
        "listPackages",
        "listBuildLog",
        "listReleaseNotes",
    ] {
        pages.push(format!("/{page}?{NEW}"));
    }
    for path in ["/", "/etc", "/etc/text", "/etc/binary", "/link"] {
        pages.push(format!("/files?image={NEW}&path={path}"));
    }
    pages.push(format!("/compare?left={OLD}&right={NEW}"));
    pages.push(format!("/compareFile?left={OLD}&right={NEW}&path=/etc/text"));
    pages.push(format!("/object?{}", hash::of(NEW_TEXT)));
    pages
}

fn image(text: &[u8], version: &str, names: &[&str]) -> Image {
    let file = |content: &[u8]| {
        Inode::Regular(RegularInode {
            mode: mode::REGULAR | 0o644,
            size: content.len() as u64,
            hash: hash::of(content),
            ..RegularInode::default()
        })
    };
    let entry = |name: &str, inode_number| DirectoryEntry {
        name: name.into(),
        inode_number,
    };
    let mut entries = vec![entry("binary", 2), entry("text", 3)];
    entries.extend(names.iter().map(|name| entry(name, 2)));
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    let directory = |entry_list| DirectoryInode {
        entry_list,
        mode: mode::DIRECTORY | 0o755,
        ..DirectoryInode::default()
    };
    let link = SymlinkInode {
        symlink: "etc/text".into(),
        ..SymlinkInode::default()
    };
    let inodes = vec![
        (1, Inode::Directory(directory(entries))),
        (2, file(BINARY)),
        (3, file(text)),
        (4, Inode::Symlink(link)),
    ];
    let mut tree = FileSystem {
        inode_table: InodeTable::from(inodes),
        directory_inode: directory(vec![entry("etc", 1), entry("link", 4)]),
        ..FileSystem::default()
    };
    tree.recount();
    let annotation = || {
        Some(Annotation {
            object: Some(hash::of(LOG)),
            url: String::new(),
        })
    };
    let package = |number: usize, version: &str| Package {
        name: format!("package{number}"),
        size: number as u64 * 1000,
        version: version.to_owned(),
    };
    Image {
        file_system: Some(tree),
        build_branch: "main".to_owned(),
        build_commit_id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        created_for: "carol".to_owned(),
        filter: Some(Filter {
            filter_lines: vec!["/tmp/.*".to_owned(), ".*[.]pyc".to_owned()],
        }),
        triggers: Some(Triggers {
            triggers: vec![Trigger {
                match_lines: vec!["/etc/.*".to_owned()],
                service: "web-server".to_owned(),
                ..Trigger::default()
            }],
        }),
        packages: (1..=20)
            .map(|number| package(number, if number == 9 { version } else { "2.0" }))
            .collect(),
        release_notes: annotation(),
        build_log: annotation(),
        tags: [("arch".to_owned(), "amd64".to_owned())].into(),
        ..Image::default()
    }
}
