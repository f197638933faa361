//! The packages of an image, and those of this host for a local tree (`imagetool.md §4`, `get-package-list`).

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{anyhow, bail};
use image::Package;

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
        return parse(&multiplier, &list);
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

/// Lines `name version [size]`, sorted by name; of several lines about one package the last counts.
fn parse(multiplier: &str, list: &str) -> anyhow::Result<Vec<Package>> {
    let multiplier: u64 = match multiplier.split_whitespace().next() {
        None => 1,
        Some(number) => number
            .parse()
            .map_err(|_| anyhow!("error decoding size multiplier: {number}"))?,
    };
    let mut packages = BTreeMap::new();
    for line in list.lines() {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(version)) = (fields.next(), fields.next()) else {
            bail!("malformed line: {line}");
        };
        let size: u64 = match fields.next() {
            None => 0,
            Some(size) => size.parse().map_err(|_| anyhow!("malformed size: {size}"))?,
        };
        let package = Package {
            name: name.to_owned(),
            version: version.to_owned(),
            size: size.saturating_mul(multiplier),
        };
        packages.insert(name.to_owned(), package);
    }
    Ok(packages.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(multiplier: &str, list: &str) -> String {
        match parse(multiplier, list) {
            Ok(packages) => packages
                .iter()
                .map(|package| format!("{} {} {};", package.name, package.version, package.size))
                .collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn packages_of_a_host_are_sorted_and_their_sizes_multiplied() {
        assert_eq!(
            told("1024\n", "zlib 1.3 2\nbash 5.2 3 more\nbase 1\nbash 5.3 4\n"),
            "base 1 0;bash 5.3 4096;zlib 1.3 2048;"
        );
        assert_eq!(told("", "a 1 7\n"), "a 1 7;");
    }

    #[test]
    fn what_a_packager_says_wrongly_is_an_error() {
        assert_eq!(told("many", ""), "error decoding size multiplier: many");
        assert_eq!(told("1", "bash\n"), "malformed line: bash");
        assert_eq!(told("1", "bash 5.2 big\n"), "malformed size: big");
    }
}
