//! Whether a client takes what is answered here (imgapi.md §3: `Accept`).

/// What the original can make of its answers; it always makes the first one.
const OFFERED: [(&str, &str); 4] = [
    ("application", "json"),
    ("text", "plain"),
    ("application", "octet-stream"),
    ("application", "javascript"),
];

/// Whether an `Accept` admits one of them. No header, or an empty one, admits everything.
pub(crate) fn is_acceptable(header: Option<&str>) -> bool {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
        return true;
    };
    header.split(',').any(admits)
}

fn admits(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let Some((kind, form)) = parts.next().and_then(|range| range.split_once('/')) else {
        return false;
    };
    let is_refused = parts
        .filter_map(|parameter| parameter.strip_prefix("q="))
        .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality == 0.0));
    let fits = |pattern: &str, word: &str| pattern == "*" || pattern.eq_ignore_ascii_case(word);
    !is_refused && OFFERED.iter().any(|(a, b)| fits(kind, a) && fits(form, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_what_covers_it_are_taken() {
        for header in [
            "*/*",
            "application/json",
            "application/*;q=0.5",
            "text/html, */*;q=0.1",
            "text/plain",
            "",
        ] {
            assert!(is_acceptable(Some(header)), "{header}");
        }
        assert!(is_acceptable(None));
        for header in ["text/html", "image/png, text/html", "*/*;q=0", "nonsense"] {
            assert!(!is_acceptable(Some(header)), "{header}");
        }
    }
}
