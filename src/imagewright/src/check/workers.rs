//! The same work on many things, on several threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Processors there are.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does `work` on each item; the results of each thread, which begin with their default.
pub(super) fn each<T: Sync, R: Default + Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&mut R, &T) + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.min(items.len()))
            .map(|_| {
                scope.spawn(|| {
                    let mut result = R::default();
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(&mut result, item);
                    }
                    result
                })
            })
            .collect();
        // A panic in one of them is ours.
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
