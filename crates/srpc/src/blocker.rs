//! Vetoes on permitted calls (srpc.md §7.4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::Call;

/// Held while an admitted call runs; what it carries is done when the call ends, however it ends.
#[derive(Default)]
pub struct Permit(Option<Box<dyn FnOnce() + Send>>);

impl Permit {
    /// Nothing to give back.
    pub fn free() -> Self {
        Self(None)
    }

    /// Runs `release` when the call has ended.
    pub fn releasing(release: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

/// May refuse a call that the caller has the right to make; the text becomes the error line.
pub trait Blocker: Send + Sync + 'static {
    /// Admits the call or says why not.
    fn admit(&self, call: &Call) -> Result<Permit, String>;
}

impl<F: Fn(&Call) -> Result<Permit, String> + Send + Sync + 'static> Blocker for F {
    fn admit(&self, call: &Call) -> Result<Permit, String> {
        self(call)
    }
}

/// At most so many calls at a time per method and user without method access. Users without a name count as one user.
#[derive(Debug)]
pub struct PerUserLimit {
    calls_max: usize,
    methods: Option<Vec<&'static str>>,
    // Bounded by the number of running calls.
    running: Arc<Mutex<HashMap<(&'static str, String), usize>>>,
}

impl PerUserLimit {
    /// The limit applies to every method of the service.
    pub fn new(calls_max: usize) -> Self {
        Self {
            calls_max,
            methods: None,
            running: Arc::default(),
        }
    }

    /// The limit applies to these methods only.
    pub fn for_methods(calls_max: usize, methods: &[&'static str]) -> Self {
        Self {
            calls_max,
            methods: Some(methods.to_vec()),
            running: Arc::default(),
        }
    }
}

impl Blocker for PerUserLimit {
    fn admit(&self, call: &Call) -> Result<Permit, String> {
        if call.have_method_access {
            return Ok(Permit::free());
        }
        if self
            .methods
            .as_ref()
            .is_some_and(|methods| !methods.contains(&call.method))
        {
            return Ok(Permit::free());
        }
        let key = (call.method, call.caller.username.clone());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.get(&key).copied().unwrap_or(0);
        if count >= self.calls_max {
            return Err(format!(
                "{} reached limit of {} calls for {}",
                call.caller.username, self.calls_max, call.method
            ));
        }
        running.insert(key.clone(), count + 1);
        let shared = Arc::clone(&self.running);
        Ok(Permit::releasing(move || {
            let mut running = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match running.get(&key).copied() {
                Some(count) if count > 1 => {
                    running.insert(key, count - 1);
                }
                _ => {
                    running.remove(&key);
                }
            }
        }))
    }
}
