//! The inode table.

use crate::Inode;

/// The inodes of a tree by number.
///
/// A sorted vector instead of a map: decoding tens of thousands of inodes is then one growing allocation and one sort
/// (of what usually is sorted), and looking one up a binary search.
#[derive(Clone, Debug, Default, PartialEq, Eq, gob::Gob)]
#[gob(map)]
pub struct InodeTable(Vec<(u64, Inode)>);

impl InodeTable {
    /// A table without inodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The inode with a number.
    pub fn get(&self, number: u64) -> Option<&Inode> {
        self.0.get(self.position(number).ok()?).map(|(_, inode)| inode)
    }

    /// The inode with a number, to be changed.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Inode> {
        let position = self.position(number).ok()?;
        self.0.get_mut(position).map(|(_, inode)| inode)
    }

    /// Puts an inode in, returning the one it replaces. Linear unless the number is the highest so far: producers
    /// collect in a vector instead and convert that.
    pub fn insert(&mut self, number: u64, inode: Inode) -> Option<Inode> {
        match self.position(number) {
            Ok(at) => self
                .0
                .get_mut(at)
                .map(|entry| std::mem::replace(&mut entry.1, inode)),
            Err(at) => {
                self.0.insert(at, (number, inode));
                None
            }
        }
    }

    /// Takes an inode out. Linear.
    pub fn remove(&mut self, number: u64) -> Option<Inode> {
        self.position(number).ok().map(|at| self.0.remove(at).1)
    }

    /// Keeps the inodes for which the predicate says so.
    pub fn retain(&mut self, mut keep: impl FnMut(u64, &Inode) -> bool) {
        self.0.retain(|(number, inode)| keep(*number, inode));
    }

    /// Numbers and inodes, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Inode)> + ExactSizeIterator {
        self.0.iter().map(|(number, inode)| (*number, inode))
    }

    /// Numbers and inodes, ascending, to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (u64, &mut Inode)> + ExactSizeIterator {
        self.0.iter_mut().map(|(number, inode)| (*number, inode))
    }

    /// Number of inodes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Place of an inode in ascending order, usable as an index into side tables of length [`len`](Self::len).
    pub fn position_of(&self, number: u64) -> Option<usize> {
        self.position(number).ok()
    }

    /// The inode at a place found by [`position_of`](Self::position_of).
    pub fn at(&self, position: usize) -> Option<&Inode> {
        self.0.get(position).map(|(_, inode)| inode)
    }

    fn position(&self, number: u64) -> Result<usize, usize> {
        // Many producers number densely from the first; that guess saves the search.
        if let Some((first, _)) = self.0.first()
            && let Ok(guess) = usize::try_from(number.wrapping_sub(*first))
            && self.0.get(guess).is_some_and(|entry| entry.0 == number)
        {
            return Ok(guess);
        }
        self.0.binary_search_by_key(&number, |entry| entry.0)
    }
}

impl From<Vec<(u64, Inode)>> for InodeTable {
    /// Sorts; of several inodes with one number the last stays.
    fn from(mut entries: Vec<(u64, Inode)>) -> Self {
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.sort_by_key(|entry| entry.0);
            entries.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        Self(entries)
    }
}

impl FromIterator<(u64, Inode)> for InodeTable {
    fn from_iter<I: IntoIterator<Item = (u64, Inode)>>(entries: I) -> Self {
        Self::from(Vec::from_iter(entries))
    }
}

impl IntoIterator for InodeTable {
    type Item = (u64, Inode);
    type IntoIter = std::vec::IntoIter<(u64, Inode)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SymlinkInode;

    fn link(target: &str) -> Inode {
        Inode::Symlink(SymlinkInode {
            symlink: target.into(),
            ..SymlinkInode::default()
        })
    }

    #[test]
    fn any_order_becomes_ascending_and_the_last_of_one_number_stays() {
        let entries = vec![
            (7, link("a")),
            (3, link("b")),
            (7, link("c")),
            (u64::MAX, link("d")),
            (0, link("e")),
        ];
        let table = InodeTable::from(entries);
        let numbers: Vec<u64> = table.iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [0, 3, 7, u64::MAX]);
        assert_eq!(table.get(7), Some(&link("c")));
        assert_eq!(table.get(1), None);
        assert_eq!(table.get(u64::MAX), Some(&link("d")));
    }

    #[test]
    fn inserting_and_removing_keeps_the_order() {
        let mut table = InodeTable::new();
        assert_eq!(table.insert(5, link("a")), None);
        assert_eq!(table.insert(2, link("b")), None);
        assert_eq!(table.insert(5, link("c")), Some(link("a")));
        assert_eq!(table.position_of(5), Some(1));
        assert_eq!(table.remove(2), Some(link("b")));
        assert_eq!(table.len(), 1);
    }
}
