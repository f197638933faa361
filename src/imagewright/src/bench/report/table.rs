//! Tables, for terminals and for Markdown.

use super::super::figures::{Figure, Summary};
use super::super::side::{Pair, Side};
use super::numbers::{number, spread};
use super::{ratio, summary};

/// Ratios closer to 1 than this are called even: runs of the same program differ by as much.
const EVEN: f64 = 0.05;

/// Heads and rows of text.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// One row per figure: ours, theirs, the ratio.
pub(super) fn by_side(figures: &[Figure], with_peer: bool) -> Table {
    let mut head = vec!["work", "figure", "unit", "ours"];
    if with_peer {
        head.extend(["theirs", "ours/theirs", ""]);
    }
    let rows = figures.iter().map(|figure| {
        let mut row = beginning(figure);
        row.push(spread(summary(figure, Pair::both(Side::Ours))));
        if with_peer {
            row.push(spread(summary(figure, Pair::both(Side::Theirs))));
            let (ours, theirs) = (Pair::both(Side::Ours), Pair::both(Side::Theirs));
            row.extend(verdict(figure, ours, theirs));
        }
        row
    });
    Table {
        title: "Medians (lowest–highest)",
        rows: rows.collect(),
        head,
    }
}

/// Mixed pairs, where there are any. What counts for somebody who changes the server and keeps the clients: their client on
/// our server, by their client on their server.
pub(super) fn crossed(figures: &[Figure]) -> Option<Table> {
    let pair = |client, server| Pair { client, server };
    let theirs_on_ours = pair(Side::Theirs, Side::Ours);
    let mixed = figures
        .iter()
        .filter(|figure| figure.samples.contains_key(&theirs_on_ours));
    let rows: Vec<Vec<String>> = mixed
        .map(|figure| {
            let mut row = beginning(figure);
            for pair in [
                theirs_on_ours,
                Pair::both(Side::Theirs),
                pair(Side::Ours, Side::Theirs),
            ] {
                row.push(spread(summary(figure, pair)));
            }
            row.extend(verdict(figure, theirs_on_ours, Pair::both(Side::Theirs)));
            row
        })
        .collect();
    let head = vec![
        "work",
        "figure",
        "unit",
        "their client, our server",
        "their client, their server",
        "our client, their server",
        "first/second",
        "",
    ];
    (!rows.is_empty()).then_some(Table {
        title: "Mixed",
        head,
        rows,
    })
}

fn beginning(figure: &Figure) -> Vec<String> {
    vec![
        figure.work.to_owned(),
        figure.name.clone(),
        figure.unit.symbol().to_owned(),
    ]
}

/// The ratio of the two medians, and what it says about the first.
fn verdict(figure: &Figure, first: Pair, second: Pair) -> [String; 2] {
    let Some(ratio) = ratio(figure, first, second) else {
        return ["–".to_owned(), String::new()];
    };
    let word = if (1.0 - EVEN..=1.0 + EVEN).contains(&ratio) {
        "even"
    } else if are_mixed(summary(figure, first), summary(figure, second)) {
        "unclear"
    } else if (ratio > 1.0) == figure.unit.more_is_better() {
        "better"
    } else {
        "WORSE"
    };
    [number(ratio), word.to_owned()]
}

/// Whether each median lies among the samples of the other: another run may turn the order round.
fn are_mixed(first: Option<Summary>, second: Option<Summary>) -> bool {
    let is_among = |median: f64, other: Summary| (other.min..=other.max).contains(&median);
    first
        .zip(second)
        .is_some_and(|(first, second)| is_among(first.median, second) && is_among(second.median, first))
}

impl Table {
    /// Columns side by side.
    pub(super) fn text(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|&title| title.to_owned()).collect();
        let mut widths: Vec<usize> = head.iter().map(|title| title.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The same as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("| {} |\n", self.head.join(" | "));
        text.push_str(&format!("|{}\n", " --- |".repeat(self.head.len())));
        for row in &self.rows {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::figures::{Figures, Unit};
    use super::*;

    #[test]
    fn less_time_and_more_calls_are_better() {
        let mut figures = Figures::default();
        for (name, unit, ours, theirs) in [
            ("quick", Unit::Seconds, 1.0, 2.0),
            ("slow", Unit::Seconds, 3.0, 2.0),
            ("many", Unit::PerSecond, 300.0, 200.0),
            ("few", Unit::PerSecond, 100.0, 200.0),
            ("same", Unit::PerSecond, 204.0, 200.0),
        ] {
            figures.record("work", name, unit, Pair::both(Side::Ours), ours);
            figures.record("work", name, unit, Pair::both(Side::Theirs), theirs);
        }
        let table = by_side(figures.all(), true);
        let verdicts: Vec<&str> = table.rows.iter().map(|row| row[6].as_str()).collect();
        assert_eq!(verdicts, ["better", "WORSE", "better", "WORSE", "even"]);
    }

    #[test]
    fn medians_among_the_samples_of_each_other_are_no_verdict() {
        let mut figures = Figures::default();
        for (ours, theirs) in [(5.0, 4.0), (6.0, 8.0), (9.0, 10.0)] {
            figures.record("work", "wide", Unit::Seconds, Pair::both(Side::Ours), ours);
            figures.record("work", "wide", Unit::Seconds, Pair::both(Side::Theirs), theirs);
        }
        assert_eq!(by_side(figures.all(), true).rows[0][6], "unclear");
    }

    #[test]
    fn a_figure_of_one_side_only_has_no_ratio() {
        let mut figures = Figures::default();
        figures.record("work", "alone", Unit::Seconds, Pair::both(Side::Ours), 1.0);
        let table = by_side(figures.all(), true);
        assert_eq!(table.rows[0][3..], ["1.00", "–", "–", ""]);
        assert!(crossed(figures.all()).is_none());
    }
}
