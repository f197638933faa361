//! What is kept over the end of the process: when everything was read last, and how far the pass under way has got. A small
//! file among the images; losing it costs one pass too many.

use super::Shared;
use crate::object_store::Place;
use std::time::{Duration, SystemTime};
use storage::frame::{self, Kind};

const KIND: Kind = Kind {
    tag: *b"scrb",
    version: 1,
};

/// Payload: two numbers of 8 bytes, little-endian.
const PAYLOAD_BYTES: usize = 16;

/// See the module's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// When a pass has last ended well.
    pub(super) finished_at: Option<SystemTime>,
    /// A pass was under way, and objects whose names begin with lower bytes were done.
    pub(super) at_first_byte: Option<u8>,
}

impl Record {
    pub(super) fn place(&self) -> Option<Place> {
        self.at_first_byte.map(Place::at_first_byte)
    }

    fn encode(&self) -> Vec<u8> {
        let seconds = self
            .finished_at
            .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok())
            .map_or(0, |since| since.as_secs());
        let place = self.at_first_byte.map_or(0, |byte| u64::from(byte) + 1);
        let payload = [seconds.to_le_bytes(), place.to_le_bytes()].concat();
        frame::seal(KIND, &payload)
    }

    fn decode(content: &[u8]) -> Option<Record> {
        let payload: &[u8; PAYLOAD_BYTES] = frame::open(KIND, content).ok()?.try_into().ok()?;
        let (numbers, _) = payload.as_chunks::<8>();
        let [seconds, place] = [u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1])];
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        Some(Record {
            finished_at: at.filter(|_| seconds > 0),
            at_first_byte: place.checked_sub(1).and_then(|byte| u8::try_from(byte).ok()),
        })
    }

    /// What the last process wrote. Blocks.
    pub(super) fn read(images: &crate::ImageIndex) -> Record {
        let content = images.shared.directory.read_scrub_record();
        let content = content.unwrap_or_default().unwrap_or_default();
        Record::decode(&content).unwrap_or_default()
    }

    /// Replaces it.
    pub(super) async fn write(self, shared: &Shared) {
        let images = shared.images.shared.clone();
        let write = move || images.directory.write_scrub_record(&self.encode());
        match shared.images.shared.pool.run(write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("scrub: {error}"),
            Err(error) => tracing::warn!("scrub: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_damaged_ones_are_none() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for record in [
            Record::default(),
            Record {
                finished_at: Some(at),
                at_first_byte: Some(0),
            },
            Record {
                finished_at: None,
                at_first_byte: Some(255),
            },
        ] {
            let mut content = record.encode();
            assert_eq!(Record::decode(&content), Some(record));
            content[30] ^= 1;
            assert_eq!(Record::decode(&content), None);
        }
    }
}
