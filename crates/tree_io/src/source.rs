//! Where the objects of a tree that is written come from.

use std::fs::File;

use hash::{Hash, Hasher};

use crate::error::Error;

/// Gives objects in an order agreed upon beforehand ([`crate::unpack::wanted`], [`crate::tar_out::wanted`]). What comes is
/// verified by the reader unless the source has done so.
pub trait ObjectSource {
    /// Hands the next object's `size` bytes to `consume`, in pieces of any length.
    ///
    /// # Errors
    /// [`Error::Source`] for its own failures; what `consume` returns is passed on.
    fn next_object(
        &mut self,
        hash: &Hash,
        size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// The next object whole, of `size` bytes if the source keeps its word. Sources that have it in memory already give it away
    /// instead of having it copied.
    ///
    /// # Errors
    /// As [`next_object`](Self::next_object); [`Error::WrongLength`] as soon as there are more than `size` bytes.
    fn next_whole(&mut self, hash: &Hash, size: u64) -> Result<Vec<u8>, Error> {
        gather(self, hash, size)
    }

    /// Whether objects were compared with their names before they come, at the latest before their last piece.
    fn is_verified(&self) -> bool {
        false
    }
}

/// Objects in files of this host that were compared with their names and have not changed since. They are copied by several threads
/// in any order, and not read by anybody.
pub trait NearObjects: Sync {
    /// Whether an object is here: then no [`ObjectSource`] is asked for it.
    fn contains(&self, hash: &Hash) -> bool;

    /// The file of an object that is here, open at its beginning; nothing if it is gone or has changed meanwhile, which ends the
    /// unpacking with [`Error::NotNear`].
    fn open(&self, hash: &Hash, size: u64) -> Option<File>;
}

/// The pieces of one object put together.
pub(crate) fn gather<S: ObjectSource + ?Sized>(
    source: &mut S,
    hash: &Hash,
    size: u64,
) -> Result<Vec<u8>, Error> {
    let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    source.next_object(hash, size, &mut |piece| {
        let got = data.len() as u64 + piece.len() as u64;
        if got > size {
            let hash = Box::new(*hash);
            return Err(Error::WrongLength { hash, size, got });
        }
        data.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(data)
}

/// Checks a passing object against its name and size.
pub(crate) struct Verifier {
    hasher: Hasher,
    expected: Hash,
    size: u64,
    got: u64,
}

impl Verifier {
    pub(crate) fn new(expected: Hash, size: u64) -> Verifier {
        Verifier {
            hasher: Hasher::new(),
            expected,
            size,
            got: 0,
        }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.got += piece.len() as u64;
        if self.got > self.size {
            return Err(Error::WrongLength {
                hash: Box::new(self.expected),
                size: self.size,
                got: self.got,
            });
        }
        self.hasher.update(piece);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        check(self.expected, self.size, self.hasher.finish(), self.got)
    }
}

/// Whether what came is what was wanted.
pub(crate) fn check(expected: Hash, size: u64, computed: Hash, got: u64) -> Result<(), Error> {
    if got != size {
        return Err(Error::WrongLength {
            hash: Box::new(expected),
            size,
            got,
        });
    }
    if computed != expected {
        return Err(Error::Damaged {
            expected: Box::new(expected),
            computed: Box::new(computed),
        });
    }
    Ok(())
}
