//! The picture: boxes in layers from left to right, drawn without any program.
//!
//! What a stream is shows in the outline of its box, how its last build went in a sign whose shape and colour say the same. Names that are
//! too long for a box lose their middle; the whole one is in the title. Colours are those of the page around the picture, or
//! their light ones where it stands alone.

use std::fmt::Write;

use super::{Kind, Layout, Place};

/// Pixels from one row to the next, and the height of a box.
const ROW: usize = 34;
const BOX: usize = 26;
/// Pixels between layers, for the lines.
const GAP: usize = 44;
/// Pixels around everything.
const MARGIN: usize = 6;
/// Pixels of a box before its text, where the sign is, and after it.
const BEFORE_TEXT: usize = 24;
const AFTER_TEXT: usize = 10;
/// Width of a character in hundredths of a pixel.
const CHARACTER: usize = 725;
/// Characters of a name that are shown: so many of its start and of its end if it has more.
const NAME_MOST: usize = 42;
const NAME_START: usize = 12;
const NAME_END: usize = 29;

/// How the last build of a stream went, or what goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is known: it was not built since the daemon started.
    #[default]
    Unknown,
    /// It was built.
    Good,
    /// It could not be built.
    Failed,
    /// It is being built.
    Building,
    /// It waits to be built.
    Queued,
}

/// What a stream looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// See there.
    pub state: State,
    /// Where its box leads to, a path on this host; nowhere if empty.
    pub link: String,
}

impl State {
    /// All of them, as a legend tells them.
    pub const ALL: [Self; 5] = [
        Self::Good,
        Self::Failed,
        Self::Building,
        Self::Queued,
        Self::Unknown,
    ];

    /// As people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unknown => "not built yet",
            Self::Good => "built",
            Self::Failed => "failed",
            Self::Building => "being built",
            Self::Queued => "waiting",
        }
    }

    /// Its class in a style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Failed => "failed",
            Self::Building => "building",
            Self::Queued => "queued",
        }
    }

    /// Its sign around a middle: a disc, a square, a triangle, a diamond, a ring.
    fn sign(self, x: usize, y: usize) -> String {
        let class = self.class();
        match self {
            Self::Good => format!("<circle class=\"sign {class}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>"),
            Self::Unknown => format!("<circle class=\"sign {class}\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"),
            Self::Failed => format!("<path class=\"sign {class}\" d=\"M{x} {y}m-5 -5h10v10h-10z\"/>"),
            Self::Building => format!("<path class=\"sign {class}\" d=\"M{x} {y}m-4 -6l10 6l-10 6z\"/>"),
            Self::Queued => format!("<path class=\"sign {class}\" d=\"M{x} {y}m0 -6l6 6l-6 6l-6 -6z\"/>"),
        }
    }
}

/// The picture of a layout, each stream as `look` says. Its elements have classes below `stream-graph`.
pub fn svg(layout: &Layout, look: impl Fn(&Place) -> Look) -> String {
    let widths = widths(layout);
    let mut lefts = Vec::with_capacity(widths.len());
    let mut right = MARGIN;
    for width in &widths {
        lefts.push(right);
        right += width + GAP;
    }
    let (width, height) = (
        right.saturating_sub(GAP).max(MARGIN) + MARGIN,
        layout.rows * ROW + 2 * MARGIN,
    );
    let at = |place: &Place| Corner {
        x: lefts.get(place.layer).copied().unwrap_or(0),
        y: MARGIN + place.row * ROW + (ROW - BOX) / 2,
        width: widths.get(place.layer).copied().unwrap_or(0),
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"stream-graph\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{} streams, each right of the one it is built from\">\
         <style>{STYLE}</style>\n",
        layout.places.len()
    );
    for place in &layout.places {
        if let Some(source) = place.source.and_then(|source| layout.places.get(source)) {
            svg += &line(at(source), at(place));
        }
        if let Some(source) = place.ring.and_then(|source| layout.places.get(source)) {
            svg += &ring(at(source), at(place));
        }
    }
    for place in &layout.places {
        svg += &stream(place, &look(place), at(place));
    }
    svg + "</svg>"
}

/// The same signs and outlines with their meaning, as HTML.
pub fn legend() -> String {
    let mut html = String::from("<ul class=\"stream-legend\">");
    for state in State::ALL {
        let sign = state.sign(8, 8);
        // Writing into memory does not fail.
        let _ = write!(
            html,
            "<li><svg class=\"stream-graph\" width=\"16\" height=\"16\" aria-hidden=\"true\">{sign}</svg> {}</li>",
            state.text()
        );
    }
    for (kind, word) in [
        (Kind::Bootstrap, "filled by a command"),
        (Kind::User, "built from the one to its left"),
        (Kind::Pattern, "fits a pattern"),
        (Kind::Unbuildable, "nothing can build it"),
    ] {
        let _ = write!(
            html,
            "<li><svg class=\"stream-graph\" width=\"28\" height=\"16\" aria-hidden=\"true\">{}</svg> {word}</li>",
            outline(
                kind,
                Corner {
                    x: 1,
                    y: 1,
                    width: 26
                },
                14
            )
        );
    }
    html + "<li><b>bold</b> rebuilt by itself</li></ul>"
}

#[derive(Clone, Copy)]
struct Corner {
    x: usize,
    y: usize,
    width: usize,
}

/// Width of the boxes of each layer: that of its widest name.
fn widths(layout: &Layout) -> Vec<usize> {
    let mut widths = vec![0; layout.layers];
    for place in &layout.places {
        if let Some(width) = widths.get_mut(place.layer) {
            // What is not ASCII may be twice as wide.
            let columns: usize = shown(&place.name)
                .chars()
                .map(|c| if c.is_ascii() { 1 } else { 2 })
                .sum();
            *width = (*width).max(columns * CHARACTER / 100 + BEFORE_TEXT + AFTER_TEXT);
        }
    }
    widths
}

/// From the right side of the source down the gap to the left side of what is built from it.
fn line(from: Corner, to: Corner) -> String {
    let (x, y) = (from.x + from.width, from.y + BOX / 2);
    let (right, below) = (to.x - 1, to.y + BOX / 2);
    let middle = right - GAP / 2;
    if y == below {
        return format!("<path class=\"line\" d=\"M{x} {y}H{right}\"/>\n");
    }
    let (bend, turn) = (middle + 6, below - 6);
    format!("<path class=\"line\" d=\"M{x} {y}H{middle}V{turn}Q{middle} {below} {bend} {below}H{right}\"/>\n")
}

/// The line that makes a ring: from the source over the top to the stream at its left.
fn ring(from: Corner, to: Corner) -> String {
    let (x, y) = (from.x + from.width / 2, from.y + 1);
    let (left, top) = (to.x + 8, to.y + 1);
    let over = y.min(top).saturating_sub(10).max(1);
    format!("<path class=\"line ring\" d=\"M{x} {y}C{x} {over} {left} {over} {left} {top}\"/>\n")
}

fn outline(kind: Kind, corner: Corner, height: usize) -> String {
    let Corner { x, y, width } = corner;
    let (class, round) = match kind {
        Kind::Bootstrap => ("bootstrap", height / 2),
        Kind::User => ("user", 4),
        Kind::Pattern => ("pattern", 4),
        Kind::Unbuildable => ("unbuildable", 0),
    };
    format!(
        "<rect class=\"box {class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
    )
}

fn stream(place: &Place, look: &Look, corner: Corner) -> String {
    let (text_x, text_y) = (corner.x + BEFORE_TEXT, corner.y + BOX / 2 + 4);
    let sign = match place.kind {
        Kind::Unbuildable => {
            let (x, y) = (corner.x + 13, corner.y + BOX / 2);
            format!("<path class=\"sign none\" d=\"M{x} {y}m-5 -5l10 10m0 -10l-10 10\"/>")
        }
        _ => look.state.sign(corner.x + 13, corner.y + BOX / 2),
    };
    let bold = if place.is_auto_rebuilt {
        " class=\"bold\""
    } else {
        ""
    };
    let mut told = vec![place.kind.text()];
    if place.is_auto_rebuilt {
        told.push("rebuilt by itself");
    }
    if place.kind != Kind::Unbuildable {
        told.push(look.state.text());
    }
    let drawn = format!(
        "<title>{}: {}</title>{}{sign}<text{bold} x=\"{text_x}\" y=\"{text_y}\">{}</text>",
        escape(&place.name),
        told.join(", "),
        outline(place.kind, corner, BOX),
        escape(&shown(&place.name)),
    );
    if look.link.is_empty() {
        format!("<g>{drawn}</g>\n")
    } else {
        format!("<a href=\"{}\">{drawn}</a>\n", escape(&look.link))
    }
}

/// A name as it stands in a box.
fn shown(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME_MOST {
        return name.to_owned();
    }
    let start: String = name.chars().take(NAME_START).collect();
    let end: String = name.chars().skip(count - NAME_END).collect();
    format!("{start}…{end}")
}

/// Text as XML: what would be markup is escaped, what may not stand in it at all is replaced.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

const STYLE: &str = "\
.stream-graph text{font:12px ui-monospace,'DejaVu Sans Mono',monospace;fill:var(--ink,#1b2430)}\
.stream-graph .bold{font-weight:700}\
.stream-graph .box{fill:var(--raised,#f4f6f8);stroke:var(--faint,#5b6875)}\
.stream-graph .bootstrap{stroke-width:2}\
.stream-graph .pattern{stroke-dasharray:5 3}\
.stream-graph .unbuildable{stroke:var(--bad,#b3261e);stroke-dasharray:2 2}\
.stream-graph a:hover .box,.stream-graph a:focus .box{stroke:var(--link,#0b5d92);stroke-width:2}\
.stream-graph a{text-decoration:none}\
.stream-graph .line{fill:none;stroke:var(--faint,#5b6875);stroke-width:1.25}\
.stream-graph .ring{stroke:var(--bad,#b3261e);stroke-dasharray:4 3}\
.stream-graph .sign{stroke:none}\
.stream-graph .sign.good{fill:var(--good,#1b7a3d)}\
.stream-graph .sign.failed{fill:var(--bad,#b3261e)}\
.stream-graph .sign.building{fill:var(--link,#0b5d92)}\
.stream-graph .sign.queued{fill:none;stroke:var(--warn,#8a5a00);stroke-width:2}\
.stream-graph .sign.unknown{fill:none;stroke:var(--faint,#5b6875);stroke-width:1.5}\
.stream-graph .sign.none{fill:none;stroke:var(--bad,#b3261e);stroke-width:2}";
