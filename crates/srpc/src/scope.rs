//! What services keep per connection.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that live as long as a connection does, one of each type, kept over the move to a Unix socket. A service puts in what
/// must outlast a call, as a lease on what the call found; all of it is dropped when the connection ends.
#[derive(Default)]
pub struct ConnectionScope {
    values: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl ConnectionScope {
    /// The connection's value of this type, made on first use.
    pub fn get_or_insert_with<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(&TypeId::of::<T>()).cloned()
            && let Ok(value) = value.downcast()
        {
            return value;
        }
        let value = Arc::new(make());
        values.insert(TypeId::of::<T>(), Arc::clone(&value) as _);
        value
    }
}

impl fmt::Debug for ConnectionScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ConnectionScope")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_dropped_with_the_connection() {
        let scope = ConnectionScope::default();
        let first: Arc<String> = scope.get_or_insert_with(|| "first".to_owned());
        let second: Arc<String> = scope.get_or_insert_with(|| "second".to_owned());
        assert_eq!(*second, "first");
        let weak = Arc::downgrade(&first);
        drop((first, second, scope));
        assert!(weak.upgrade().is_none());
    }
}
