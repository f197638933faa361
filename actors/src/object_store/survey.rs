//! What is stored, as people want to see it: how large objects are, which are shared most.

use super::Table;
use hash::Hash;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Objects of about the same size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SizeClass {
    /// Bytes of the largest object that may be in it.
    pub up_to_bytes: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// One object, with how often it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyedObject {
    /// Name.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
    /// References of all images together.
    pub references: u64,
}

/// What is stored. Objects that come and go meanwhile may or may not be in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// By size, smallest first, each class four times the one before; classes without objects at either end are left out.
    pub sizes: Vec<SizeClass>,
    /// Those whose sharing saves most bytes, most first.
    pub most_shared: Vec<SurveyedObject>,
    /// The largest, largest first.
    pub largest: Vec<SurveyedObject>,
}

/// Looks at every object. Blocks.
pub(super) fn survey(table: &Table, most: usize) -> Survey {
    let mut classes: Vec<SizeClass> = (0..=31)
        .map(|power| SizeClass {
            up_to_bytes: 4_u64.saturating_pow(power),
            ..SizeClass::default()
        })
        .collect();
    let (mut shared, mut largest) = (Top::new(most), Top::new(most));
    table.for_each(|hash, size, references| {
        let class = classes.partition_point(|class| class.up_to_bytes < size);
        if let Some(class) = classes.get_mut(class) {
            class.objects += 1;
            class.bytes = class.bytes.saturating_add(size);
        }
        let saved = references.saturating_sub(1).saturating_mul(size);
        let object = || SurveyedObject {
            hash: *hash,
            size,
            references,
        };
        if saved > 0 {
            shared.offer(saved, hash, object);
        }
        largest.offer(size, hash, object);
    });
    let first = classes.iter().position(|class| class.objects > 0).unwrap_or(0);
    let end = classes
        .iter()
        .rposition(|class| class.objects > 0)
        .map_or(0, |last| last + 1);
    Survey {
        sizes: classes.get(first..end).unwrap_or_default().to_vec(),
        most_shared: shared.sorted(),
        largest: largest.sorted(),
    }
}

/// The objects with the greatest weights.
struct Top {
    most: usize,
    heap: BinaryHeap<Reverse<(u64, Hash, Weighed)>>,
}

/// Has no order of its own: the weight and the name decide.
struct Weighed(SurveyedObject);

impl Top {
    fn new(most: usize) -> Self {
        Self {
            most,
            heap: BinaryHeap::new(),
        }
    }

    fn offer(&mut self, weight: u64, hash: &Hash, object: impl Fn() -> SurveyedObject) {
        if self.heap.len() >= self.most {
            match self.heap.peek() {
                Some(Reverse((least, name, _))) if (*least, name) < (weight, hash) => {
                    self.heap.pop();
                }
                _ => return,
            }
        }
        self.heap.push(Reverse((weight, *hash, Weighed(object()))));
    }

    fn sorted(self) -> Vec<SurveyedObject> {
        let sorted = self.heap.into_sorted_vec();
        sorted
            .into_iter()
            .map(|Reverse((_, _, object))| object.0)
            .collect()
    }
}

impl PartialEq for Weighed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Weighed {}

impl PartialOrd for Weighed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Weighed {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_by_size_and_the_greatest_are_found() {
        let table = Table::new();
        for size in 1..=1000_u64 {
            let hash = hash::of(&size.to_le_bytes());
            table.insert_scanned(hash, size);
            for _ in 0..(size % 3) {
                table.add_reference(&hash, false).unwrap();
            }
        }
        let survey = survey(&table, 3);
        assert_eq!(survey.sizes.len(), 6);
        assert_eq!(survey.sizes[0].objects, 1);
        assert_eq!((survey.sizes[1].up_to_bytes, survey.sizes[1].objects), (4, 3));
        assert_eq!(survey.sizes.iter().map(|class| class.objects).sum::<u64>(), 1000);
        assert_eq!(survey.sizes.iter().map(|class| class.bytes).sum::<u64>(), 500_500);
        let sizes =
            |objects: &[SurveyedObject]| -> Vec<u64> { objects.iter().map(|object| object.size).collect() };
        assert_eq!(sizes(&survey.largest), [1000, 999, 998]);
        // Sizes that leave 2 by 3 have two references: the others save nothing.
        assert_eq!(sizes(&survey.most_shared), [998, 995, 992]);
    }
}
