//! What the process is doing, for people: its threads, as the kernel sees them, and the stack of the asking one.

use std::backtrace::Backtrace;
use std::fmt::Write;
use std::fs;

/// Threads listed at most.
const THREADS_MOST: usize = 1000;

/// The dump. Rust has no way to walk the stacks of other threads without stopping them, so they show their name,
/// state and the kernel function they wait in.
pub fn stack_dump() -> String {
    let mut text = String::new();
    let mut threads: Vec<u32> = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(THREADS_MOST)
        .collect();
    threads.sort_unstable();
    // Writing to a string never fails.
    let _ = writeln!(text, "{} threads:", threads.len());
    for thread in threads {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/self/task/{thread}/{name}")).unwrap_or_default();
        let state = state(&read("stat")).unwrap_or('?');
        let waits = read("wchan");
        let _ = writeln!(
            text,
            "thread {thread} {:?} state {state} {}",
            read("comm").trim(),
            waits.trim()
        );
    }
    let _ = write!(
        text,
        "\nstack of the thread that answers:\n{}",
        Backtrace::force_capture()
    );
    text
}

/// The third field of a stat line; the second is in parentheses and may hold anything.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dump_lists_this_thread() {
        let text = stack_dump();
        assert!(text.contains("state R"), "{text}");
        assert!(text.contains("stack of the thread that answers:"), "{text}");
    }
}
