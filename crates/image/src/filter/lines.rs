//! Filters as files and as lists of lines.

use std::collections::BTreeSet;

use crate::Filter;

/// Reads a filter from the text of a file: empty lines and lines whose first byte is `#` are dropped, nothing is
/// trimmed. Bytes that are not UTF-8 become replacement characters.
pub fn parse_lines(text: &[u8]) -> Filter {
    let text = String::from_utf8_lossy(text);
    let lines = text
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Filter {
        filter_lines: lines.map(str::to_owned).collect(),
    }
}

/// The union of filters, sorted, without duplicates (imagetool.md §4, `merge-filters`).
pub fn merge<'a>(filters: impl IntoIterator<Item = &'a Filter>) -> Filter {
    let lines: BTreeSet<&String> = filters
        .into_iter()
        .flat_map(|filter| &filter.filter_lines)
        .collect();
    Filter {
        filter_lines: lines.into_iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_lines_and_comments_are_dropped() {
        let filter = parse_lines(b"/a\n\n# c\n #d\n/b \n/c");
        assert_eq!(filter.filter_lines, ["/a", " #d", "/b ", "/c"]);
    }

    #[test]
    fn merged_filters_are_sorted_and_without_duplicates() {
        let merged = merge([&parse_lines(b"/b\n/a"), &parse_lines(b"/c\n/a")]);
        assert_eq!(merged.filter_lines, ["/a", "/b", "/c"]);
    }
}
