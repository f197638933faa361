//! The files that speed up a start. Whether they are whole, not whether they are up to date: nothing depends on that.

use super::Directories;
use super::finding::{Finding, Kind};
use super::report::Report;
use storage::frame;

/// Below the images and below the objects.
const INDEXES: [&str; 2] = [".imagewright.images.index", ".imagewright.objects.index"];

pub(super) fn look(directories: &Directories, report: &mut Report) {
    for (directory, name) in [&directories.images, &directories.objects]
        .into_iter()
        .zip(INDEXES)
    {
        let cause = match std::fs::read(directory.join(name)) {
            Ok(content) => frame::examine(&content).err().map(|refused| refused.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(error.to_string()),
        };
        let finding = cause.map(|cause| Finding::new(Kind::DamagedIndex, name, cause));
        report.findings.extend(finding);
    }
}
