//! A small HTTP server on a port of this host, for what no real repository does when asked: cut connections at a byte, announce wrong
//! digests, know nothing of ranges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "test support: what cannot go on has failed, and each test file uses a part of it"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use repository::digest::{Digester, Digests};

pub(crate) const UUID: &str = "c58161c0-2547-41e2-a75e-9fdca1940570";

/// A request, its body not read yet.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Bytes of the body, at most so many; fewer if the client goes away.
    pub(crate) fn body(&mut self, most: usize) -> Vec<u8> {
        let length: usize = self
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        let _ = (&mut self.reader)
            .take(length.min(most) as u64)
            .read_to_end(&mut body);
        body
    }

    /// Whether it brings bytes, and does not only ask for what is there.
    pub(crate) fn range_is_a_piece(&self) -> bool {
        self.header("content-range")
            .is_some_and(|range| !range.starts_with("bytes *"))
    }

    /// First byte of `Range: bytes=N-`.
    pub(crate) fn range_start(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        Some(range.trim_end_matches('-').parse().unwrap())
    }
}

/// What is answered.
pub(crate) struct Reply {
    head: String,
    pub(crate) body: Vec<u8>,
    /// Bytes of the body that are sent before the connection is closed; `None` for all.
    pub(crate) cut: Option<usize>,
    /// Nothing more is sent behind the cut, and the connection stays open.
    pub(crate) stalls: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!(
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        Self {
            head: head + "\r\n",
            body: body.to_vec(),
            cut: None,
            stalls: false,
        }
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!("{{\"code\":\"{code}\",\"message\":\"told\"}}");
        Self::new(status, &[("content-type", "application/json")], body.as_bytes())
    }

    pub(crate) fn json(status: u16, text: &str) -> Self {
        Self::new(status, &[("content-type", "application/json")], text.as_bytes())
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    pub(crate) fn stall_after(mut self, bytes: usize) -> Self {
        self.stalls = true;
        self.cut_after(bytes)
    }
}

/// A server that lives as long as the test; `None` of the handler closes the connection without an answer.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(mut handler: impl FnMut(&mut Request) -> Option<Reply> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        std::thread::spawn(move || {
            // Connections that stand still are kept until the test is over.
            let mut kept = Vec::new();
            for stream in listener.incoming().flatten() {
                let Some(mut request) = read_head(&stream) else {
                    continue;
                };
                let ranges =
                    ["range", "content-range"].map(|name| request.header(name).unwrap_or("-").to_owned());
                noted
                    .lock()
                    .unwrap()
                    .push(format!("{} {} {}", request.method, ranges[0], ranges[1]));
                let Some(reply) = handler(&mut request) else {
                    continue;
                };
                let mut stream = &stream;
                let cut = reply.cut.unwrap_or(reply.body.len());
                let _ = stream.write_all(reply.head.as_bytes());
                let _ = stream.write_all(&reply.body[..cut]);
                if reply.stalls {
                    kept.push(stream.try_clone().unwrap());
                } else {
                    // What the client still sends is read, so that closing does not take the answer back.
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let _ = std::io::copy(&mut request.reader, &mut std::io::sink());
                }
            }
        });
        Self { url, seen }
    }

    /// Method, `Range` and `Content-Range` of each request so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn read_head(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ');
    let (method, url) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Some(Request {
        method,
        url,
        headers: headers.collect(),
        reader,
    })
}

pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

pub(crate) fn digests(bytes: &[u8]) -> Digests {
    let mut digester = Digester::new().unwrap();
    digester.update(bytes).unwrap();
    digester.finish().unwrap()
}

/// An image whose file is these bytes.
pub(crate) fn manifest(content: &[u8]) -> String {
    let digests = digests(content);
    format!(
        r#"{{"uuid":"{UUID}","state":"active","files":[{{"sha1":"{}","size":{},"compression":"none"}}]}}"#,
        digests.sha1, digests.size
    )
}

/// How a repository that knows ranges answers.
pub(crate) fn file(content: &[u8], start: Option<usize>) -> Reply {
    let digests = digests(content);
    let mut headers = vec![
        ("etag", digests.sha1.as_str()),
        ("content-md5", digests.md5.as_str()),
    ];
    let Some(start) = start else {
        return Reply::new(200, &headers, content);
    };
    let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
    headers.push(("content-range", &range));
    Reply::new(206, &headers, &content[start..])
}
