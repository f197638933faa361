//! Stepping aside where the machine lacks what a test needs.

use std::fs::OpenOptions;
use std::io::Write;

/// Environment variable with the name of a file that every skip is appended to.
pub const SKIP_LOG_VARIABLE: &str = "IMAGEWRIGHT_SKIP_LOG";

/// Says that `test` cannot run here and why. The caller returns right after.
///
/// The line starts with `SKIPPED:` and goes to standard error past the test harness, which would swallow what a
/// passing test prints. Where `IMAGEWRIGHT_SKIP_LOG` names a file it is appended there too, so that a run which
/// must not skip anything (`.ci/run`) can refuse.
pub fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED: {test}: {reason}\n");
    // `eprint!` is captured by the harness; a handle of standard error is not.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let Some(log) = std::env::var_os(SKIP_LOG_VARIABLE) else {
        return;
    };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&log)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    // An unwritten skip would pass for a test that ran.
    assert!(
        written.is_ok(),
        "cannot append to {SKIP_LOG_VARIABLE}={}: {written:?}",
        log.display()
    );
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// Set where the test below runs itself once more, to be the one that skips.
    const INNER: &str = "IMAGEWRIGHT_SKIP_INNER";

    #[test]
    fn a_skip_is_seen_past_the_harness_and_logged() {
        if std::env::var_os(INNER).is_some() {
            return super::skip("example", "to be seen");
        }
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("skips");
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "skip::tests::a_skip_is_seen_past_the_harness_and_logged",
            ])
            .env(INNER, "1")
            .env(super::SKIP_LOG_VARIABLE, &log)
            .output()
            .unwrap();
        assert!(output.status.success());
        let expected = "SKIPPED: example: to be seen\n";
        assert!(String::from_utf8_lossy(&output.stderr).contains(expected));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), expected);
    }
}
