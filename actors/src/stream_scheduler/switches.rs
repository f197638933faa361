//! Disabling and enabling (`imaginator.md §16`). The state is in memory alone.

use super::SwitchError;
use super::checks::local_time;
use super::shared::Shared;
use std::time::{Duration, SystemTime};

/// Automatic builds cannot be disabled for longer than so many intervals.
const AUTO_INTERVALS: u32 = 4;

/// Requests cannot be disabled for longer.
const REQUESTS_LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Shared {
    pub(super) fn disable_auto_builds(
        &self,
        who: &str,
        disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        let interval = self.config.rebuild_interval;
        let longest = interval.saturating_mul(AUTO_INTERVALS);
        if !interval.is_zero() && disable_for > longest {
            return Err(SwitchError::AutoTooLong(longest));
        }
        let until = self.until(disable_for)?;
        let ended = self.change(|state| {
            state.cycles.disabled_until = until;
            if until.is_none() {
                return Vec::new();
            }
            // What has not begun is not begun: it is only extended. What somebody else waits for as well goes on.
            let mut ended = Vec::new();
            for number in state.cycles.building() {
                let is_alone = state.tickets.get(&number).is_none_or(|tickets| *tickets <= 1);
                // Who asked and went away wants it all the same, unless that ends builds.
                let waiting = state.waiting.get(&number);
                let is_wanted = waiting.is_some_and(|waiting| waiting.build.is_wanted());
                if !is_alone || is_wanted {
                    continue;
                }
                if let Some(waiting) = state.waiting.remove(&number) {
                    state.queue.remove(number);
                    ended.push(waiting.build);
                }
            }
            ended
        });
        for build in ended {
            self.end_waiting(&build, "automatic builds were disabled");
        }
        self.cycle_wake.notify_one();
        tracing::info!("{}", line(who, "auto builds", until, disable_for));
        Ok(until)
    }

    pub(super) fn disable_build_requests(
        &self,
        who: &str,
        disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        if disable_for > REQUESTS_LONGEST {
            return Err(SwitchError::RequestsTooLong);
        }
        let until = self.until(disable_for)?;
        self.change(|state| state.requests_disabled_until = until);
        tracing::info!("{}", line(who, "build requests", until, disable_for));
        Ok(until)
    }

    fn until(&self, disable_for: Duration) -> Result<Option<SystemTime>, SwitchError> {
        if disable_for.is_zero() {
            return Ok(None);
        }
        let until = self.now().checked_add(disable_for);
        until.map(Some).ok_or(SwitchError::AutoTooLong(disable_for))
    }
}

/// What the log says of it, once it is so (`builder-tool.md §3.2`).
fn line(who: &str, what: &str, until: Option<SystemTime>, disable_for: Duration) -> String {
    match until {
        Some(until) => format!(
            "Disable({who}): {what} until {} ({})",
            local_time(until),
            human::duration(disable_for)
        ),
        None => format!("Enable({who}): {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_it_in_the_words_of_the_original() {
        let minutes = Duration::from_secs(300);
        let until = SystemTime::UNIX_EPOCH + minutes;
        let text = line("fred", "build requests", Some(until), minutes);
        let start = text.strip_prefix("Disable(fred): build requests until 01 Jan 1970 ");
        assert!(start.is_some_and(|rest| rest.ends_with(" (5m0s)")), "{text}");
        assert_eq!(
            line("fred", "auto builds", None, Duration::ZERO),
            "Enable(fred): auto builds"
        );
    }
}
