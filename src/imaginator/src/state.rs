//! What all methods and pages share.

use std::sync::Arc;

use crate::flags::Options;

/// The shared state, cheap to clone.
pub(crate) type Shared = Arc<State>;

/// See the module's text.
pub(crate) struct State {
    pub(crate) options: Options,
}

impl State {
    pub(crate) fn new(options: Options) -> Shared {
        Arc::new(Self { options })
    }
}
