//! Where each stream stands: layers from left to right, rows from top to bottom.
//!
//! A stream stands one layer right of its source. The first stream built from it stands in its row, the others below, each subtree in
//! rows of its own: so lines never cross and chains are straight. Rings are opened at the stream whose name sorts first; that
//! stream stands like one without source, and the line that is left out is told.

use std::collections::{HashMap, HashSet};

use super::{Kind, Relations};

/// Where one stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it is rebuilt by itself.
    pub is_auto_rebuilt: bool,
    /// From the left, the first is 0.
    pub layer: usize,
    /// From the top, the first is 0.
    pub row: usize,
    /// Its source, by index in [`Layout::places`]; always an earlier one.
    pub source: Option<usize>,
    /// The source that makes a ring, by index; then `source` is `None`.
    pub ring: Option<usize>,
}

/// All streams, each behind its source, subtree by subtree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The streams.
    pub places: Vec<Place>,
    /// Number of layers.
    pub layers: usize,
    /// Number of rows.
    pub rows: usize,
}

impl Layout {
    /// Places all streams of the relations.
    pub fn of(relations: &Relations) -> Self {
        let names: Vec<&str> = relations.names().into_iter().collect();
        let number: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(number, name)| (*name, number))
            .collect();
        let source_of = |name: &&str| number.get(relations.sources.get(*name)?.as_str()).copied();
        let mut sources: Vec<Option<usize>> = names.iter().map(source_of).collect();
        let rings = open_rings(&mut sources);
        let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
        for (stream, source) in sources.iter().enumerate() {
            if let Some(list) = source.and_then(|source| dependants.get_mut(source)) {
                list.push(stream);
            }
        }
        let mut layout = Self::default();
        let rebuilt: HashSet<&str> = relations.auto_rebuilt.iter().map(String::as_str).collect();
        // Where the stream of a number came to stand, for the ends of rings.
        let mut index = vec![0; names.len()];
        let roots = (0..names.len())
            .rev()
            .filter(|stream| sources.get(*stream) == Some(&None));
        // Last in, first out: pushed from the back, taken in order. With each its source and whether it goes into that one's row.
        let mut waiting: Vec<(usize, Option<usize>, bool)> = roots.map(|root| (root, None, false)).collect();
        while let Some((stream, source, is_first)) = waiting.pop() {
            let Some(name) = names.get(stream) else { continue };
            let at = layout.place(name, source, is_first);
            if let Some(place) = layout.places.get_mut(at) {
                place.kind = relations.kind(name);
                place.is_auto_rebuilt = rebuilt.contains(name);
            }
            if let Some(known) = index.get_mut(stream) {
                *known = at;
            }
            let list = dependants.get(stream).map_or(&[][..], Vec::as_slice);
            let with_place = list.iter().enumerate().rev();
            waiting.extend(with_place.map(|(place, dependant)| (*dependant, Some(at), place == 0)));
        }
        for (stream, source) in rings {
            let (Some(&from), Some(&to)) = (index.get(stream), index.get(source)) else {
                continue;
            };
            if let Some(place) = layout.places.get_mut(from) {
                place.ring = Some(to);
            }
        }
        layout
    }

    fn place(&mut self, name: &str, source: Option<usize>, is_first: bool) -> usize {
        let above = source.and_then(|source| self.places.get(source));
        let layer = above.map_or(0, |above| above.layer + 1);
        let row = match above {
            Some(above) if is_first => above.row,
            _ => self.rows,
        };
        self.rows = self.rows.max(row + 1);
        self.layers = self.layers.max(layer + 1);
        self.places.push(Place {
            name: name.to_owned(),
            kind: Kind::User,
            is_auto_rebuilt: false,
            layer,
            row,
            source,
            ring: None,
        });
        self.places.len() - 1
    }
}

/// Takes the source from the first stream of each ring; returns these with what was taken.
fn open_rings(sources: &mut [Option<usize>]) -> Vec<(usize, usize)> {
    // In which walk a stream was met; 0 for not yet.
    let mut met = vec![0_usize; sources.len()];
    let mut rings = Vec::new();
    for start in 0..sources.len() {
        let (walk, mut at) = (start + 1, start);
        loop {
            match met.get_mut(at) {
                Some(walk_then) if *walk_then == 0 => *walk_then = walk,
                // Its own way again: a ring, and `at` is in it.
                Some(walk_then) if *walk_then == walk => {
                    rings.extend(open(sources, at));
                    break;
                }
                _ => break,
            }
            match sources.get(at).copied().flatten() {
                Some(source) => at = source,
                None => break,
            }
        }
    }
    rings
}

/// Opens the ring that goes through this stream.
fn open(sources: &mut [Option<usize>], in_it: usize) -> Option<(usize, usize)> {
    let (mut first, mut at) = (in_it, in_it);
    while let Some(source) = sources.get(at).copied().flatten() {
        at = source;
        first = first.min(at);
        if at == in_it {
            break;
        }
    }
    Some((first, sources.get_mut(first)?.take()?))
}
