//! Parts of files: `Range` of downloads, `Content-Range` of uploads that go on. Additions: the original sends and takes
//! whole files only.

use crate::error::{ApiError, Code, Result};

/// Bytes from `start` on, `length` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// How many; never 0.
    pub length: u64,
}

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeAnswer {
    /// 200, everything.
    Whole,
    /// 206, this part.
    Part(ByteRange),
    /// 416: the file has no such part.
    Unsatisfiable,
}

impl RangeAnswer {
    /// Of a `Range` header, for a file of `size` bytes. Several ranges, and what is not understood, get everything.
    pub fn of(header: Option<&str>, size: u64) -> Self {
        let Some(set) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = set.split_once('-') else {
            return Self::Whole;
        };
        let (first, last) = (first.trim(), last.trim());
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        let range = match (number(first), number(last)) {
            (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size),
            (Some(start), None) if last.is_empty() => (start, size),
            (Some(start), Some(end)) if start <= end => (start, end.saturating_add(1).min(size)),
            _ => return Self::Whole,
        };
        match range {
            (start, end) if start < end => Self::Part(ByteRange {
                start,
                length: end - start,
            }),
            _ => Self::Unsatisfiable,
        }
    }
}

impl ByteRange {
    /// The `Content-Range` of the answer.
    pub fn header(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.start + self.length - 1)
    }
}

/// What a request with `Content-Range` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadRange {
    /// `bytes START-END/TOTAL`, TOTAL `*` while it is not known: these bytes.
    Piece(ContentRange),
    /// `bytes */TOTAL`: how much is received?
    Asked(Option<u64>),
}

/// Where the bytes of a request's body belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// First byte.
    pub start: u64,
    /// How many; never 0.
    pub length: u64,
    /// Bytes of the whole file.
    pub total: Option<u64>,
}

impl UploadRange {
    /// Reads the header.
    ///
    /// # Errors
    /// It is no such range: 400.
    pub fn parse(header: &str) -> Result<Self> {
        let number = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| text.parse().ok())?
        };
        let read = || {
            let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
            let total: Option<u64> = if total == "*" { None } else { Some(number(total)?) };
            if range == "*" {
                return Some(Self::Asked(total));
            }
            let (start, end) = range.split_once('-')?;
            let (start, end): (u64, u64) = (number(start)?, number(end)?);
            let length = end.checked_sub(start)?.checked_add(1)?;
            // The end is computed of both wherever it is wanted.
            start.checked_add(length)?;
            let piece = ContentRange { start, length, total };
            total
                .is_none_or(|total| end < total)
                .then_some(Self::Piece(piece))
        };
        read().ok_or_else(|| {
            let message = format!(
                "invalid Content-Range, {header:?}, must be \"bytes START-END/TOTAL\" or \"bytes */TOTAL\""
            );
            ApiError::new(Code::InvalidHeader, message)
        })
    }
}

impl ContentRange {
    /// Whether the file is whole once these bytes are there.
    pub fn is_last(self) -> bool {
        self.total == Some(self.start + self.length)
    }

    /// Makes sure that the bytes go on where `received` ended. Bytes that are there already may be sent again.
    ///
    /// # Errors
    /// There would be a gap: 416, with what is received.
    pub fn check_follows(self, received: u64) -> Result<()> {
        if self.start <= received {
            return Ok(());
        }
        let message = format!(
            "{received} bytes of the file are received, cannot go on at byte {}",
            self.start
        );
        Err(ApiError::new(Code::RangeNotSatisfiable, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_range_is_sent_as_a_part_and_anything_else_as_a_whole() {
        let part = |start, length| RangeAnswer::Part(ByteRange { start, length });
        let cases = [
            ("bytes=0-9", part(0, 10)),
            ("bytes=90-", part(90, 10)),
            ("bytes=-10", part(90, 10)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=0-99999999999999999999999", part(0, 100)),
            ("bytes=100-", RangeAnswer::Unsatisfiable),
            ("bytes=-0", RangeAnswer::Unsatisfiable),
            ("bytes=5-2", RangeAnswer::Whole),
            ("bytes=0-1,3-4", RangeAnswer::Whole),
            ("lines=0-1", RangeAnswer::Whole),
            ("bytes=-", RangeAnswer::Whole),
        ];
        for (header, answer) in cases {
            assert_eq!(RangeAnswer::of(Some(header), 100), answer, "{header}");
        }
        assert_eq!(
            ByteRange {
                start: 90,
                length: 10
            }
            .header(100),
            "bytes 90-99/100"
        );
    }

    #[test]
    fn uploads_go_on_without_a_gap() {
        let piece = |header: &str| match UploadRange::parse(header) {
            Ok(UploadRange::Piece(piece)) => piece,
            other => panic!("{header}: {other:?}"),
        };
        let range = piece("bytes 10-19/20");
        assert_eq!(
            range,
            ContentRange {
                start: 10,
                length: 10,
                total: Some(20)
            }
        );
        assert!(range.is_last());
        assert!(range.check_follows(10).is_ok() && range.check_follows(15).is_ok());
        assert_eq!(range.check_follows(9).unwrap_err().status(), 416);
        assert!(!piece("bytes 0-9/*").is_last());
        assert_eq!(UploadRange::parse("bytes */20"), Ok(UploadRange::Asked(Some(20))));
        assert_eq!(UploadRange::parse("bytes */*"), Ok(UploadRange::Asked(None)));
        for header in [
            "",
            "bytes 9-0/20",
            "bytes 0-20/20",
            "bytes a-b/c",
            "bytes 0-18446744073709551615/*",
            "bytes 1-18446744073709551615/*",
            "bytes -1/2",
        ] {
            assert_eq!(UploadRange::parse(header).unwrap_err().status(), 400, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_beyond_the_file(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", size in any::<u64>()) {
            if let RangeAnswer::Part(part) = RangeAnswer::of(Some(&header), size) {
                prop_assert!(part.length > 0 && part.start + part.length <= size);
            }
        }
    }
}
