//! Reading the variables file.

use super::Secrets;
use crate::{Checked, Problem};

pub(super) fn parse(_text: &[u8]) -> Checked<Secrets> {
    Checked::failed(Problem::error(
        0,
        "",
        "reading variables comes with the next commit",
    ))
}
