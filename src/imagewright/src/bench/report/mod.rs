//! What is told in the end.

mod document;
mod numbers;
mod table;

use super::figures::{Figure, Summary};
use super::machine::{Machine, load};
use super::side::{Pair, Side};
use super::stage::Stage;
use anyhow::Context;
use std::path::Path;

/// Everything that was found out.
pub(crate) struct Report<'a> {
    machine: Machine,
    load_after: String,
    stage: &'a Stage,
}

impl<'a> Report<'a> {
    pub(crate) fn new(machine: Machine, stage: &'a Stage) -> Self {
        Self {
            machine,
            load_after: load(),
            stage,
        }
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for table in self.tables() {
            text.push_str(&table.text());
            text.push('\n');
        }
        text
    }

    fn figures(&self) -> &[Figure] {
        self.stage.figures.all()
    }

    /// Whether another side was measured; its image repository is given beside its programs, or without them.
    fn is_with_peer(&self) -> bool {
        let theirs = Pair::both(Side::Theirs);
        let has_theirs = |figure: &Figure| figure.samples.contains_key(&theirs);
        self.stage.same().len() > 1 || self.figures().iter().any(has_theirs)
    }

    fn tables(&self) -> Vec<table::Table> {
        let mut tables = vec![table::by_side(self.figures(), self.is_with_peer())];
        tables.extend(table::crossed(self.figures()));
        tables
    }
}

/// Writes a report to a file.
pub(crate) fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn summary(figure: &Figure, pair: Pair) -> Option<Summary> {
    Summary::of(figure.samples.get(&pair)?)
}

/// The median of the first by that of the second.
fn ratio(figure: &Figure, first: Pair, second: Pair) -> Option<f64> {
    let (first, second) = (summary(figure, first)?.median, summary(figure, second)?.median);
    (second > 0.0).then_some(first / second)
}
