//! Recorded conversations: `=== NAME BYTES BYTES`, the request, `---`, the answer.

use std::path::Path;

pub struct Exchange {
    pub name: String,
    pub request: Request,
    /// Status, headers, body; nothing where the original died.
    pub answer: Option<Recorded>,
}

pub struct Recorded {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Recorded {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

pub fn read(scenario: &str) -> Vec<Exchange> {
    // Two crates at different depths read them.
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut directories = above.map(|directory| directory.join("integration/golden/imgapi"));
    let directory = directories.find(|directory| directory.is_dir()).unwrap();
    let path = directory.join(format!("{scenario}.conversation"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut exchanges = Vec::new();
    let mut rest = &text[..];
    while !rest.is_empty() {
        let line_end = rest.iter().position(|&byte| byte == b'\n').unwrap();
        let line = std::str::from_utf8(&rest[..line_end]).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let lengths: [usize; 2] = [words[2].parse().unwrap(), words[3].parse().unwrap()];
        rest = &rest[line_end + 1..];
        let (request, behind) = rest.split_at(lengths[0]);
        let behind = behind.strip_prefix(b"\n---\n").unwrap();
        let (answer, behind) = behind.split_at(lengths[1]);
        rest = behind.strip_prefix(b"\n").unwrap();
        exchanges.push(Exchange {
            name: words[1].to_owned(),
            request: request_of(request),
            answer: answer_of(answer),
        });
    }
    exchanges
}

fn head(bytes: &[u8]) -> (String, Vec<(String, String)>, Vec<u8>) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    (first, headers.collect(), bytes[end + 4..].to_vec())
}

fn request_of(bytes: &[u8]) -> Request {
    let (first, headers, body) = head(bytes);
    let words: Vec<&str> = first.split(' ').collect();
    Request {
        method: words[0].to_owned(),
        url: words[1].to_owned(),
        headers,
        body,
    }
}

fn answer_of(bytes: &[u8]) -> Option<Recorded> {
    if !bytes.starts_with(b"HTTP/") {
        return None;
    }
    let (first, headers, mut body) = head(bytes);
    // What the recorder noted behind an answer whose client was cut off while it still sent.
    if let Some(body_before) = body.strip_suffix(b"[connection reset]") {
        body = body_before.to_vec();
    }
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Recorded {
        status,
        headers,
        body,
    })
}
