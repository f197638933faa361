//! One recorded conversation on disk, and sending its client's bytes to a server.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server that says nothing for so long has not understood.
const SILENCE_SECONDS: u64 = 20;

/// The recordings and files of the originals that lie beside a checkout, where they do.
pub fn shared_golden() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    path.is_dir().then_some(path)
}

pub struct Recording {
    /// Directory name, for example `ImageServer.CheckImage.missing.gob`.
    pub name: String,
    pub client: Vec<u8>,
    pub server: Vec<u8>,
}

impl Recording {
    pub fn read(directory: &Path) -> Result<Self> {
        let read = |file| {
            std::fs::read(directory.join(file)).with_context(|| format!("{}/{file}", directory.display()))
        };
        let name = directory
            .file_name()
            .context("a directory name")?
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            client: read("client.bin")?,
            server: read("server.bin")?,
        })
    }

    /// `Service.Method` of `Service.Method[.variant].CODER`.
    pub fn method(&self) -> String {
        self.name.split('.').take(2).collect::<Vec<_>>().join(".")
    }

    pub fn is_json(&self) -> bool {
        self.name.ends_with(".json")
    }

    /// Everything the server at `address` says to the recorded client, up to the end of the connection.
    ///
    /// All bytes are sent at once and the sending side is closed: a server answers in order and may not lose what
    /// came early on a plain path (`srpc.md` §2.3).
    pub fn replay(&self, address: SocketAddr) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(SILENCE_SECONDS)))?;
        stream.write_all(&self.client)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .with_context(|| format!("{}: after {} bytes", self.name, answer.len()))?;
        Ok(answer)
    }
}
