//! A bootstrap stream: a command that fills an empty directory (`imaginator.md §8.2`).

use recipe::BootstrapStream;

use crate::sandbox_run::{Environment, Room};
use crate::step_error::StepError;

/// Fills the room's tree, which is an empty directory, and makes it ready to be packed. `variables` are those of the request.
///
/// # Errors
/// The command's exit text, such as `exit status 1`, or what failed after it.
pub fn run(room: &Room, stream: &BootstrapStream, variables: &Environment) -> Result<(), StepError> {
    let _ = (room, stream, variables);
    Err(StepError::wrong("bootstrap streams cannot be built yet"))
}
