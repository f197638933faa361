//! A place in one message.

use crate::error::Error;
use crate::number::unfold_sign;

/// Reads primitive items from `data[pos..]`; `data` ends where the message does.
pub(crate) struct Cursor<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) pos: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.data.len() - self.pos
    }

    #[inline]
    pub(crate) fn uint(&mut self) -> Result<u64, Error> {
        match self.data.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_uint(),
        }
    }

    /// Leading zero bytes are let pass, as in Go.
    fn long_uint(&mut self) -> Result<u64, Error> {
        let first = *self.data.get(self.pos).ok_or(Error::UnexpectedEnd)?;
        if first < 0x80 {
            self.pos += 1;
            return Ok(u64::from(first));
        }
        let width = usize::from(first.wrapping_neg());
        if width > 8 {
            return Err(Error::BadNumber);
        }
        let start = self.pos + 1;
        let bytes = self.data.get(start..start + width).ok_or(Error::UnexpectedEnd)?;
        self.pos = start + width;
        Ok(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Passes over so many numbers, hashes mostly: without a branch on how long each is, which for them is a coin
    /// toss.
    pub(crate) fn skip_uints(&mut self, count: u64) -> Result<(), Error> {
        let mut pos = self.pos;
        let mut longest = 0;
        for _ in 0..count {
            let first = *self.data.get(pos).ok_or(Error::UnexpectedEnd)?;
            let width = if first < 0x80 { 0 } else { first.wrapping_neg() };
            longest = longest.max(width);
            pos += 1 + usize::from(width);
        }
        if longest > 8 {
            return Err(Error::BadNumber);
        }
        if pos > self.data.len() {
            return Err(Error::UnexpectedEnd);
        }
        self.pos = pos;
        Ok(())
    }

    #[inline]
    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.uint().map(unfold_sign)
    }

    /// A length and that many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = self.uint()?;
        if len > self.remaining() as u64 {
            return Err(Error::UnexpectedEnd);
        }
        let start = self.pos;
        self.pos += len as usize;
        Ok(&self.data[start..self.pos])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uint(data: &[u8]) -> Result<(u64, usize), Error> {
        let mut cursor = Cursor { data, pos: 0 };
        cursor.uint().map(|value| (value, cursor.pos))
    }

    #[test]
    fn numbers() {
        assert_eq!(uint(&[5, 9]), Ok((5, 1)));
        assert_eq!(uint(&[0xff, 0x80, 9]), Ok((128, 2)));
        assert_eq!(uint(&[0xfe, 0, 7]), Ok((7, 3)));
        assert_eq!(uint(&[0xf8; 9]), Ok((0xf8f8_f8f8_f8f8_f8f8, 9)));
        assert_eq!(uint(&[]), Err(Error::UnexpectedEnd));
        assert_eq!(uint(&[0xfe, 1]), Err(Error::UnexpectedEnd));
        assert_eq!(uint(&[0xf7, 1]), Err(Error::BadNumber));
        assert_eq!(uint(&[0x80]), Err(Error::BadNumber));
    }

    #[test]
    fn bytes_never_exceed_the_message() {
        let mut cursor = Cursor {
            data: &[2, b'a', b'b'],
            pos: 0,
        };
        assert_eq!(cursor.bytes(), Ok(&b"ab"[..]));
        let mut cursor = Cursor {
            data: &[0xf8, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            pos: 0,
        };
        assert_eq!(cursor.bytes(), Err(Error::UnexpectedEnd));
    }
}
