//! Numbers for people.

use super::super::figures::Summary;

/// Three digits that count, thousands apart.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && digit.is_ascii_digit() && (whole.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + rest
}

/// Median and extremes; a single sample stands alone.
pub(super) fn spread(summary: Option<Summary>) -> String {
    match summary {
        None => "–".to_owned(),
        Some(summary) if summary.count == 1 => number(summary.median),
        Some(summary) => format!(
            "{} ({}–{})",
            number(summary.median),
            number(summary.min),
            number(summary.max)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let expected = [
            (0.0123, "0.012"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.6, "12,346"),
            (1_234_567.0, "1,234,567"),
        ];
        for (value, text) in expected {
            assert_eq!(number(value), text);
        }
    }
}
