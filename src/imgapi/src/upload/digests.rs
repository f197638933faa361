//! Digests of a file while it is written: the thread that computes them reads it behind the writer, out of the page cache.
//! So a file that goes on another day is written and hashed at once, too, and nothing waits in memory for either.

use super::progress::Progress;
use repository::digest::{Digester, Digests};
use std::fs::File;
use std::io::{self, Read as _};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// The digests of all that `progress` will have told of.
///
/// # Errors
/// The file cannot be read, or OpenSSL fails.
pub(crate) fn follow(mut file: File, progress: &Progress) -> io::Result<Digests> {
    let mut digester = Digester::new()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Some(written) = progress.beyond(digester.size()) {
        while digester.size() < written {
            let length = (written - digester.size()).min(BUFFER_BYTES as u64) as usize;
            file.read_exact(&mut buffer[..length])?;
            digester.update(&buffer[..length])?;
        }
    }
    Ok(digester.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::sync::Arc;

    #[test]
    fn the_digests_are_those_of_what_was_written_before_and_while_it_ran() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
        let (first, rest) = content.split_at(1_500_001);
        file.write_all(first).unwrap();
        let progress = Arc::new(Progress::at(first.len() as u64));
        let reader = file.reopen().unwrap();
        let followed = Arc::clone(&progress);
        let digests = std::thread::spawn(move || follow(reader, &followed));
        let mut written = first.len();
        for piece in rest.chunks(77_777) {
            file.write_all(piece).unwrap();
            written += piece.len();
            progress.reach(written as u64);
        }
        progress.end();
        let mut digester = Digester::new().unwrap();
        digester.update(&content).unwrap();
        assert_eq!(digests.join().unwrap().unwrap(), digester.finish().unwrap());
    }
}
