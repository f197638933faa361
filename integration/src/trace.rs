//! System calls of a server as `strace -f -y -xx` writes them down.

use anyhow::{Context, Result, bail};
use std::collections::HashMap;

/// The calls a [`Trace`] needs: all that change files, read requests or write replies.
pub const CALLS: &str = "trace=openat,openat2,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,recvfrom,read,readv,\
    fsync,fdatasync,syncfs,sync_file_range,linkat,link,renameat,renameat2,rename,unlinkat,unlink,ftruncate,truncate,\
    mkdirat,mkdir,copy_file_range,sendfile,splice,fallocate,ioctl";

/// One call. A call has an effect somewhere between its start and its end.
#[derive(Debug, Clone)]
pub struct Call {
    /// Lines of the trace, which is what stands for time.
    pub start: usize,
    pub end: usize,
    pub name: String,
    pub arguments: Vec<String>,
    /// -1 for a failure.
    pub result: i64,
    /// What the result refers to, where that is a file.
    pub result_path: String,
}

/// All calls that ended, by their ends.
#[derive(Debug, Default)]
pub struct Trace {
    pub calls: Vec<Call>,
}

impl Trace {
    pub fn parse(text: &str) -> Result<Self> {
        let mut open: HashMap<&str, (usize, String)> = HashMap::new();
        let mut calls = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let Some((thread, rest)) = line.split_once(' ') else {
                continue;
            };
            let rest = rest.trim_start();
            // Threads that come and go, and what was under way when the trace ended.
            if rest.starts_with("+++") || rest.starts_with("---") || rest.ends_with("<detached ...>") {
                continue;
            }
            if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
                open.insert(thread, (number, begun.to_owned()));
                continue;
            }
            let (start, whole) = match rest.strip_prefix("<... ") {
                Some(resumed) => {
                    let (_, tail) = resumed.split_once(" resumed>").context("no resumed call")?;
                    // Begun before the trace.
                    let Some((start, begun)) = open.remove(thread) else {
                        continue;
                    };
                    (start, begun + tail)
                }
                None => (number, rest.to_owned()),
            };
            calls.push(
                Call::parse(start, number, &whole)
                    .with_context(|| format!("line {}: {whole}", number + 1))?,
            );
        }
        Ok(Self { calls })
    }

    /// The same without some calls: what the server would have left undone.
    pub fn without(&self, drop: impl Fn(&Call) -> bool) -> Self {
        Self {
            calls: self.calls.iter().filter(|call| !drop(call)).cloned().collect(),
        }
    }
}

impl Call {
    fn parse(start: usize, end: usize, whole: &str) -> Result<Self> {
        let (name, rest) = whole.split_once('(').context("no call")?;
        let (arguments, result) = rest.rsplit_once(" = ").context("no result")?;
        let arguments = arguments.trim_end().strip_suffix(')').context("no end")?;
        let (number, path) = descriptor_and_path(result);
        Ok(Self {
            start,
            end,
            name: name.to_owned(),
            arguments: split(arguments),
            result: number,
            result_path: path,
        })
    }

    pub fn is_success(&self) -> bool {
        self.result >= 0
    }

    pub fn argument(&self, number: usize) -> &str {
        self.arguments.get(number).map_or("", String::as_str)
    }

    /// A descriptor and the path it was opened by.
    pub fn descriptor(&self, number: usize) -> (i64, String) {
        descriptor_and_path(self.argument(number))
    }

    /// A path relative to the directory in the argument before it.
    pub fn path(&self, number: usize) -> String {
        let name = String::from_utf8_lossy(&text(self.argument(number))).into_owned();
        if name.starts_with('/') || number == 0 {
            return name;
        }
        match (name.as_str(), self.descriptor(number - 1).1) {
            (".", directory) => directory,
            (_, directory) => format!("{directory}/{name}"),
        }
    }

    /// Bytes written, sent or received.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = match self.name.as_str() {
            "writev" | "pwritev" | "pwritev2" | "readv" | "sendmsg" => all_texts(self.argument(1)),
            "write" | "pwrite64" | "sendto" | "recvfrom" | "read" => text(self.argument(1)),
            other => bail!("{other} carries no bytes that can be seen"),
        };
        bytes.truncate(usize::try_from(self.result).unwrap_or(0));
        Ok(bytes)
    }
}

/// `12<PATH>` or `12<PATH>(deleted)`.
fn descriptor_and_path(argument: &str) -> (i64, String) {
    let digits = argument
        .split(|c: char| c != '-' && !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let path = match (argument.find('<'), argument.rfind('>')) {
        (Some(from), Some(to)) if from < to => {
            String::from_utf8_lossy(&unescape(&argument[from + 1..to])).into_owned()
        }
        _ => String::new(),
    };
    (digits.parse().unwrap_or(-1), path)
}

/// Arguments apart at the commas that are in no text and no bracket.
fn split(arguments: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0_i32, false);
    for c in arguments.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if c == ',' && !quoted && depth == 0 {
            parts.push(std::mem::take(&mut part).trim().to_owned());
        } else {
            part.push(c);
        }
    }
    parts.push(part.trim().to_owned());
    parts
}

/// The text between the first two quotes.
fn text(argument: &str) -> Vec<u8> {
    argument.split('"').nth(1).map(unescape).unwrap_or_default()
}

fn all_texts(argument: &str) -> Vec<u8> {
    argument
        .split('"')
        .skip(1)
        .step_by(2)
        .flat_map(unescape)
        .collect()
}

/// `-xx` writes every byte as `\xHH`; what is not written so stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len() / 4), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after
            .strip_prefix(b"x")
            .and_then(|hex| hex.get(..2))
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match escaped {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_lines_become_one_call() {
        let text = r#"7  fsync(39<\x2f\x61> <unfinished ...>
8  write(4<\x2f\x62>(deleted), "\x01,\x22", 3) = 2
7  <... fsync resumed>)            = 0
8  linkat(AT_FDCWD<\x2f>, "\x2f\x70", 4<\x2f\x62>, "\x63", AT_SYMLINK_FOLLOW) = -1 EEXIST (File exists)"#;
        let trace = Trace::parse(text).unwrap();
        let [write, fsync, link] = &trace.calls[..] else {
            panic!("{trace:?}");
        };
        assert_eq!((write.bytes().unwrap(), write.result), (b"\x01,".to_vec(), 2));
        assert_eq!((fsync.start, fsync.end, fsync.result), (0, 2, 0));
        assert_eq!(fsync.descriptor(0), (39, "/a".to_owned()));
        assert_eq!((link.path(1), link.path(3)), ("/p".to_owned(), "/b/c".to_owned()));
        assert!(!link.is_success());
    }
}
