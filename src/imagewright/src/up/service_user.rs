//! The user that the image server runs as.

use anyhow::{Context, ensure};
use std::process::Command;

/// An ordinary user of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServiceUser {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl ServiceUser {
    /// The user of that name; made, as the Debian package makes it, if there is none.
    pub(super) fn find_or_make(name: &str) -> anyhow::Result<Self> {
        if let Some(user) = find(name)? {
            return Ok(user);
        }
        eprintln!("making the user {name}, without password and shell, for the image server");
        let made = Command::new("useradd")
            .args([
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                "/nonexistent",
            ])
            .args(["--shell", "/usr/sbin/nologin", name])
            .output()
            .context("cannot run useradd: make a user yourself and name it with --user")?;
        ensure!(
            made.status.success(),
            "useradd {name}: {}; name a user that is there with --user",
            String::from_utf8_lossy(&made.stderr).trim()
        );
        find(name)?.with_context(|| format!("useradd made {name}, but the system does not know it"))
    }
}

/// By the system's own tool, which also asks directories of people.
fn find(name: &str) -> anyhow::Result<Option<ServiceUser>> {
    ensure!(
        !name.is_empty() && !name.starts_with('-') && !name.contains([':', '\n']),
        "--user {name:?} is no name of a user"
    );
    let output = Command::new("getent")
        .args(["passwd", name])
        .output()
        .context("cannot run getent")?;
    if !output.status.success() {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<&str> = line.trim_end().split(':').collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
    let (Some(user), Some(group)) = (number(2), number(3)) else {
        anyhow::bail!("getent passwd {name} answers {:?}", line.trim_end());
    };
    ensure!(
        user != 0,
        "--user {name} is root, which the image server refuses to run as"
    );
    Ok(Some(ServiceUser { user, group }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_that_is_there_is_found_and_root_is_refused() {
        assert!(find("nobody").unwrap().is_some_and(|found| found.user != 0));
        assert!(
            find("root")
                .unwrap_err()
                .to_string()
                .contains("refuses to run as")
        );
        assert!(find("-x").is_err());
        assert_eq!(find("there-is-nobody-of-this-name").unwrap(), None);
    }
}
