//! Our gob against Go's own: `cargo run --release -p gob --example against_go [ROUNDS [SEED]]`, with `go` on the
//! PATH.
//!
//! Random values are encoded here, decoded and encoded again by `peer/`, a Go program, and decoded here: they must
//! come back equal. The same for images with fields of a future version. Then both sides are timed on an image of
//! 30,000 inodes.

#[path = "../tests/models/mod.rs"]
mod models;

use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use gob::{Decoder, Encoder, Gob, Limits, Progress, Time};
use models::exotic::Exotic;
use models::sample::{self, Random};
use models::{AddImageRequest, FileSystem, Image};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u64 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut peer = Peer::start()?;

    let mut bytes = 0;
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        let count = random.below(4) + 1;
        let (mut images, mut requests, mut exotics) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            images.push(sample::image(&mut random));
            requests.push(AddImageRequest {
                image_name: random.text(),
                image: random.maybe(|random| Box::new(sample::image(random))),
            });
            exotics.push(Exotic::random(&mut random));
        }
        let failed = |what| format!("{what} differ in round {round} of seed {seed}");
        bytes += peer
            .echo(b'i', &images, Image::eq)?
            .ok_or_else(|| failed("images"))?;
        bytes += peer
            .echo(b'a', &requests, AddImageRequest::eq)?
            .ok_or_else(|| failed("requests"))?;
        bytes += peer
            .echo(b'x', &exotics, same_to_the_zone)?
            .ok_or_else(|| failed("exotic values"))?;
        for image in &images {
            let (known, consumed, len) = peer.future(image)?;
            let same = known.created_by == image.created_by
                && known.file_system == image.file_system
                && known.created_on == image.created_on
                && known.tags == image.tags;
            if !same || consumed != len {
                return Err(failed("images of the future").into());
            }
        }
    }
    println!("{rounds} rounds, {bytes} bytes of gob by Go: everything came back equal");
    compare_speed(&mut peer)
}

/// Equality of times disregards their zones.
fn same_to_the_zone(a: &Exotic, b: &Exotic) -> bool {
    a == b && a.times.iter().map(Time::zone).eq(b.times.iter().map(Time::zone))
}

fn compare_speed(peer: &mut Peer) -> Result<()> {
    let image = sample::distribution(30_000);
    let stream = gob::to_vec(&image);
    let encode = median(|| drop(gob::to_vec(&image)));
    let decode = median(|| drop(gob::from_slice::<Image>(&stream, Limits::default())));
    let answer = String::from_utf8(peer.ask(b'b', &stream)?)?;
    let (go_decode, go_encode) = answer.split_once(' ').ok_or("no figures from Go")?;
    println!("30,000 inodes, {} bytes, medians in ms:", stream.len());
    println!("decode: Go {go_decode}, ours {decode:.1}");
    println!("encode: Go {go_encode}, ours {encode:.1}");
    Ok(())
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Peer(Child);

/// An image of the future as the present sees it.
#[derive(Gob)]
struct Known {
    created_by: String,
    file_system: Option<Box<FileSystem>>,
    created_on: Time,
    tags: std::collections::BTreeMap<String, String>,
}

impl Peer {
    fn start() -> Result<Self> {
        let child = Command::new("go")
            .args(["run", "."])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("peer"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start go, which must be on the PATH: {error}"))?;
        Ok(Self(child))
    }

    fn ask(&mut self, kind: u8, stream: &[u8]) -> Result<Vec<u8>> {
        let (Some(stdin), Some(stdout)) = (&mut self.0.stdin, &mut self.0.stdout) else {
            return Err("the peer has no pipes".into());
        };
        stdin.write_all(&[kind])?;
        stdin.write_all(&u32::try_from(stream.len())?.to_be_bytes())?;
        stdin.write_all(stream)?;
        stdin.flush()?;
        let mut len = [0; 4];
        stdout.read_exact(&mut len)?;
        let mut answer = vec![0; u32::from_be_bytes(len) as usize];
        stdout.read_exact(&mut answer)?;
        Ok(answer)
    }

    /// The length of Go's stream if it holds the same values.
    fn echo<T: Gob>(&mut self, kind: u8, values: &[T], same: fn(&T, &T) -> bool) -> Result<Option<usize>> {
        let (mut encoder, mut stream) = (Encoder::new(), Vec::new());
        values.iter().for_each(|value| encoder.encode(value, &mut stream));
        let answer = self.ask(kind, &stream)?;
        let (mut decoder, mut rest) = (Decoder::new(Limits::default()), answer.as_slice());
        for value in values {
            match decoder.decode::<T>(rest)? {
                Progress::Value {
                    value: back,
                    consumed,
                } if same(&back, value) => rest = &rest[consumed..],
                _ => return Ok(None),
            }
        }
        Ok(rest.is_empty().then_some(answer.len()))
    }

    fn future(&mut self, image: &Image) -> Result<(Known, usize, usize)> {
        let answer = self.ask(b'f', &gob::to_vec(image))?;
        let skipped = Decoder::new(Limits::default()).skip_value(&answer)?;
        if skipped
            != (Progress::Value {
                value: (),
                consumed: answer.len(),
            })
        {
            return Err("an image of the future is not skipped to its end".into());
        }
        let (known, consumed) = gob::from_slice(&answer, Limits::default())?;
        Ok((known, consumed, answer.len()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when its input does; how does not matter any more.
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
