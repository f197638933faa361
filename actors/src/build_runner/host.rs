//! What a build asks of whoever runs it.

use super::{Build, BuildFailure, BuildResult};
use builder::Recipe;
use recipe::Secrets;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Whoever runs builds. Called from the threads of builds and from their actors; must not block for long, but for
/// [`recipe`](Self::recipe) and [`prolong`](Self::prolong).
pub(crate) trait Host: Send + Sync + 'static {
    /// How a stream is made now, and the variables file as it is now. Blocks while the streams are read again.
    fn recipe(&self, stream: &str) -> Result<(Recipe, Arc<Secrets>), BuildFailure>;
    /// A number no build has.
    fn next_number(&self) -> u64;
    /// A source was built for another stream, or was not; this range of the log of `build` tells how.
    fn source_ended(&self, build: &Arc<Build>, result: BuildResult, log: Range<u64>);
    /// An image is to live longer than it was published with. Blocks.
    fn prolong(&self, build: &Arc<Build>, image: &str, expires_in: Duration);
    /// A build has ended, or is given up: its result was published. With `is_free` nothing of it is left.
    fn ended(&self, build: &Arc<Build>, result: Arc<BuildResult>, is_free: bool);
    /// The thread of a build has ended: nothing of it is left.
    fn freed(&self, number: u64);
}
