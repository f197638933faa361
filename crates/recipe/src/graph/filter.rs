//! Excluding and including with all that hangs on it (`imaginator-web.md §5`).

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use super::Relations;

impl Relations {
    /// What is left without the streams that `excludes` match and all that is built from them, and, if there are `includes`, without
    /// everything that is neither matched by one, nor built from such a stream, nor a source of one. A pattern matches a stream
    /// of its name and all streams below it as below a directory.
    pub fn filtered(&self, excludes: &[String], includes: &[String]) -> Self {
        let names = self.names();
        let mut kept = if includes.is_empty() {
            names.clone()
        } else {
            let matching = matched(&names, includes);
            let mut kept = self.with_dependants(&matching);
            kept.extend(self.sources_of(&matching));
            kept
        };
        for excluded in self.with_dependants(&matched(&names, excludes)) {
            kept.remove(excluded);
        }
        let of_set = |set: &BTreeSet<String>| -> BTreeSet<String> {
            set.iter()
                .filter(|name| kept.contains(name.as_str()))
                .cloned()
                .collect()
        };
        let is_kept = |name: &&String| kept.contains(name.as_str());
        Self {
            sources: self
                .sources
                .iter()
                .filter(|(stream, _)| kept.contains(stream.as_str()))
                .map(|(stream, source)| (stream.clone(), source.clone()))
                .collect(),
            bootstrap: of_set(&self.bootstrap),
            pattern_sources: of_set(&self.pattern_sources),
            unbuildable_sources: of_set(&self.unbuildable_sources),
            auto_rebuilt: self.auto_rebuilt.iter().filter(is_kept).cloned().collect(),
        }
    }

    /// These, all that is built from them, and what is built from that.
    fn with_dependants<'a>(&'a self, names: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut dependants: HashMap<&str, Vec<&str>> = HashMap::new();
        for (stream, source) in &self.sources {
            dependants.entry(source).or_default().push(stream);
        }
        let mut reached = names.clone();
        let mut waiting: Vec<&str> = names.iter().copied().collect();
        while let Some(name) = waiting.pop() {
            for dependant in dependants.get(name).into_iter().flatten() {
                if reached.insert(dependant) {
                    waiting.push(dependant);
                }
            }
        }
        reached
    }

    /// What these are built from, and what that is built from.
    fn sources_of<'a>(&'a self, names: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        for name in names {
            let mut at = *name;
            while let Some(source) = self.sources.get(at) {
                // Known already: so is all behind it. That ends rings as well.
                if !reached.insert(source.as_str()) {
                    break;
                }
                at = source;
            }
        }
        reached
    }
}

fn matched<'a>(names: &BTreeSet<&'a str>, patterns: &[String]) -> BTreeSet<&'a str> {
    let mut matching = BTreeSet::new();
    for pattern in patterns {
        // Names below a directory stand together, from "DIRECTORY/" on.
        let below = format!("{pattern}/");
        if let Some(equal) = names.get(pattern.as_str()) {
            matching.insert(*equal);
        }
        matching.extend(
            names
                .range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded))
                .take_while(|name| name.starts_with(&below)),
        );
    }
    matching
}
