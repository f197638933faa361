//! Where things are: pages here, and pages of the image server.

use front::page::{Cell, escape, shell_word};

/// The page of a stream.
pub(super) fn stream(name: &str) -> String {
    format!("/showImageStream?{}", raw_query(name))
}

/// The page of a build of this life of the daemon.
pub(super) fn build(number: u64) -> String {
    format!("/build?{number}")
}

/// The page of a build in the archive.
pub(super) fn archived(name: &str) -> String {
    format!("/build?{}", raw_query(name))
}

/// A page whose whole query string is a name.
pub(super) fn of_name(page: &str, name: &str) -> String {
    format!("/{page}?{}", raw_query(name))
}

/// An image on the image server, `HOST:PORT`.
pub(super) fn image(server: &str, name: &str) -> String {
    format!("http://{server}/showImage?{}", raw_query(name))
}

/// What differs between two images, on the image server.
pub(super) fn compare(server: &str, left: &str, right: &str) -> String {
    let (left, right) = (front::page::encode(left), front::page::encode(right));
    format!("http://{server}/compare?left={left}&right={right}")
}

/// A stream as a cell of a table.
pub(super) fn stream_cell(name: &str, is_auto_rebuilt: bool) -> Cell {
    let link = anchor(&stream(name), name);
    if is_auto_rebuilt {
        Cell::html(format!("<b>{link}</b>"), name)
    } else {
        Cell::html(link, name)
    }
}

/// A link with its text.
pub(super) fn anchor(href: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(href), escape(text))
}

/// The command of the tool: flags and verb as they are, then names.
pub(super) fn command(verb: &str, names: &[&str]) -> String {
    let words = names.iter().map(|name| format!(" {}", shell_word(name)));
    format!("builder-tool {verb}{}", words.collect::<String>())
}

/// A name as a whole query string: what would change its meaning on the way is escaped, the rest stays as it is, since other
/// implementations take it undecoded.
fn raw_query(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for &byte in name.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'/' | b':' | b'@' | b',' | b'+' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use front::page::Query;

    #[test]
    fn a_name_in_a_link_is_read_back() {
        for name in ["a/b.1", "über <x> & \"y\"?#%41=", "c++/2026-11-22:07:00:00", ""] {
            assert_eq!(Query::new(&raw_query(name)).raw_name(), name);
        }
    }

    #[test]
    fn no_name_leaves_its_link_or_its_command() {
        let hostile = "\"><script>alert(1)</script>'; rm -rf /";
        let cell = anchor(&stream(hostile), hostile);
        assert!(
            !cell.contains("<script") && cell.matches('"').count() == 2,
            "{cell}"
        );
        assert_eq!(
            command("build-image", &["a; b"]),
            "builder-tool build-image 'a; b'"
        );
    }
}
