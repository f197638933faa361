//! The name someone probably meant.

/// Distance up to which a name is worth suggesting, in single-character edits.
const WORTH_SUGGESTING_EDITS: usize = 3;

/// The candidate nearest to `word`, if near enough to be what was meant: at most three edits and less than half
/// of the word. Upper and lower case count as equal; a candidate that begins with the word is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let length = word.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            let edits = distance(&word, &lower);
            let begins = length >= 3 && lower.starts_with(&word);
            let near = edits <= WORTH_SUGGESTING_EDITS && 2 * edits <= length.max(2);
            (near || begins).then_some((edits, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, a swap of neighbours counting as one.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let same = left[row - 1] == right[column - 1];
            let mut best = (last[column] + 1)
                .min(current[column - 1] + 1)
                .min(last[column - 1] + usize::from(!same));
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                best = best.min(before_last[column - 2] + 1);
            }
            current[column] = best;
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_verb() {
        let verbs = [
            "add",
            "addi",
            "check",
            "check-directory",
            "list",
            "listdirs",
            "show",
        ];
        assert_eq!(nearest("chekc", verbs), Some("check"));
        assert_eq!(nearest("lst", verbs), Some("list"));
        assert_eq!(nearest("Show", verbs), Some("show"));
        assert_eq!(nearest("listd", verbs), Some("list"));
        assert_eq!(nearest("check-dir", verbs), Some("check-directory"));
        assert_eq!(nearest("frobnicate", verbs), None);
        assert_eq!(nearest("", verbs), None);
    }
}
