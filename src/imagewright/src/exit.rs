//! How a failure is told: one line for people on stderr, an exit code for scripts.

use std::io::ErrorKind;
use std::process::ExitCode;

/// The work failed.
pub(crate) const FAILED: u8 = 1;
/// The command line asks for something that makes no sense (also what the argument parser exits with).
pub(crate) const WRONG_USE: u8 = 2;
/// Something named on the command line does not exist.
pub(crate) const NOT_THERE: u8 = 3;
/// The operating system refused access.
pub(crate) const NOT_ALLOWED: u8 = 4;

/// A request that can be refused from its arguments alone.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUse(pub(crate) String);

/// A failure together with the command that would help.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct WithHelp {
    pub(crate) what: String,
    /// Printed after `try: `.
    pub(crate) try_this: String,
}

/// Prints `error: what: why` (and `try: ...` where there is one) and picks the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    for cause in error.chain() {
        if let Some(help) = cause.downcast_ref::<WithHelp>() {
            eprintln!("try: {}", help.try_this);
        }
    }
    ExitCode::from(code_of(error))
}

fn code_of(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<WrongUse>() {
            return WRONG_USE;
        }
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::NotFound) => return NOT_THERE,
            Some(ErrorKind::PermissionDenied) => return NOT_ALLOWED,
            _ => {}
        }
    }
    FAILED
}
