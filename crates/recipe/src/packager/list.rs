//! What `/bin/generic-packager list` prints.

use std::collections::BTreeMap;

use image::Package;

/// Why a list of packages is refused. The texts are the original's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// `show-size-multiplier` printed no number.
    #[error("error decoding size multiplier: {0}")]
    Multiplier(String),
    /// Less than a name and a version.
    #[error("malformed line: {0}")]
    Line(String),
    /// No number of units.
    #[error("malformed size: {0}")]
    Size(String),
}

/// Reads what `show-size-multiplier` and `list` printed: lines `name version [size]`, sizes in units of `multiplier` bytes, which is 1 if
/// nothing was printed. Sorted by name; of several lines about one package the last counts.
///
/// # Errors
/// A line has less than two words; a size or the multiplier is no number.
pub fn parse_list(multiplier: &str, list: &str) -> Result<Vec<Package>, ListError> {
    let multiplier: u64 = match multiplier.split_whitespace().next() {
        None => 1,
        Some(number) => number
            .parse()
            .map_err(|_| ListError::Multiplier(number.to_owned()))?,
    };
    let mut packages = BTreeMap::new();
    for line in list.lines() {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(version)) = (fields.next(), fields.next()) else {
            return Err(ListError::Line(line.to_owned()));
        };
        let size: u64 = match fields.next() {
            None => 0,
            Some(size) => size.parse().map_err(|_| ListError::Size(size.to_owned()))?,
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
