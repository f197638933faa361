//! What was measured.

use super::side::Pair;
use std::collections::BTreeMap;

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    /// Of memory; a million bytes each.
    Megabytes,
    MegabytesPerSecond,
    PerSecond,
}

impl Unit {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::MegabytesPerSecond => "MB/s",
            Self::PerSecond => "/s",
        }
    }

    /// Whether more is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::MegabytesPerSecond | Self::PerSecond)
    }
}

/// One figure and all its samples.
pub(crate) struct Figure {
    pub(crate) work: &'static str,
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) samples: BTreeMap<Pair, Vec<f64>>,
}

/// All figures, in the order in which they came up.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a sample.
    pub(crate) fn record(&mut self, work: &'static str, name: &str, unit: Unit, pair: Pair, value: f64) {
        let known = self
            .0
            .iter_mut()
            .find(|figure| figure.work == work && figure.name == name);
        let figure = match known {
            Some(figure) => figure,
            None => {
                self.0.push(Figure {
                    work,
                    name: name.to_owned(),
                    unit,
                    samples: BTreeMap::new(),
                });
                // It was pushed the line before.
                let Some(figure) = self.0.last_mut() else { return };
                figure
            }
        };
        figure.samples.entry(pair).or_default().push(value);
    }

    pub(crate) fn all(&self) -> &[Figure] {
        &self.0
    }
}

/// Middle and extremes of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) count: usize,
}

impl Summary {
    /// Nothing if there are no samples.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self {
            median: f64::midpoint(low, high),
            min,
            max,
            count: sorted.len(),
        })
    }
}

/// The value below which a share of the sorted samples lies, from 0 to 1; 0 without samples.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (share * last as f64).round() as usize;
    sorted.get(place.min(last)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let summary = Summary::of(&[4.0, 1.0, 3.0, 100.0]).unwrap();
        assert_eq!((summary.median, summary.min, summary.max), (3.5, 1.0, 100.0));
        assert_eq!(Summary::of(&[2.0]).unwrap().median, 2.0);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.99), 99.0);
        assert_eq!(quantile(&sorted, 1.0), 100.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
