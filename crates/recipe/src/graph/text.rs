//! The picture to read: a line for each stream, indented below its source.

use super::{Kind, Layout};

/// Blanks for each layer. Chains of streams that are longer than any screen is wide are indented no further.
const INDENT: usize = 2;
const LAYERS_INDENTED_MOST: usize = 40;

impl Layout {
    /// A line for each stream, indented below its source, with what `word` says about it in brackets; nothing if that is empty.
    pub fn text(&self, word: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for place in &self.places {
            let mut told: Vec<String> = Vec::new();
            if place.kind != Kind::User {
                told.push(place.kind.text().to_owned());
            }
            if place.is_auto_rebuilt {
                told.push("rebuilt by itself".to_owned());
            }
            if let Some(source) = place.ring.and_then(|source| self.places.get(source)) {
                told.push(format!(
                    "built from {}, which makes a ring",
                    one_line(&source.name)
                ));
            }
            told.extend(Some(word(&place.name)).filter(|word| !word.is_empty()));
            text.extend(std::iter::repeat_n(
                ' ',
                INDENT * place.layer.min(LAYERS_INDENTED_MOST),
            ));
            text += &one_line(&place.name);
            if !told.is_empty() {
                text += &format!(" ({})", told.join(", "));
            }
            text.push('\n');
        }
        text
    }
}

fn one_line(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}
