//! Archives as they travel: compressed in one of four ways, both directions piece by piece.
//!
//! All three compressors are Rust, with their settings fixed here and no time or name in what they write: one tree gives the same bytes
//! on every host, which digests that were told to others depend on. A test holds them fast.

use std::io::{self, Read, Write};

use image::FileSystem;

use crate::error::Error;
use crate::source::ObjectSource;
use crate::{Cancel, Progress, tar_out};

/// KiB that unpacking xz may take. Its highest setting needs 65 MiB; what wants more was made to hurt.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// How much xz tries: its own default.
const XZ_PRESET: u32 = 6;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
}

/// Writes what compressed bytes go to. [`finish`](Self::finish) writes the end; dropped before, it leaves half an archive.
enum Compressor<W: Write> {
    None(W),
    Gzip(flate2::write::GzEncoder<W>),
    Bzip2(bzip2::write::BzEncoder<W>),
    Xz(Box<lzma_rust2::XzWriter<W>>),
}

impl<W: Write> Compressor<W> {
    fn new(codec: Codec, output: W) -> io::Result<Compressor<W>> {
        Ok(match codec {
            Codec::None => Compressor::None(output),
            Codec::Gzip => Compressor::Gzip(flate2::write::GzEncoder::new(
                output,
                flate2::Compression::default(),
            )),
            Codec::Bzip2 => {
                Compressor::Bzip2(bzip2::write::BzEncoder::new(output, bzip2::Compression::best()))
            }
            Codec::Xz => {
                let options = lzma_rust2::XzOptions::with_preset(XZ_PRESET);
                Compressor::Xz(Box::new(lzma_rust2::XzWriter::new(output, options)?))
            }
        })
    }

    fn finish(self) -> io::Result<W> {
        match self {
            Compressor::None(output) => Ok(output),
            Compressor::Gzip(encoder) => encoder.finish(),
            Compressor::Bzip2(encoder) => encoder.finish(),
            Compressor::Xz(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Compressor::None(output) => output.write(data),
            Compressor::Gzip(encoder) => encoder.write(data),
            Compressor::Bzip2(encoder) => encoder.write(data),
            Compressor::Xz(encoder) => encoder.write(data),
        }
    }

    /// Leaves what is not full yet where it is: a compressor that is flushed cuts its blocks there.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As [`tar_out`](crate::tar_out()), compressed. The same tree always gives the same bytes.
///
/// # Errors
/// As [`tar_out`](crate::tar_out()).
pub fn tar_compressed_out(
    tree: &FileSystem,
    codec: Codec,
    objects: &mut dyn ObjectSource,
    output: &mut dyn Write,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<(), Error> {
    let failed = |e: io::Error| Error::io("write", "archive", e);
    let mut compressor = Compressor::new(codec, output).map_err(failed)?;
    tar_out(tree, objects, &mut compressor, cancel, progress)?;
    compressor
        .finish()
        .and_then(|output| output.flush())
        .map_err(failed)
}

/// What a compressed archive holds. Several compressed pieces one after the other are read as one.
pub fn decompressed<'a>(codec: Codec, input: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
    match codec {
        Codec::None => Box::new(input),
        Codec::Gzip => Box::new(flate2::read::MultiGzDecoder::new(input)),
        Codec::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(input)),
        Codec::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB)),
    }
}
