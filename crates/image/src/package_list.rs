//! What `/bin/generic-packager` of an image says of its packages (`imaginator.md §9.2`).

use std::collections::BTreeMap;

use crate::Package;

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
pub fn parse(multiplier: &str, list: &str) -> Result<Vec<Package>, ListError> {
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

    #[test]
    fn lists_are_read_as_the_original_reads_them() {
        let list = parse("1024\n", "vim 2:9.0 3000\nbash 5.2\nvim 2:9.1 10 extra\n").unwrap();
        let found: Vec<(&str, &str, u64)> = list
            .iter()
            .map(|package| (package.name.as_str(), package.version.as_str(), package.size))
            .collect();
        assert_eq!(found, [("bash", "5.2", 0), ("vim", "2:9.1", 10240)]);
        assert_eq!(parse("", "a 1 7").unwrap()[0].size, 7);
        assert_eq!(parse("2", "a 1 18446744073709551615").unwrap()[0].size, u64::MAX);
        let told = |multiplier, list| parse(multiplier, list).unwrap_err().to_string();
        assert_eq!(told("1", "bash\n"), "malformed line: bash");
        assert_eq!(told("1", "\n"), "malformed line: ");
        assert_eq!(told("1", "bash 5.2 big\n"), "malformed size: big");
        assert_eq!(told("x", ""), "error decoding size multiplier: x");
    }
}
