//! Objects in memory.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hash::Hash;
use tree_io::error::BoxError;
use tree_io::{Body, Error, FoundObject, ObjectSink, ObjectSource};

/// Takes objects and makes sure that each is what it is called, and comes once.
#[derive(Default)]
pub(super) struct Objects(Mutex<HashMap<Hash, Vec<u8>>>);

impl Objects {
    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().values().map(|data| data.len() as u64).sum()
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source(self)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ObjectSink for Objects {
    fn put(&self, object: FoundObject) -> Result<(), BoxError> {
        let data = match object.body {
            Body::Bytes(data) => data,
            Body::File(file) => {
                let mut data = Vec::new();
                file.open()?.read_to_end(&mut data)?;
                data
            }
        };
        assert_eq!(data.len() as u64, object.size);
        assert!(hash::of(&data) == object.hash && !data.is_empty());
        assert!(self.lock().insert(object.hash, data).is_none(), "came twice");
        Ok(())
    }
}

/// Gives the objects back in pieces.
pub(super) struct Source<'a>(&'a Objects);

impl ObjectSource for Source<'_> {
    fn next_object(
        &mut self,
        hash: &Hash,
        size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let data = self.0.lock().get(hash).cloned();
        let data = data.unwrap_or_else(|| panic!("the sink never got {hash}"));
        assert_eq!(data.len() as u64, size);
        data.chunks(777).try_for_each(consume)
    }
}
