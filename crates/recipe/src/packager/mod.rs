//! The commands of a package manager (`imaginator.md §9.1`) and the script made of them (§9.2).

mod script;

pub use script::script;

/// Where the script is in an image.
pub const PATH: &str = "/bin/generic-packager";

/// Commands of a package manager, written into the images as `/bin/generic-packager`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packager {
    /// Removes what installing left behind, such as downloaded packages.
    pub clean_command: Vec<String>,
    /// Paths to be deleted after cleaning; expressions as in a filter.
    pub clean_patterns: Vec<String>,
    /// Installs the packages whose names follow.
    pub install_command: Vec<String>,
    /// Lists what is installed: name, version, size in a line each.
    pub list_command: Vec<String>,
    /// Removes the packages whose names follow.
    pub remove_command: Vec<String>,
    /// Bytes in a unit of the sizes listed; at least 1.
    pub size_multiplier: u64,
    /// Brings the list of available packages up to date.
    pub update_command: Vec<String>,
    /// Upgrades all packages.
    pub upgrade_command: Vec<String>,
    /// Lines put before everything else in the script.
    pub verbatim: Vec<String>,
}

#[cfg(test)]
mod tests;
