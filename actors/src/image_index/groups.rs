//! The host's group database.

use super::IndexError;
use std::process::{Command, Stdio};

/// The local part of the database.
const GROUP_FILE: &str = "/etc/group";

/// Whether a group is known on this host: in the local file, or to whatever the host's name service asks (LDAP, SSSD).
/// The latter through `getent`, since `getgrnam` needs unsafe code and loads the host's modules into this process.
/// Blocks.
pub(super) fn exists(group: &str) -> Result<bool, IndexError> {
    if group.is_empty() || group.contains([':', '\n', '\0']) {
        return Ok(false);
    }
    let local = std::fs::read(GROUP_FILE).unwrap_or_default();
    if is_listed(&local, group) {
        return Ok(true);
    }
    let answer = Command::new("getent")
        .args(["group", "--", group])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match answer {
        // It also finds groups by number: the name has to be the one asked for.
        Ok(output) => Ok(is_listed(&output.stdout, group)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(IndexError::GroupLookup {
            group: group.to_owned(),
            cause: error.to_string(),
        }),
    }
}

fn is_listed(database: &[u8], group: &str) -> bool {
    database.split(|byte| *byte == b'\n').any(|line| {
        line.strip_prefix(group.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&b':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_groups_count() {
        let database = b"root:x:0:\nusers:x:100:joe,root\n";
        assert!(is_listed(database, "users"));
        for other in ["user", "joe", "x", "100"] {
            assert!(!is_listed(database, other), "{other}");
        }
    }

    #[test]
    fn the_hosts_own_groups_are_known_and_numbers_are_no_names() {
        assert!(exists("root").unwrap());
        assert!(!exists("0").unwrap());
        assert!(!exists("no-such-group-anywhere").unwrap());
        assert!(!exists("-h").unwrap());
    }
}
