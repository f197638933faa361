//! The order of flush, link, directory flush and reply, in a trace of the real server; and what a power cut at any
//! moment of that trace would have left.
//!
//! The trace is that of all system calls which change files or answer clients. A second server is not killed here: the
//! machine is, in thought, between any two of those calls.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, bail, ensure};
use gob::Time;
use hash::Hash;
use integration::images::{delete, make_directory};
use integration::power_cut::{Machine, Moment, Survivors, moments};
use integration::random::{Random, rounds};
use integration::server::{Home, INSECURE};
use integration::strace::{Strace, obstacle};
use integration::told::{add_whole, change_expiration, in_minutes};
use integration::trace::{CALLS, Call, Trace};
use integration::whole::Contents;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Environment variable with the number of arbitrary power cuts at each moment.
const CUTS_VARIABLE: &str = "IMAGEWRIGHT_POWER_CUTS";
const SHORT_CUTS: usize = 2;
/// Longer than any call writes at once.
const WHOLE_TEXTS: &str = "33554432";

/// What the client asked, in this order, one call after the other.
const IMAGES: [&str; 3] = ["few", "group", "d/large"];

/// An answer, from the moment on at which its first byte was given to the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Object(Hash),
    Added(String),
    Deleted(String),
    Expires(String),
    Directory,
}

/// A trace with all that is known about it.
struct Recorded {
    trace: Trace,
    images: String,
    objects: String,
    contents: BTreeMap<String, Contents>,
}

fn contents(random: &mut Random) -> BTreeMap<String, Contents> {
    let files = |count: usize, random: &mut Random| -> Contents {
        (0..count)
            .map(|number| (format!("file{number}"), random.bytes(50 + 13 * number)))
            .collect()
    };
    let (few, group, mut large) = (files(2, random), files(25, random), files(1, random));
    large.insert("large".to_owned(), random.bytes((2 << 20) + 17));
    IMAGES
        .iter()
        .map(|name| (*name).to_owned())
        .zip([few, group, large])
        .collect()
}

/// Has a server do some work, and writes down what it asks of the kernel.
fn record(random: &mut Random) -> Result<Recorded> {
    let home = Home::new()?;
    let server = home.start(INSECURE)?;
    let output = home.path().join("trace");
    let strace = Strace::attach(&server, &output, &["-y", "-xx", "-s", WHOLE_TEXTS, "-e", CALLS])?;
    let contents = contents(random);
    make_directory(&server, "d")?;
    for name in IMAGES {
        let expires_at = match name {
            "group" => in_minutes(60),
            _ => Time::ZERO,
        };
        add_whole(&server, name, &contents[name], expires_at)?;
    }
    change_expiration(&server, "group", in_minutes(120))?;
    delete(&server, "few")?;
    delete(&server, "d/large")?;
    let trace = Trace::parse(&strace.detach()?)?;
    Ok(Recorded {
        trace,
        images: home.images().display().to_string(),
        objects: home.objects().display().to_string(),
        contents,
    })
}

impl Recorded {
    fn object_path(&self, hash: &Hash) -> String {
        let hex = hash.to_string();
        format!("{}/{}/{}/{}", self.objects, &hex[..2], &hex[2..4], &hex[4..])
    }

    fn hashes(&self) -> BTreeSet<Hash> {
        self.contents
            .values()
            .flat_map(BTreeMap::values)
            .map(|content| hash::of(content))
            .collect()
    }

    /// Which line begins which reply.
    fn replies(&self, trace: &Trace) -> Result<Vec<(usize, Reply)>> {
        let mut conversations: BTreeMap<i64, Conversation> = BTreeMap::new();
        let (mut added, mut deleted) = (IMAGES.iter(), ["few", "d/large"].iter());
        let (hashes, mut replies) = (self.hashes(), Vec::new());
        for call in trace.calls.iter().filter(|call| call.is_success()) {
            let (descriptor, path) = call.descriptor(0);
            if !path.starts_with("socket:") && !path.starts_with("TCP") {
                continue;
            }
            let conversation = conversations.entry(descriptor).or_default();
            match call.name.as_str() {
                "recvfrom" | "read" | "readv" => conversation.hear(&call.bytes()?),
                "sendto" | "write" | "writev" | "sendmsg" => {
                    let bytes = call.bytes()?;
                    for reply in conversation.say(&bytes, &hashes) {
                        let reply = match reply {
                            Reply::Added(_) => Reply::Added(next(&mut added)?),
                            Reply::Deleted(_) => Reply::Deleted(next(&mut deleted)?),
                            other => other,
                        };
                        replies.push((call.start, reply));
                    }
                }
                _ => {}
            }
        }
        Ok(replies)
    }
}

fn next(names: &mut std::slice::Iter<'_, &str>) -> Result<String> {
    Ok((*names.next().context("more replies than calls")?).to_owned())
}

/// One connection.
#[derive(Default)]
struct Conversation {
    method: String,
    said: Vec<u8>,
    told: BTreeSet<Hash>,
    is_answered: bool,
}

impl Conversation {
    fn hear(&mut self, bytes: &[u8]) {
        if bytes.starts_with(b"CONNECT ") {
            *self = Self::default();
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            if self.method.is_empty()
                && (line.starts_with(b"ImageServer.") || line.starts_with(b"ObjectServer."))
            {
                self.method = String::from_utf8_lossy(line).into_owned();
                self.said.clear();
            }
        }
    }

    /// What is answered by these bytes. The first byte after the method accepts the call and answers nothing.
    fn say(&mut self, bytes: &[u8], hashes: &BTreeSet<Hash>) -> Vec<Reply> {
        if self.method.is_empty() {
            return Vec::new();
        }
        self.said.extend_from_slice(bytes);
        if self.method == "ObjectServer.AddObjects" {
            let mut news = Vec::new();
            for hash in hashes {
                let needle = in_gob(hash);
                let is_said = self.said.windows(needle.len()).any(|window| window == needle);
                if is_said && self.told.insert(*hash) {
                    news.push(Reply::Object(*hash));
                }
            }
            return news;
        }
        if self.said.len() < 2 || self.is_answered {
            return Vec::new();
        }
        self.is_answered = true;
        match self.method.as_str() {
            "ImageServer.AddImage" => vec![Reply::Added(String::new())],
            "ImageServer.DeleteImage" => vec![Reply::Deleted(String::new())],
            "ImageServer.ChangeImageExpiration" => vec![Reply::Expires("group".to_owned())],
            _ => vec![Reply::Directory],
        }
    }
}

/// An array travels as its elements, and a number from 128 on as its length and itself.
fn in_gob(hash: &Hash) -> Vec<u8> {
    let element = |byte: &u8| match byte {
        0..128 => vec![*byte],
        _ => vec![0xff, *byte],
    };
    hash.as_bytes().iter().flat_map(element).collect()
}

/// The last link or rename that gives this path its file.
fn linked<'a>(trace: &'a Trace, path: &str, before: usize) -> Result<&'a Call> {
    trace
        .calls
        .iter()
        .filter(|call| matches!(call.name.as_str(), "linkat" | "renameat" | "renameat2") && call.is_success())
        .rfind(|call| call.end < before && call.path(3) == path)
        .with_context(|| format!("{path} is acknowledged and was never linked"))
}

/// Whether there is a flush between two lines, of what `is_it` says or of everything.
fn is_flushed(trace: &Trace, from: usize, to: usize, is_it: impl Fn(&Call) -> bool) -> bool {
    trace.calls.iter().any(|call| {
        let is_flush = match call.name.as_str() {
            "syncfs" => true,
            "fsync" | "fdatasync" => is_it(call),
            _ => false,
        };
        is_flush && call.is_success() && call.start > from && call.end < to
    })
}

/// Data flushed, then linked, then the directory flushed, then the reply.
fn check_file(trace: &Trace, path: &str, reply: usize) -> Result<()> {
    let link = linked(trace, path, reply)?;
    let source = link.path(1);
    let is_source = |call: &Call| match source.strip_prefix("/proc/self/fd/") {
        Some(descriptor) => call.descriptor(0).0.to_string() == descriptor,
        None => call.descriptor(0).1 == source,
    };
    let last_write = trace
        .calls
        .iter()
        .filter(|call| call.end < link.start && call.name.contains("write") && is_source(call))
        .map(|call| call.end)
        .max()
        .with_context(|| format!("{path} was never written"))?;
    ensure!(
        is_flushed(trace, last_write, link.start, is_source),
        "{path}: linked before its data was flushed"
    );
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    ensure!(
        is_flushed(trace, link.end, reply, |call| call.descriptor(0).1 == directory),
        "{path}: acknowledged before its directory was flushed"
    );
    Ok(())
}

fn check_tombstone(trace: &Trace, path: &str, reply: usize) -> Result<()> {
    let truncated = trace
        .calls
        .iter()
        .rfind(|call| call.name == "ftruncate" && call.descriptor(0).1 == path && call.end < reply)
        .with_context(|| format!("{path} is acknowledged as deleted and was not truncated"))?;
    ensure!(
        is_flushed(trace, truncated.end, reply, |call| call.descriptor(0).1 == path),
        "{path}: acknowledged before the tombstone was flushed"
    );
    Ok(())
}

/// The order of calls for every object, image and tombstone. Gives what was checked.
fn check_order(recorded: &Recorded, trace: &Trace) -> Result<BTreeSet<Reply>> {
    let mut checked = BTreeSet::new();
    for (line, reply) in recorded.replies(trace)? {
        match &reply {
            Reply::Object(hash) => check_file(trace, &recorded.object_path(hash), line)?,
            Reply::Added(name) | Reply::Expires(name) => {
                check_file(trace, &format!("{}/{name}", recorded.images), line)?;
            }
            Reply::Deleted(name) => check_tombstone(trace, &format!("{}/{name}", recorded.images), line)?,
            Reply::Directory => continue,
        }
        checked.insert(reply);
    }
    Ok(checked)
}

/// What must be found, given what was answered so far.
fn check_survivors(
    recorded: &Recorded,
    told: &BTreeSet<Reply>,
    delete_begun: &BTreeSet<String>,
    found: &Survivors,
) -> Result<()> {
    for (path, bytes) in found {
        if let Some(place) = path.strip_prefix(&format!("{}/", recorded.objects)) {
            let is_whole = place.starts_with('.') || hash::of(bytes).to_string() == place.replace('/', "");
            ensure!(is_whole, "half an object: {path}, {} bytes", bytes.len());
        } else if let Some(name) = path.strip_prefix(&format!("{}/", recorded.images)) {
            let last = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
            if last.starts_with('.')
                || last.ends_with('~')
                || (bytes.is_empty() && delete_begun.contains(name))
            {
                continue;
            }
            protocol::image_file::decode(bytes).with_context(|| format!("half an image: {name}"))?;
        }
    }
    for reply in told {
        match reply {
            Reply::Object(hash) => {
                ensure!(
                    found.contains_key(&recorded.object_path(hash)),
                    "object {hash} is lost"
                );
            }
            Reply::Added(name) => {
                let bytes = found.get(&format!("{}/{name}", recorded.images));
                ensure!(bytes.is_some(), "image {name} is lost");
            }
            Reply::Deleted(name) => {
                let bytes = found.get(&format!("{}/{name}", recorded.images));
                ensure!(bytes.is_some_and(Vec::is_empty), "image {name} is back");
            }
            Reply::Expires(name) => {
                let bytes = found.get(&format!("{}/{name}", recorded.images));
                let bytes = bytes.with_context(|| format!("image {name} is lost"))?;
                let (image, _) = protocol::image_file::decode(bytes)?;
                ensure!(image.expires_at > in_minutes(90), "the old expiration is back");
            }
            Reply::Directory => {}
        }
    }
    Ok(())
}

/// Cuts the power before and after every call. Gives the number of cuts.
fn check_power_cuts(recorded: &Recorded, trace: &Trace, cuts: usize, random: &mut Random) -> Result<usize> {
    let mut machine = Machine::new(&[Path::new(&recorded.images), Path::new(&recorded.objects)]);
    let mut replies = recorded.replies(trace)?.into_iter().peekable();
    let (mut told, mut delete_begun, mut count) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (moment, call) in moments(trace) {
        if call.name == "ftruncate" && moment == Moment::Start {
            let path = call.descriptor(0).1;
            let name = path.strip_prefix(&format!("{}/", recorded.images));
            delete_begun.extend(name.map(str::to_owned));
        }
        machine.step(moment, call).with_context(|| format!("{call:?}"))?;
        let mut is_news = moment == Moment::End && !matches!(call.name.as_str(), "recvfrom" | "read");
        while replies
            .next_if(|(line, _)| *line <= call.start)
            .is_some_and(|(_, reply)| told.insert(reply))
        {
            is_news = true;
        }
        if !is_news {
            continue;
        }
        let mut judge = |found: &Survivors| {
            count += 1;
            check_survivors(recorded, &told, &delete_begun, found)
                .with_context(|| format!("power cut at line {} of the trace, {}", call.end + 1, call.name))
        };
        judge(&machine.cut())?;
        for _ in 0..cuts {
            judge(&machine.cut_at_random(random))?;
        }
    }
    ensure!(replies.peek().is_none(), "replies were left over");
    Ok(count)
}

/// Which calls are flushes of a kind.
type Kind<'a> = &'a dyn Fn(&Call) -> bool;

/// A check that cannot fail is none: without each kind of flush it must.
fn check_the_checks(recorded: &Recorded, random: &mut Random) -> Result<()> {
    let is_image = |path: &str| path.starts_with(&recorded.images);
    let kinds: [(&str, Kind<'_>); 5] = [
        ("data of single objects", &|call| call.name == "fdatasync"),
        ("groups", &|call| call.name == "syncfs"),
        ("directories of objects", &|call| {
            call.name == "fsync" && !is_image(&call.descriptor(0).1)
        }),
        ("directories of images", &|call| {
            let path = call.descriptor(0).1;
            call.name == "fsync" && (path == recorded.images || path == format!("{}/d", recorded.images))
        }),
        ("image files and tombstones", &|call| {
            let path = call.descriptor(0).1;
            call.name == "fsync" && is_image(&path) && path != recorded.images && !path.ends_with("/d")
        }),
    ];
    for (what, is_it) in kinds {
        let less = recorded.trace.without(is_it);
        if less.calls.len() == recorded.trace.calls.len() {
            bail!("there is no flush of {what}");
        }
        ensure!(
            check_order(recorded, &less).is_err(),
            "the order holds without flushes of {what}"
        );
        ensure!(
            check_power_cuts(recorded, &less, SHORT_CUTS, random).is_err(),
            "a power cut loses nothing without flushes of {what}"
        );
    }
    Ok(())
}

#[test]
fn nothing_is_acknowledged_before_it_is_flushed_and_a_power_cut_loses_nothing() {
    const NAME: &str = "nothing_is_acknowledged_before_it_is_flushed_and_a_power_cut_loses_nothing";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let mut random = Random::for_test(NAME);
    let recorded = record(&mut random).unwrap();
    let checked = check_order(&recorded, &recorded.trace).unwrap();
    let objects = checked.iter().filter(|reply| matches!(reply, Reply::Object(_)));
    assert_eq!(
        objects.count(),
        recorded.hashes().len(),
        "every object is answered"
    );
    assert_eq!(checked.len(), recorded.hashes().len() + IMAGES.len() + 2 + 1);
    let cuts = rounds(CUTS_VARIABLE, SHORT_CUTS);
    let count = check_power_cuts(&recorded, &recorded.trace, cuts, &mut random).unwrap();
    println!("{} calls, {count} power cuts", recorded.trace.calls.len());
    check_the_checks(&recorded, &mut random).unwrap();
}
