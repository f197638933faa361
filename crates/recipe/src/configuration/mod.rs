//! The main configuration (`imaginator.md §4`).

mod bootstrap;
pub(crate) mod checks;
mod packagers;
mod read;

pub(crate) use bootstrap::owners;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::text::Format;
use crate::{
    BootstrapStream, Cache, Checked, FindError, Packager, Problem, Secrets, Streams, UserStream, expand,
};

/// What the image builder is told.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// Directories of the host, seen read-only at the same path by builds of user streams.
    pub bind_mounts: Vec<String>,
    /// Streams made by a command, by name.
    pub bootstrap_streams: BTreeMap<String, Arc<BootstrapStream>>,
    /// A directory kept from build to build.
    pub cache: Option<Cache>,
    /// Time between two looks at an image streams file that comes by HTTP or git; zero to look once.
    pub image_streams_check_interval: Duration,
    /// Streams that are rebuilt beside the bootstrap streams, in this order.
    pub image_streams_to_auto_rebuild: Vec<String>,
    /// Where the image streams file is, not expanded; empty for no user streams.
    pub image_streams_url: String,
    /// Paths whose modification times are not copied from the image before; expressions as in a filter.
    pub mtimes_copy_filter_lines: Vec<String>,
    /// Packagers by type.
    pub packager_types: BTreeMap<String, Packager>,
    /// Links on the relationships page.
    pub relationships_quick_links: Vec<QuickLink>,
    /// The table `Variables`: what was expanded in bootstrap commands and packagers. No secrets.
    pub variables: BTreeMap<String, String>,
    /// Lines of the entries of `image_streams_to_auto_rebuild`.
    auto_rebuild_lines: Vec<usize>,
}

/// A link on the relationships page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuickLink {
    /// What it says.
    pub name: String,
    /// What is appended to `/showDirectedGraph`.
    pub url: String,
}

/// What a text is read with.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// How it is written.
    pub format: Format,
    /// What `$ARCH` stands for.
    pub architecture: &'a str,
    /// The variables file, if it is known: to tell where its names stand in places that they do not reach.
    pub secrets: Option<&'a Secrets>,
    /// Reads what a URL of the configuration (filter, triggers, tags of a bootstrap stream) leads to. May block. The error is shown.
    pub open: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
}

/// A stream of either kind.
#[derive(Clone, Debug)]
pub enum Found {
    /// Made by a command.
    Bootstrap(Arc<BootstrapStream>),
    /// Made from another image and a manifest.
    User(Arc<UserStream>),
}

impl Configuration {
    /// Reads a main configuration. Filters, triggers and tags that it names are opened.
    pub fn parse(text: &[u8], reading: &Reading<'_>) -> Checked<Self> {
        read::parse(text, reading)
    }

    /// The stream with a name: a bootstrap stream, a user stream, or one whose expression matches, in this order.
    ///
    /// # Errors
    /// There is none, or several expressions match.
    pub fn find(&self, streams: &Streams, name: &str) -> Result<Found, FindError> {
        if let Some(stream) = self.bootstrap_streams.get(name) {
            return Ok(Found::Bootstrap(stream.clone()));
        }
        let stream = streams.find(name)?;
        stream
            .map(Found::User)
            .ok_or_else(|| FindError::Unknown(name.to_owned()))
    }

    /// Names of the streams that are rebuilt by themselves: all bootstrap streams by name, if wanted, then those that are configured to be;
    /// each once.
    pub fn auto_rebuild(&self, with_bootstrap_streams: bool) -> Vec<&str> {
        let bootstrap = self
            .bootstrap_streams
            .keys()
            .filter(|_| with_bootstrap_streams)
            .chain(&self.image_streams_to_auto_rebuild);
        let mut names: Vec<&str> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for name in bootstrap {
            if seen.insert(name) {
                names.push(name);
            }
        }
        names
    }

    /// What is wrong with this configuration and these streams together: streams to be rebuilt that do not exist, names used twice.
    pub fn check_streams(&self, streams: &Streams) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, name) in self.image_streams_to_auto_rebuild.iter().enumerate() {
            if let Err(error) = self.find(streams, name) {
                let line = self.auto_rebuild_lines.get(index).copied().unwrap_or_default();
                let field = format!("ImageStreamsToAutoRebuild[{index}]");
                problems.push(Problem::warning(line, field, error.to_string()));
            }
        }
        for (name, _) in streams.iter() {
            if self.bootstrap_streams.contains_key(name) {
                let field = format!("BootstrapStreams.{name:?}");
                let what =
                    "the image streams file has a stream of this name, which is never built: rename one";
                problems.push(Problem::warning(0, field, what));
            }
        }
        problems
    }

    /// The image streams URL with the variables of the variables file in it. **Holds secrets.**
    pub fn expanded_image_streams_url(&self, secrets: &Secrets) -> String {
        expand::expression(&self.image_streams_url, |name| secrets.get(name))
    }
}

#[cfg(test)]
mod tests;
