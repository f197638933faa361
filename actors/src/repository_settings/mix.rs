//! What of a new configuration can be in force without a restart.

use repository::configuration::Configuration;

/// The new configuration with the old values of the keys that need a restart. Nothing, if these do not go together: then all of it
/// waits for the restart.
pub(super) fn live_part(
    old: &Configuration,
    new: &Configuration,
    at_start: &[&'static str],
) -> Option<Configuration> {
    let mut values = new.merged().clone();
    for key in at_start {
        match old.merged().get(*key) {
            Some(value) => values.insert((*key).to_owned(), value.clone()),
            None => values.shift_remove(*key),
        };
    }
    Configuration::of(values).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_keeps_its_value_and_the_rest_changes() {
        let read = |text: &str| Configuration::read(text).unwrap();
        let old = read(r#"{"port": 1000, "serverName": "a"}"#);
        let new = read(r#"{"port": 2000, "serverName": "b", "mode": "private"}"#);
        let keys = new.needs_restart_for(&old);
        let live = live_part(&old, &new, &keys).unwrap();
        let settings = live.settings();
        assert_eq!(
            (settings.port, settings.server_name.as_deref()),
            (1000, Some("b"))
        );
        assert_eq!(settings.mode, repository::manifest::Mode::Public);
    }
}
