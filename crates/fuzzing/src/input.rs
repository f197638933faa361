//! How a target divides its bytes.

/// A few choices at the front, the rest is what the code under test gets. At the end of the bytes every choice is 0.
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else {
            return 0;
        };
        self.rest = rest;
        first
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A length and that many bytes, or fewer at the end.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }

    /// What is before the next zero byte: parts that grow and shrink without moving their neighbours.
    pub(crate) fn part(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| byte == 0);
        let part = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = end.and_then(|end| self.rest.get(end + 1..)).unwrap_or_default();
        part
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Lengths of pieces from one byte of choice: 0 is one piece at a time of one byte, others mix short and long ones.
#[derive(Clone)]
pub(crate) struct Pieces {
    state: u32,
    longest: u32,
}

impl Pieces {
    pub(crate) fn new(choice: u8) -> Self {
        Self {
            state: u32::from(choice) | 0x5eed_0000,
            longest: 1 << (u32::from(choice) % 12),
        }
    }

    /// Length of the next piece, at least 1.
    pub(crate) fn next(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        (self.state % self.longest) as usize + 1
    }
}
