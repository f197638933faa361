//! The framing of an archive: blocks, extended headers, members and their content.

use std::io::{self, Read};

use super::header::{self, BLOCK_BYTES, Introduces, bad};
use super::member::Member;
use super::pax::Pax;
use crate::error::Error;

/// An extended header or long name may be this long; real ones are a few hundred bytes, with large attributes 64 KiB.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

pub(super) struct Reader<R> {
    input: R,
    /// Content of the current member that nobody has read yet.
    left: u64,
    padding: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Reader<R> {
        Reader {
            input,
            left: 0,
            padding: 0,
        }
    }

    /// The next member; what is left of the last one's content is skipped. Nothing at the end mark (or, as many tools do, at
    /// an end of file between members).
    pub(super) fn next(&mut self) -> Result<Option<Member>, Error> {
        self.skip(self.left + self.padding)?;
        (self.left, self.padding) = (0, 0);
        let (mut pax, mut long_name, mut long_link) = (Pax::default(), None, None);
        loop {
            let Some(block) = self.block()? else {
                return Ok(None);
            };
            if block.iter().all(|&byte| byte == 0) {
                return Ok(None);
            }
            let header = header::check_sum(&block)?;
            match header::introduces(header) {
                Introduces::Pax => pax = Pax::parse(&self.extension(header::size(header)?)?)?,
                Introduces::GlobalPax => {
                    self.extension(header::size(header)?)?;
                }
                Introduces::LongName => long_name = Some(c_string(self.extension(header::size(header)?)?)),
                Introduces::LongLink => long_link = Some(c_string(self.extension(header::size(header)?)?)),
                Introduces::Member => {
                    let member = header::member(header, pax, long_name, long_link)?;
                    // Links and devices have no content whatever their size field says; some writers leave a size
                    // in hard links, but no data.
                    self.left = member.size;
                    self.padding = padding(member.size);
                    return Ok(Some(member));
                }
            }
        }
    }

    /// The content of the current member.
    pub(super) fn content(&mut self) -> Content<'_, R> {
        Content(self)
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, Error> {
        let mut block = [0; BLOCK_BYTES];
        let mut got = 0;
        while got < BLOCK_BYTES {
            match self.input.read(&mut block[got..]) {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Err(bad("ends in the middle of a header")),
                Ok(count) => got += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io("read", "archive", e)),
            }
        }
        Ok(Some(block))
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > MAX_EXTENSION_BYTES {
            return Err(bad(&format!(
                "extended header of {size} bytes; the limit is {MAX_EXTENSION_BYTES}"
            )));
        }
        let mut data = Vec::new();
        (&mut self.input)
            .take(size)
            .read_to_end(&mut data)
            .map_err(|e| Error::io("read", "archive", e))?;
        if data.len() as u64 != size {
            return Err(bad("ends in the middle of an extended header"));
        }
        self.skip(padding(size))?;
        Ok(data)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Error> {
        let skipped = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink())
            .map_err(|e| Error::io("read", "archive", e))?;
        if skipped == bytes {
            Ok(())
        } else {
            Err(bad("ends in the middle of a member"))
        }
    }
}

/// Reads the current member's content and not a byte more.
pub(super) struct Content<'a, R>(&'a mut Reader<R>);

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer
            .len()
            .min(usize::try_from(self.0.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let count = self.0.input.read(&mut buffer[..want])?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "ends in the middle of a member",
            ));
        }
        self.0.left -= count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK_BYTES as u64 - size % BLOCK_BYTES as u64) % BLOCK_BYTES as u64
}

fn c_string(mut data: Vec<u8>) -> Vec<u8> {
    let end = data.iter().position(|&b| b == 0).unwrap_or(data.len());
    data.truncate(end);
    data
}
