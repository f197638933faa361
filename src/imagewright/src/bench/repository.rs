//! Repositories of images with a REST API: ours, filled and started here, and one that somebody started already.

use super::load::http;
use super::scratch::Scratch;
use super::server::{Server, free_port};
use super::side::{Programs, Side};
use anyhow::{Context, bail};
use openssl::bn::BigNumRef;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use repository::digest::Digester;
use repository::signature::{Algorithm, SignedRequest, authorization, signing_string};
use repository::{Uuid, layout};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Name of the user whose signatures are measured, unless told otherwise.
const USER: &str = "bench";
/// Bits of the key.
const KEY_BITS: u32 = 2048;

/// A repository that answers.
pub(crate) struct Repository {
    pub(crate) side: Side,
    pub(crate) address: SocketAddr,
    process: Option<u32>,
    /// Whose signatures it takes.
    signer: Option<(String, PKey<Private>)>,
    _server: Option<Server>,
}

/// One that somebody started, as the command line tells of it.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) url: String,
    pub(crate) process: Option<u32>,
    pub(crate) user: String,
    pub(crate) key: Option<PathBuf>,
}

impl Repository {
    /// Ours, with so many images, one of which has a file of `file_bytes`.
    pub(crate) fn start(
        programs: &Programs,
        scratch: &Scratch,
        images: u32,
        file_bytes: usize,
    ) -> anyhow::Result<Self> {
        let program = programs
            .imgapi
            .as_ref()
            .context("imgapi is not beside the other programs")?;
        let directory = scratch.fresh("repository");
        let base = directory.join("data");
        fill(&base, images, file_bytes)?;
        let pair = Rsa::generate(KEY_BITS)?;
        let port = free_port()?;
        let configuration = directory.join("configuration.json");
        let settings = json!({
            "port": port, "baseDir": base, "logLevel": "info",
            "authKeys": { USER: [public_line(&pair)] },
        });
        std::fs::write(&configuration, settings.to_string())?;
        scratch.hand_over(&directory)?;
        let mut command = Command::new(program);
        command
            .arg("-f")
            .arg(&configuration)
            .args(["-logDir=", "-alsoLogToStderr"]);
        if let Some((user, group)) = scratch.owner() {
            use std::os::unix::process::CommandExt as _;
            command.uid(user).gid(group);
        }
        let server = Server::start_command(command, port, &directory.join("log"), scratch)?;
        Ok(Self {
            side: Side::Ours,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            process: Some(server.process_id()),
            signer: Some((USER.to_owned(), PKey::from_rsa(pair)?)),
            _server: Some(server),
        })
    }

    /// One that somebody started.
    pub(crate) fn given(given: &Given) -> anyhow::Result<Self> {
        let authority = given
            .url
            .strip_prefix("http://")
            .context("--peer-repository must be http://HOST:PORT")?;
        let address = authority.trim_end_matches('/').to_socket_addrs()?.next();
        let signer = match &given.key {
            Some(path) => {
                let text = std::fs::read(path).with_context(|| path.display().to_string())?;
                let key = PKey::private_key_from_pem(&text);
                let key = key.with_context(|| format!("{}: an RSA key in PEM is needed", path.display()))?;
                Some((given.user.clone(), key))
            }
            None => None,
        };
        Ok(Self {
            side: Side::Theirs,
            address: address.with_context(|| format!("{}: no address", given.url))?,
            process: given.process,
            signer,
            _server: None,
        })
    }

    /// Its process, where it is known.
    pub(crate) fn process(&self) -> Option<u32> {
        self.process
    }

    /// Of all its images: how many, the one with the largest file.
    pub(crate) fn images(&self) -> anyhow::Result<(usize, String)> {
        let list: Value = serde_json::from_slice(&http::body(self.address, "/images")?)?;
        let list = list.as_array().context("the list is no list")?;
        let size = |image: &&Value| image.pointer("/files/0/size").and_then(Value::as_u64);
        let Some(uuid) = list
            .iter()
            .max_by_key(size)
            .and_then(|image| image["uuid"].as_str())
        else {
            bail!("there are no images to measure with");
        };
        Ok((list.len(), uuid.to_owned()))
    }

    /// The headers of a request that is signed now: they are good for five minutes. Nothing without a key.
    pub(crate) fn signed_headers(&self) -> anyhow::Result<Option<String>> {
        let Some((user, key)) = &self.signer else {
            return Ok(None);
        };
        let date = repository::dates::http(SystemTime::now());
        let header = |name: &str| (name == "date").then(|| date.clone());
        let request = SignedRequest {
            method: "GET",
            url: "/ping",
            header: &header,
        };
        let text = signing_string(&request, &["date".to_owned()]).map_err(anyhow::Error::msg)?;
        let signature = Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(text.as_bytes())?;
        let value = authorization(user, Algorithm::RsaSha256, &[], &signature);
        Ok(Some(format!("Date: {date}\r\nAuthorization: {value}\r\n")))
    }
}

/// The line that OpenSSH has for a public key (RFC 4253 §6.6).
fn public_line(pair: &Rsa<Private>) -> String {
    let number = |number: &BigNumRef| {
        let mut bytes = number.to_vec();
        // Else it would be a negative one.
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            bytes.insert(0, 0);
        }
        bytes
    };
    let mut blob = Vec::new();
    for part in [b"ssh-rsa".to_vec(), number(pair.e()), number(pair.n())] {
        blob.extend_from_slice(&(part.len() as u32).to_be_bytes());
        blob.extend_from_slice(&part);
    }
    format!("ssh-rsa {}", openssl::base64::encode_block(&blob))
}

/// Bytes of an image's file, which no file system could store as fewer.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// Records and one file, as the original would have stored them.
fn fill(base: &Path, images: u32, file_bytes: usize) -> anyhow::Result<()> {
    std::fs::create_dir_all(base.join(layout::MANIFESTS))?;
    let content = content(file_bytes);
    let mut digester = Digester::new()?;
    digester.update(&content)?;
    let digests = digester.finish()?;
    for number in 0..images {
        let uuid = Uuid::of_name(Uuid::NIL, &number.to_le_bytes());
        // Only the first one has its file here; the others say less of theirs.
        let (size, sha1) = if number == 0 {
            (digests.size, digests.sha1.clone())
        } else {
            (1000, "0".repeat(40))
        };
        let record = json!({
            "v": 2, "uuid": uuid.to_string(), "owner": "352971aa-31ba-496c-9ade-a379feaecd52",
            "name": format!("image-{}", number % 50), "version": format!("1.0.{number}"), "disabled": false, "activated": true,
            "public": true, "state": "active", "type": "zone-dataset", "os": "linux",
            "published_at": format!("20{:02}-{:02}-{:02}T10:00:00.{:03}Z", 13 + number / 336 % 8, 1 + number / 28 % 12, 1 + number % 28, number / 1000 % 1000),
            "description": "d".repeat(300), "homepage": "http://images.example.com/about",
            "requirements": { "networks": [{ "name": "net0", "description": "public" }], "min_ram": 256 },
            "tags": ["role=os"], "tagsObj": { "role": "os" },
            "files": [{
                "sha1": sha1, "size": size, "compression": "none", "contentMD5": digests.md5,
                "mtime": "2020-01-01T00:00:00.000Z", "stor": "local",
            }],
        });
        std::fs::write(
            base.join(layout::record(uuid)),
            serde_json::to_string_pretty(&record)?,
        )?;
        if number == 0 {
            let file = base.join(layout::file(uuid, 0));
            std::fs::create_dir_all(file.parent().context("a file lies in a directory")?)?;
            std::fs::write(&file, &content)?;
        }
    }
    Ok(())
}
