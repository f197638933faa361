//! One chart as SVG, drawn here.

use jiff::Timestamp;

use super::Measure;
use crate::page::escape;

/// Size in its own units; it is scaled to the page.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 150.0;
/// Room for the numbers at the left and the times below.
const LEFT: f64 = 64.0;
const BELOW: f64 = 20.0;
const ABOVE: f64 = 8.0;
/// Lines across.
const STEPS: u32 = 3;

/// A curve as it is drawn: its name and what it was when.
pub(super) struct Drawn {
    pub(super) name: String,
    pub(super) values: Vec<(Timestamp, f64)>,
}

/// The time a chart spans.
pub(super) struct Span {
    /// Now.
    pub(super) end: Timestamp,
    /// Seconds back from there.
    pub(super) seconds: f64,
    /// Seconds after which a curve is interrupted rather than drawn straight on.
    pub(super) gap_seconds: f64,
    /// Where times are written: seconds back, and the words.
    pub(super) marks: &'static [(f64, &'static str)],
    /// The words for the whole.
    pub(super) words: &'static str,
}

/// The figure with its legend. `id` must differ from those of all others on the page.
pub(super) fn svg(id: &str, title: &str, measure: Measure, curves: &[Drawn], span: &Span) -> String {
    let highest = curves
        .iter()
        .flat_map(|curve| &curve.values)
        .map(|(_, value)| *value)
        .fold(0.0, f64::max);
    let top = round_up(highest, measure);
    let mut inner = grid(top, measure, span);
    for (index, curve) in curves.iter().enumerate() {
        inner += &format!(
            "<path class=\"curve c{index}\" d=\"{}\"/>",
            path(&curve.values, top, span)
        );
    }
    let told: Vec<String> = curves.iter().map(|curve| tell(curve, measure)).collect();
    let legend: String = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| {
            let key = format!("<svg class=\"key\" viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"curve c{index}\" d=\"M0 4H24\"/></svg>");
            format!("<li>{key} {}</li>", escape(&tell(curve, measure)))
        })
        .collect();
    format!(
        "<figure class=\"chart\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{0}, {1}</title><desc id=\"{id}-d\">{2}</desc>{inner}</svg>\
         <figcaption><ul>{legend}</ul></figcaption></figure>",
        escape(title),
        span.words,
        escape(&told.join("; ")),
    )
}

/// Name, and what it is now, was at least and at most.
fn tell(curve: &Drawn, measure: Measure) -> String {
    let Some((_, last)) = curve.values.last() else {
        return format!("{}: nothing known yet", curve.name);
    };
    let values = || curve.values.iter().map(|(_, value)| *value);
    let (least, most) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    format!(
        "{}: {}, from {} to {}",
        curve.name,
        words(*last, measure),
        words(least, measure),
        words(most, measure)
    )
}

fn grid(top: f64, measure: Measure, span: &Span) -> String {
    let mut grid = String::new();
    for step in 0..=STEPS {
        let value = top * f64::from(step) / f64::from(STEPS);
        let y = vertical(value, top);
        grid += &format!(
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{WIDTH}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            escape(&words(value, measure))
        );
    }
    for (back, word) in span.marks {
        let x = horizontal(*back, span);
        let anchor = if *back == 0.0 { "end" } else { "middle" };
        grid += &format!(
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{word}</text>",
            HEIGHT - 5.0
        );
    }
    grid
}

/// The line, interrupted where nothing is known.
fn path(values: &[(Timestamp, f64)], top: f64, span: &Span) -> String {
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for (at, value) in values {
        let back = span.end.duration_since(*at).as_secs_f64();
        if !(0.0..=span.seconds).contains(&back) {
            continue;
        }
        let goes_on = before.is_some_and(|before| before - back <= span.gap_seconds);
        let (x, y) = (horizontal(back, span), vertical(*value, top));
        path += &format!("{}{x:.1} {y:.1}", if goes_on { "L" } else { "M" });
        // A point alone would not be seen.
        if !goes_on {
            path += "h.1";
        }
        before = Some(back);
    }
    path
}

fn horizontal(back: f64, span: &Span) -> f64 {
    LEFT + (WIDTH - LEFT) * (1.0 - back / span.seconds)
}

fn vertical(value: f64, top: f64) -> f64 {
    let room = HEIGHT - ABOVE - BELOW;
    ABOVE + room * (1.0 - (value / top).clamp(0.0, 1.0))
}

/// The next number people like to read at the top of a chart, so that thirds of it are round as well.
fn round_up(highest: f64, measure: Measure) -> f64 {
    let least = if measure == Measure::Bytes {
        3.0 * 1024.0
    } else {
        3.0
    };
    let base: f64 = if measure == Measure::Bytes { 2.0 } else { 10.0 };
    let wanted = highest.max(least) / 3.0;
    let power = base.powf(wanted.log(base).floor());
    let factors: &[f64] = if measure == Measure::Bytes {
        &[1.0, 1.5, 2.0]
    } else {
        &[1.0, 2.0, 5.0, 10.0]
    };
    let factor = factors
        .iter()
        .find(|factor| *factor * power >= wanted)
        .unwrap_or(&base);
    3.0 * factor * power
}

fn words(value: f64, measure: Measure) -> String {
    match measure {
        // Sizes are far below what an f64 holds exactly, and not negative.
        Measure::Bytes => human::bytes(value.max(0.0) as u64),
        Measure::Count => number(value),
        Measure::PerSecond => format!("{}/s", number(value)),
        Measure::PercentOfTime => format!("{}%", number(value)),
    }
}

/// Whole if it is, else with as many digits as matter.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_a_round_number_above_everything() {
        for (highest, top) in [
            (0.0, 3.0),
            (3.0, 3.0),
            (4.0, 6.0),
            (100.0, 150.0),
            (299.0, 300.0),
            (301.0, 600.0),
        ] {
            assert_eq!(round_up(highest, Measure::Count), top, "{highest}");
        }
        for highest in [1_u64 << 20, (1 << 30) + 5, 7 << 33] {
            let top = round_up(highest as f64, Measure::Bytes);
            assert!(
                top >= highest as f64 && top <= highest as f64 * 3.0,
                "{highest} {top}"
            );
        }
    }
}
