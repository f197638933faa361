//! How much memory a build may use unless a flag says.

/// Part of the machine's memory. What one build takes is bounded so that one that runs wild leaves enough for the daemon, for what else is
/// on the host and for a second build; not divided by the number of builds, since ordinary ones on a small machine would fail for a
/// limit that they need only rarely, and not all at once. Where several do take too much together, the kernel ends commands first.
const PART: u64 = 2;

/// But not less: package managers need that.
const LEAST_BYTES: u64 = 1 << 30;

/// In bytes; `None` where a limit could hold for single processes only. Then it is one of addresses, of which ordinary programs reserve
/// more than a machine has memory.
pub(super) fn usual() -> Option<u64> {
    let is_limited_together = sandbox::Hierarchies::of_this_machine().limit_memory();
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    part_of(&text).filter(|_| is_limited_together)
}

fn part_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((kibibytes.saturating_mul(1024) / PART).max(LEAST_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_may_use_half_of_the_memory_and_never_less_than_a_package_manager_needs() {
        let of = |kibibytes: u64| part_of(&format!("MemTotal:  {kibibytes} kB\nMemFree:  12 kB\n"));
        assert_eq!(of(16 << 20), Some(8 << 30));
        assert_eq!(of(512 << 10), Some(1 << 30));
        assert_eq!(part_of("nothing of the kind"), None);
        let has_groups = sandbox::Hierarchies::of_this_machine().limit_memory();
        assert_eq!(usual().is_some(), has_groups);
    }
}
