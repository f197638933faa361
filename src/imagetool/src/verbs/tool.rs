//! Running a diff tool on two texts.

use std::io::Write;
use std::process::Stdio;

use anyhow::anyhow;
use tempfile::NamedTempFile;
use tree_io::os_text;

use super::Verdict;
use crate::session::Session;

/// A text in a temporary file that lives as long as this.
pub(super) fn file(
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("imagetool").tempfile()?;
    let mut buffered = std::io::BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    Ok(file)
}

/// `TOOL diffArgs... LEFT RIGHT`; its exit status does not count, for it tells only whether there are differences.
pub(super) async fn compare(
    session: &mut Session,
    tool: &str,
    left: &NamedTempFile,
    right: &NamedTempFile,
) -> anyhow::Result<Verdict> {
    session.out.flush()?;
    let mut child = tokio::process::Command::new(tool)
        .args(&session.options.diff_args)
        .arg(left.path())
        .arg(right.path())
        .stdin(Stdio::inherit())
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound if !tool.contains('/') => {
                anyhow!("exec: {tool:?}: executable file not found in $PATH")
            }
            _ => anyhow!("{tool}: {}", os_text(&e)),
        })?;
    child.wait().await?;
    Ok(Verdict::Done)
}
