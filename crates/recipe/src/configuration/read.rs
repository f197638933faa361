//! Reading the main configuration.

use super::{Configuration, Reading};
use crate::{Checked, Problem};

pub(super) fn parse(_text: &[u8], _reading: &Reading<'_>) -> Checked<Configuration> {
    Checked::failed(Problem::error(
        0,
        "",
        "reading configurations comes with the next commit",
    ))
}
