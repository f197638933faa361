//! Pages for those who fetch something by HTTP.

use anyhow::Result;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// A web server with the pages it was given; everything else is 404. It lives as long as the test.
pub struct WebServer {
    address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl WebServer {
    pub fn new() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let pages = Arc::<Mutex<HashMap<String, Vec<u8>>>>::default();
        let served = pages.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                // Who asks may go away at any time.
                std::thread::spawn(move || answer(stream, &served));
            }
        });
        Ok(Self { address, pages })
    }

    /// Puts a page there; its address.
    pub fn put(&self, path: &str, body: &[u8]) -> String {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(path.to_owned(), body.to_vec());
        self.url(path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// One request, then the connection ends.
fn answer(mut stream: std::net::TcpStream, pages: &Mutex<HashMap<String, Vec<u8>>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let page = pages
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(path)
        .cloned();
    let (status, body) = match page {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", b"no such page\n".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}
