//! How much of what no image needs is to be deleted (imageserver.md §3.8): the same for those who do it and those who only
//! say what would be done.

/// When a deletion may end: with both amounts reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    objects: u64,
    bytes: u64,
}

/// What a deletion comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Objects that go, from the front of the queue.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether that reaches the goal; else there are no more.
    pub is_enough: bool,
}

impl Goal {
    /// At least so many percent of the objects that are unreferenced when it begins, and at least so many bytes.
    pub fn new(percentage: u8, bytes: u64, unreferenced: u64) -> Goal {
        Goal {
            objects: unreferenced.saturating_mul(percentage.into()) / 100,
            bytes,
        }
    }

    /// Whether so many objects and bytes are enough.
    pub fn is_reached(&self, objects: u64, bytes: u64) -> bool {
        objects >= self.objects && bytes >= self.bytes
    }

    /// What deleting objects of these sizes in bytes, in this order, comes to.
    pub fn plan(&self, sizes: impl IntoIterator<Item = u64>) -> Plan {
        let (mut objects, mut bytes) = (0, 0_u64);
        let mut sizes = sizes.into_iter();
        while !self.is_reached(objects, bytes) {
            let Some(size) = sizes.next() else { break };
            objects += 1;
            bytes = bytes.saturating_add(size);
        }
        Plan {
            objects,
            bytes,
            is_enough: self.is_reached(objects, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_ends_with_both_amounts_or_with_the_last_object() {
        let plan = |percentage, bytes| {
            let plan = Goal::new(percentage, bytes, 4).plan([10, 20, 30, 40]);
            (plan.objects, plan.bytes, plan.is_enough)
        };
        assert_eq!(plan(0, 0), (0, 0, true));
        assert_eq!(plan(24, 0), (0, 0, true));
        assert_eq!(plan(50, 0), (2, 30, true));
        assert_eq!(plan(50, 31), (3, 60, true));
        assert_eq!(plan(0, 100), (4, 100, true));
        assert_eq!(plan(0, 101), (4, 100, false));
        assert_eq!(plan(255, 0), (4, 100, false));
    }
}
