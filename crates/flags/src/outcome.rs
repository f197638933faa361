//! What parsing ends in.

use std::io::Write;

use crate::Values;

/// Exit status of wrong use (`imagetool.md §1`).
pub(crate) const WRONG_USE: i32 = 2;

/// Either the program runs, or it prints something and ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Go on with these values.
    Run(Values),
    /// Print and end.
    Exit(Exit),
}

/// What to print, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit status.
    pub code: i32,
    /// For standard error; ends with a line end.
    pub text: String,
}

impl Exit {
    /// Wrong use: status 2.
    pub fn wrong_use(text: impl Into<String>) -> Self {
        Self {
            code: WRONG_USE,
            text: text.into(),
        }
    }

    /// Prints and ends the process.
    pub fn leave(self) -> ! {
        // Nothing can be done about a closed standard error.
        let _ = std::io::stderr().write_all(self.text.as_bytes());
        std::process::exit(self.code)
    }
}

impl Outcome {
    /// The values, or prints and ends the process.
    pub fn or_leave(self) -> Values {
        match self {
            Outcome::Run(values) => values,
            Outcome::Exit(exit) => exit.leave(),
        }
    }
}
