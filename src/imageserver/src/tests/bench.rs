//! A server in this process, on directories of its own.

use std::net::TcpListener;
use std::sync::Arc;

use crate::flags::Options;
use crate::rpc;
use crate::state::{Shared, State};
use actors::image_index::{AddRequest, Requester};
use hash::Hash;
use image::tree::mode;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Filter, Image, Inode, InodeTable, RegularInode};
use srpc::{Client, ConnectOptions, Policy, Registry, Server, UnixSocket};
use tempfile::TempDir;

/// Everything a test needs. Dropping it ends the server.
pub(super) struct Bench {
    pub(super) shared: Shared,
    pub(super) server: Arc<Server>,
    pub(super) address: String,
    system: Option<actors::System>,
    _directory: TempDir,
}

impl Bench {
    /// Starts with these flags beside the directories.
    pub(super) fn start(flags: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let below = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let mut arguments = vec![
            format!("-imageDir={}", below("images").display()),
            format!("-objectDir={}", below("objects").display()),
        ];
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let values = crate::flags::table().parse(arguments).or_leave();
        let options = Options::of(&values).unwrap();
        let without_tls: front::daemon::ClientTls = Arc::new(|| None);
        let system = actors::start(options.actors_config(&without_tls)).unwrap();
        let shared = State::new(options, &system);
        let registry = Registry::builder()
            .service(rpc::image_server::service(&shared))
            .service(rpc::object_server::service(&shared))
            .build();
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        let server = Server::new(registry, None, policy);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        srpc::server::listener::spawn_thread(Arc::clone(&server), listener).unwrap();
        Self {
            shared,
            server,
            address,
            system: Some(system),
            _directory: directory,
        }
    }

    /// A new connection.
    pub(super) async fn client(&self) -> Client {
        Client::connect(&ConnectOptions::new(&self.address))
            .await
            .unwrap()
    }

    /// Adds an image with one file of this content, which is stored first.
    pub(super) async fn add_image(&self, name: &str, content: &[u8]) -> Hash {
        let lease = self.shared.objects.lease();
        let committed = self
            .shared
            .objects
            .add(content.to_vec().into(), &lease)
            .await
            .unwrap();
        let request = AddRequest {
            name: name.to_owned(),
            image: image_with(committed.hash, content.len() as u64),
            requester: Requester::internal(),
            trusted: false,
        };
        self.shared.images.add(request).await.unwrap();
        committed.hash
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.draining().cancel();
        if let Some(system) = self.system.take() {
            // Blocks, which a runtime's thread must not.
            std::thread::spawn(|| system.stop()).join().unwrap();
        }
    }
}

/// An image with one file, `/file <&>`.
pub(super) fn image_with(hash: Hash, size: u64) -> Image {
    let file = RegularInode {
        mode: mode::REGULAR | 0o644,
        size,
        hash,
        ..RegularInode::default()
    };
    let entry = DirectoryEntry {
        name: "file <&>".into(),
        inode_number: 1,
    };
    let mut tree = FileSystem {
        inode_table: InodeTable::from(vec![(1, Inode::Regular(file))]),
        directory_inode: DirectoryInode {
            entry_list: vec![entry],
            mode: mode::DIRECTORY | 0o755,
            ..DirectoryInode::default()
        },
        ..FileSystem::default()
    };
    tree.recount();
    let filter = Some(Filter {
        filter_lines: vec!["/tmp/<b>.*".to_owned()],
    });
    Image {
        file_system: Some(tree),
        filter,
        ..Image::default()
    }
}
