//! Version-string order.

use std::cmp::Ordering;

/// Orders names so that numbers in them count as numbers: `9_y` before `10_x` (imagetool.md §4.2).
///
/// Runs of digits compare as numbers, other bytes by value, and a proper prefix sorts first. Names that differ only in
/// leading zeros are ordered by bytes, so that only equal names are `Equal`.
pub fn version_cmp(left: impl AsRef<[u8]>, right: impl AsRef<[u8]>) -> Ordering {
    let (whole_left, whole_right) = (left.as_ref(), right.as_ref());
    // Names that are compared mostly begin alike: what is the same decides nothing, but a number must be looked at whole.
    let alike = whole_left
        .iter()
        .zip(whole_right)
        .take_while(|(a, b)| a == b)
        .count();
    let digits = whole_left[..alike]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (mut left, mut right) = (&whole_left[alike - digits..], &whole_right[alike - digits..]);
    loop {
        match (left.first(), right.first()) {
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let (number_left, number_right) = (take_digits(&mut left), take_digits(&mut right));
                let order = number_left
                    .len()
                    .cmp(&number_right.len())
                    .then(number_left.cmp(number_right));
                if order.is_ne() {
                    return order;
                }
            }
            (Some(a), Some(b)) if a != b => return a.cmp(b),
            (Some(_), Some(_)) => (left, right) = (&left[1..], &right[1..]),
            (None, None) => return whole_left.cmp(whole_right),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

/// Whether the first name sorts before the second.
pub fn version_less(left: impl AsRef<[u8]>, right: impl AsRef<[u8]>) -> bool {
    version_cmp(left, right).is_lt()
}

/// Takes a run of digits off the front and returns it without its leading zeros.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(end);
    *text = rest;
    &digits[digits.iter().take_while(|&&digit| digit == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let sorted = [
            "",
            "1",
            "2",
            "10",
            "a",
            "a-9",
            "a-10",
            "a1b2",
            "a1b10",
            "a2",
            "ab",
            "b/2026-1",
            "b/2026-11",
        ];
        for pair in sorted.windows(2) {
            assert!(version_less(pair[0], pair[1]), "{pair:?}");
            assert!(!version_less(pair[1], pair[0]), "{pair:?}");
        }
        let huge = "9".repeat(100);
        assert!(version_less(&huge, format!("1{huge}")));
    }

    proptest! {
        #[test]
        fn the_order_is_total(names in prop::collection::vec("[a01.]{0,5}", 3)) {
            let [a, b, c] = [&names[0], &names[1], &names[2]];
            prop_assert_eq!(version_cmp(a, b), version_cmp(b, a).reverse());
            prop_assert_eq!(version_cmp(a, b).is_eq(), a == b);
            if version_less(a, b) && version_less(b, c) {
                prop_assert!(version_less(a, c));
            }
        }
    }
}
