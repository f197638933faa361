//! Servers that follow each other: replicas of a master, through a wire that can be cut.

use crate::images;
use crate::plain_call::call;
use crate::server::{Home, INSECURE, ImageServer, free_port};
use crate::{told, whole};
use anyhow::{Result, bail, ensure};
use image::{Directory, Image};
use protocol::image_server::*;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long servers may take to hold the same; far longer than they do.
const CONVERGE_SECONDS: u64 = 120;
/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a start is tried that fails.
const START_ATTEMPTS: usize = 5;
/// Bytes the wire carries at a time.
const WIRE_BYTES: usize = 64 << 10;

/// What a server holds, by what it answers: directories with their owner groups, images with their trees, owners and
/// expirations. Of an image everything but what differs between servers on purpose, which is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holding {
    pub directories: BTreeMap<String, String>,
    pub images: BTreeMap<String, Image>,
}

/// A directory with a server that is started again and again on the same port.
pub struct Node {
    pub home: Home,
    pub port: u16,
    flags: Vec<String>,
    pub server: Option<ImageServer>,
}

impl Node {
    /// A master, or with the port of one a replica; starts it.
    pub fn start(master: Option<u16>, flags: &[&str]) -> Result<Node> {
        let mut node = Node::prepare(Home::new()?, master, flags)?;
        node.up()?;
        Ok(node)
    }

    /// The same on directories that are there, without starting it.
    pub fn prepare(home: Home, master: Option<u16>, flags: &[&str]) -> Result<Node> {
        // Over a Unix socket, which clients on the same machine move to, there would be no wire to cut.
        let no_socket: &[&str] = &["-srpcUnixSocketPath="];
        let all = INSECURE.iter().chain(no_socket).chain(flags);
        let mut all: Vec<String> = all.map(|flag| (*flag).to_owned()).collect();
        if let Some(port) = master {
            all.push("-imageServerHostname=127.0.0.1".to_owned());
            all.push(format!("-imageServerPortNum={port}"));
        }
        Ok(Node {
            home,
            port: free_port()?,
            flags: all,
            server: None,
        })
    }

    /// Starts it unless it runs.
    pub fn up(&mut self) -> Result<()> {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        for attempt in 0.. {
            if self.server.is_some() {
                break;
            }
            match self.home.start_on(self.port, &[], &flags) {
                Ok(server) => self.server = Some(server),
                // Somebody's outgoing connection may have been given our port meanwhile.
                Err(_) if attempt < START_ATTEMPTS => std::thread::sleep(Duration::from_millis(200)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), ImageServer::kill)
    }

    /// The running server.
    pub fn server(&self) -> Result<&ImageServer> {
        match &self.server {
            Some(server) => Ok(server),
            None => bail!("it is not running"),
        }
    }
}

/// All that a server answers about what it holds.
pub fn holding(server: &ImageServer) -> Result<Holding> {
    let mut holding = Holding::default();
    for directory in directories(server)? {
        holding
            .directories
            .insert(directory.name, directory.metadata.owner_group);
    }
    for name in images::names(server)? {
        if let Some(image) = images::get(server, &name)? {
            holding.images.insert(name, image);
        }
    }
    Ok(holding)
}

/// All directories with their owner groups.
pub fn directories(server: &ImageServer) -> Result<Vec<Directory>> {
    directories_at(server.address())
}

/// The same of whoever listens there.
pub fn directories_at(address: SocketAddr) -> Result<Vec<Directory>> {
    let mut stream = crate::plain_call::connect(address)?;
    stream.get_mut().write_all(b"ImageServer.ListDirectories\n")?;
    let mut accepted = [0];
    stream.read_exact(&mut accepted)?;
    ensure!(accepted == *b"\n", "not accepted");
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let (mut received, mut all) = (Vec::new(), Vec::new());
    loop {
        match decoder.decode::<Directory>(&received)? {
            gob::Progress::Value { value, consumed } => {
                received.drain(..consumed);
                if value.name.is_empty() {
                    return Ok(all);
                }
                all.push(value);
            }
            gob::Progress::NeedMore { .. } => {
                let mut piece = [0; 4096];
                let count = stream.read(&mut piece)?;
                ensure!(count > 0, "connection closed within the list");
                received.extend_from_slice(&piece[..count]);
            }
        }
    }
}

/// Waits until a server holds what its master holds, which may still be finishing what it was asked, and says how long that
/// took. Contents are fetched and hashed at the end.
pub fn converges(replica: &ImageServer, master: &ImageServer) -> Result<Duration> {
    let start = Instant::now();
    let expected = loop {
        let expected = holding(master)?;
        match holding(replica) {
            Ok(found) if found == expected => break expected,
            found if start.elapsed() > Duration::from_secs(CONVERGE_SECONDS) => {
                bail!(
                    "not the same after {CONVERGE_SECONDS} s: {}\n{}",
                    difference(&expected, &found?),
                    replica.log_text()
                );
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let took = start.elapsed();
    for name in expected.images.keys() {
        ensure!(whole::fetch(replica, name)?.is_some(), "{name} went away");
    }
    Ok(took)
}

/// In words, briefly.
pub fn difference(expected: &Holding, found: &Holding) -> String {
    let mut lines = Vec::new();
    for (name, image) in &expected.images {
        match found.images.get(name) {
            None => lines.push(format!("image {name} is missing")),
            Some(other) if other != image => lines.push(format!("image {name} is another")),
            Some(_) => {}
        }
    }
    let surplus = found
        .images
        .keys()
        .filter(|name| !expected.images.contains_key(*name));
    lines.extend(surplus.map(|name| format!("image {name} is too much")));
    if expected.directories != found.directories {
        lines.push(format!(
            "directories {:?}, expected {:?}",
            found.directories, expected.directories
        ));
    }
    lines.join("; ")
}

/// Gives a directory of a server that does not run to a group. (A caller without a name may not; directories made below
/// inherit the group.)
pub fn write_owner(home: &Home, directory: &str, group: &str) -> Result<()> {
    let path = home.images().join(directory);
    std::fs::create_dir_all(&path)?;
    Ok(std::fs::write(
        path.join(".metadata"),
        protocol::metadata_file::encode(&image::DirectoryMetadata {
            owner_group: group.to_owned(),
        }),
    )?)
}

/// Removes an empty directory.
pub fn delete_directory(server: &ImageServer, name: &str) -> Result<()> {
    let request = DeleteDirectoryRequest {
        directory_name: name.to_owned(),
    };
    let reply: DeleteDirectoryResponse = call(server.address(), "ImageServer.DeleteDirectory", &request)?;
    ensure!(reply.error.is_empty(), "{}", reply.error);
    Ok(())
}

/// A wire between two servers that can be cut: whoever connects to it is connected to the target.
pub struct Wire {
    pub port: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    /// Lays it. Lasts as long as the process.
    pub fn to(target: u16) -> Result<Wire> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let wire = Wire {
            port: listener.local_addr()?.port(),
            ends: Arc::default(),
        };
        let ends = Arc::clone(&wire.ends);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                let kept = [near.try_clone(), far.try_clone()];
                if let Ok(mut ends) = ends.lock() {
                    ends.extend(kept.into_iter().flatten());
                }
                let halves = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
                for (from, to) in halves {
                    if let (Ok(from), Ok(to)) = (from, to) {
                        std::thread::spawn(move || carry(from, to));
                    }
                }
            }
        });
        Ok(wire)
    }

    /// Cuts every connection there is; the next ones are made as before.
    pub fn cut(&self) {
        if let Ok(mut ends) = self.ends.lock() {
            for end in ends.drain(..) {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut piece = vec![0; WIRE_BYTES];
    while let Ok(count) = from.read(&mut piece) {
        if count == 0 || to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// `GetReplicationMaster`.
pub fn master_of(server: &ImageServer) -> Result<String> {
    let reply: GetReplicationMasterResponse = call(
        server.address(),
        "ImageServer.GetReplicationMaster",
        &GetReplicationMasterRequest {},
    )?;
    Ok(reply.replication_master)
}

/// Waits for a condition; fails after a minute.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !condition() {
        ensure!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Waits until a server has exactly these images.
pub fn until_images(server: &ImageServer, expected: &[&str]) -> Result<()> {
    let what = format!("{expected:?} on {}", server.address());
    until(&what, || {
        images::names(server).is_ok_and(|names| names == expected)
    })
}

/// An image of one file with a time at which it expires.
pub fn put_expiring(server: &ImageServer, name: &str, expires_at: gob::Time) -> Result<()> {
    let contents = whole::Contents::from([("file".to_owned(), name.as_bytes().to_vec())]);
    told::add_whole(server, name, &contents, expires_at)
}

/// A counter or gauge of `/metrics` without labels.
pub fn figure(server: &ImageServer, name: &str) -> Option<f64> {
    let (_, text) = server.page("/metrics").ok()?;
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?;
    line.rsplit(' ').next()?.parse().ok()
}
