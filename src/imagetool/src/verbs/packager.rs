//! The packages of an image, and those of this host for a local tree (`imagetool.md §4`, `get-package-list`).

use std::process::{Command, Stdio};

use anyhow::{anyhow, bail};
use image::{Package, package_list};

use crate::session::Session;
use crate::trees;
use crate::typed_name::{Source, TypedName};

/// What images of every distribution bring for this.
const PACKAGER: &str = "/bin/generic-packager";

/// Packages of an image by its typed name; of a directory, as the original has it, those of the host it lies on.
pub(super) async fn packages(session: &mut Session, name: &str) -> anyhow::Result<Vec<Package>> {
    let name = TypedName::parse(name)?;
    if name.source == Source::Directory {
        let multiplier =
            run("show-size-multiplier").map_err(|e| anyhow!("error getting size multiplier: {e}"))?;
        let list = run("list").map_err(|e| anyhow!("error running package lister: {e}"))?;
        return Ok(package_list::parse(&multiplier, &list)?);
    }
    let (image, _) = trees::metadata(session, &name).await?;
    Ok(image.packages.clone())
}

fn run(command: &str) -> anyhow::Result<String> {
    let output = Command::new(PACKAGER)
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| anyhow!("{PACKAGER}: {}", tree_io::os_text(&e)))?;
    if !output.status.success() {
        bail!("{PACKAGER} {command}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
