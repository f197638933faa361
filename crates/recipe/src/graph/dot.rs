//! The text Graphviz reads, byte for byte as existing clients get it (`imaginator-web.md §5`).

use std::fmt::Write;

use super::Relations;

impl Relations {
    /// The relations in Graphviz's language: edges by stream, then the names that look different.
    pub fn dot(&self) -> String {
        let mut dot = String::from("digraph all {\n");
        for (stream, source) in &self.sources {
            line(&mut dot, format_args!("{} -> {}", quoted(stream), quoted(source)));
        }
        let marks: [(&mut dyn Iterator<Item = &String>, &str); 3] = [
            (&mut self.pattern_sources.iter(), "fontcolor=grey"),
            (&mut self.unbuildable_sources.iter(), "fontcolor=red"),
            (&mut self.auto_rebuilt.iter(), "style=bold"),
        ];
        for (names, mark) in marks {
            for name in names {
                line(&mut dot, format_args!("{} [{mark}]", quoted(name)));
            }
        }
        dot + "}\n"
    }
}

fn line(dot: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let _ = writeln!(dot, "  {content}");
}

/// A name in quotation marks, from which it cannot break out; a line stays a line.
fn quoted(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    text.push('"');
    for character in name.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_control() => text.push('\u{fffd}'),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}
