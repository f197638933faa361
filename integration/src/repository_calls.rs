//! Calls to an image repository as its clients make them, over one kept connection.
#![allow(clippy::expect_used, reason = "of tests: without digests none can go on")]

use crate::http_talk::{Reply, Talk};
use crate::repository::Imgapi;
use anyhow::{Result, ensure};
use repository::digest::{Digester, Digests};
use serde_json::{Value, json};

/// A client. Every call goes over the same connection, so that each shows that the one before left it usable.
pub struct Calls {
    talk: Talk,
    version: Option<&'static str>,
}

impl Calls {
    /// One that takes any version of the interface, as the usual clients do.
    pub fn to(daemon: &Imgapi) -> Result<Self> {
        Self::of_version(daemon, Some("*"))
    }

    /// One that says this in `Accept-Version`, or nothing.
    pub fn of_version(daemon: &Imgapi, version: Option<&'static str>) -> Result<Self> {
        Ok(Self {
            talk: daemon.talk()?,
            version,
        })
    }

    /// The connection, for what is not a whole request.
    pub fn talk(&mut self) -> &mut Talk {
        &mut self.talk
    }

    pub fn ask(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        let version = self.version.map(|version| ("accept-version", version));
        let headers: Vec<_> = version.into_iter().chain(headers.iter().copied()).collect();
        self.talk.ask(method, url, &headers, body)
    }

    pub fn get(&mut self, url: &str) -> Result<Reply> {
        self.ask("GET", url, &[], b"")
    }

    /// Nothing but the address.
    pub fn post(&mut self, url: &str) -> Result<Reply> {
        self.ask("POST", url, &[], b"")
    }

    pub fn post_json(&mut self, url: &str, body: &Value) -> Result<Reply> {
        let headers = [("content-type", "application/json")];
        self.ask("POST", url, &headers, body.to_string().as_bytes())
    }

    pub fn put(&mut self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        self.ask("PUT", url, headers, body)
    }

    pub fn delete(&mut self, url: &str) -> Result<Reply> {
        self.ask("DELETE", url, &[], b"")
    }

    /// A new image, not activated, without a file; its UUID. `query` begins with a question mark, if it is not empty.
    pub fn create(&mut self, query: &str, fields: &Value) -> Result<String> {
        let created = self.post_json(&format!("/images{query}"), &manifest(fields))?;
        let created = expect(created, 200)?.json()?;
        Ok(created["uuid"].as_str().unwrap_or_default().to_owned())
    }

    /// The same with a file.
    pub fn create_with_file(&mut self, content: &[u8]) -> Result<String> {
        let uuid = self.create("", &json!({}))?;
        expect(self.add_file(&uuid, content)?, 200)?;
        Ok(uuid)
    }

    pub fn add_file(&mut self, uuid: &str, content: &[u8]) -> Result<Reply> {
        self.put(&format!("/images/{uuid}/file?compression=none"), &[], content)
    }

    pub fn activate(&mut self, uuid: &str) -> Result<Reply> {
        self.post(&format!("/images/{uuid}?action=activate"))
    }

    /// UUIDs of a list.
    pub fn list(&mut self, query: &str) -> Result<Vec<String>> {
        let list = expect(self.get(&format!("/images{query}"))?, 200)?.json()?;
        let uuid = |image: &Value| image["uuid"].as_str().unwrap_or_default().to_owned();
        Ok(list.as_array().into_iter().flatten().map(uuid).collect())
    }
}

/// A manifest for a new image: a small one, with these fields besides or instead.
pub fn manifest(fields: &Value) -> Value {
    let mut manifest = json!({
        "name": "test", "version": "1.0.0", "type": "zone-dataset", "os": "smartos", "public": true,
        "owner": "352971aa-31ba-496c-9ade-a379feaecd52",
    });
    for (key, value) in fields.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    manifest
}

/// The answer, if it has that status.
pub fn expect(reply: Reply, status: u16) -> Result<Reply> {
    ensure!(
        reply.status == status,
        "{} in place of {status}: {}",
        reply.status,
        reply.text()
    );
    Ok(reply)
}

/// The message of an answer that has that status and that code word.
pub fn refused(reply: Reply, status: u16, code: &str) -> Result<String> {
    let reply = expect(reply, status)?;
    ensure!(
        reply.code() == code,
        "{} in place of {code}: {}",
        reply.code(),
        reply.text()
    );
    Ok(reply.json()?["message"].as_str().unwrap_or_default().to_owned())
}

/// What a repository computes of a file.
pub fn digests(content: &[u8]) -> Digests {
    let mut digester = Digester::new().expect("OpenSSL has SHA-1 and MD5");
    digester.update(content).expect("OpenSSL computes");
    digester.finish().expect("OpenSSL computes")
}
