//! The help of tools: one that fits a screen, one that tells everything.

use crate::usage::flag_lines;
use crate::{Flag, Prominence, Table, Verb};

/// Width the short help is wrapped at, in columns.
const WIDTH_COLUMNS: usize = 80;

impl Table {
    /// What `-h` of a tool prints: what it does, the verbs in groups, the flags people need.
    pub fn short_help(&self) -> String {
        let program = &self.program;
        let mut text = format!("{program}: {}\n\n", self.about);
        text += &format!("usage: {program} [flags...] {}\n", self.pattern());
        let groups = groups(self.common_verbs());
        let widest = groups.iter().map(|(group, _)| group.len()).max().unwrap_or(0);
        if !groups.is_empty() {
            text += "\ncommands:\n";
        }
        for (group, verbs) in groups {
            let names: Vec<&str> = verbs.iter().map(|verb| verb.name).collect();
            text += &wrapped(&format!("  {group:widest$}  "), &names);
        }
        let keys: Vec<&Flag> = self
            .flags
            .iter()
            .filter(|flag| flag.prominence == Prominence::Key)
            .collect();
        let spelled = |flag: &Flag| {
            format!("-{} {}", flag.name, flag.kind.word())
                .trim_end()
                .to_owned()
        };
        let widest = keys.iter().map(|flag| spelled(flag).len()).max().unwrap_or(0);
        if !keys.is_empty() {
            text += "\nflags:\n";
        }
        for flag in keys {
            text += &format!("  {:widest$}  {}\n", spelled(flag), flag.help);
        }
        text + &format!("\neverything, with examples: {program} --help\n")
    }

    /// What `--help` prints: every verb with its arguments, examples, every flag, the notes.
    pub fn long_help(&self) -> String {
        let program = &self.program;
        let mut text = format!("{program}: {}\n\n", self.about);
        text += &format!("Usage: {program} [flags...] {}\n", self.pattern());
        text += "Common flags:\n";
        text += &self.flag_list();
        if !self.verbs.is_empty() {
            text += "Commands:\n";
            text += &self.verb_list();
        }
        for note in &self.notes {
            text += &format!("{}:\n", note.heading);
            for line in note.lines {
                text += &format!("  {line}\n");
            }
        }
        text
    }

    fn pattern(&self) -> &'static str {
        if self.verbs.is_empty() {
            ""
        } else {
            "command [args...]"
        }
    }

    fn verb_list(&self) -> String {
        let widest = self.verbs.iter().map(|verb| verb.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (group, verbs) in groups(self.verbs.iter()) {
            if !group.is_empty() {
                text += &format!(" {group}:\n");
            }
            for verb in verbs {
                text += format!("  {:widest$} {}", verb.name, verb.arguments).trim_end();
                text += &format!("\n    \t{}\n", verb.help);
                for example in verb.examples {
                    text += &format!("    \texample: {example}\n");
                }
            }
        }
        text
    }

    /// The lines of one flag as in the full usage, for documentation.
    pub fn flag_lines(&self, name: &str) -> Option<String> {
        self.find(name).map(flag_lines)
    }
}

/// Verbs by group, groups in the order of their first verb.
fn groups<'v>(verbs: impl Iterator<Item = &'v Verb>) -> Vec<(&'static str, Vec<&'v Verb>)> {
    let mut groups: Vec<(&'static str, Vec<&Verb>)> = Vec::new();
    for verb in verbs {
        match groups.iter_mut().find(|(group, _)| *group == verb.group) {
            Some((_, members)) => members.push(verb),
            None => groups.push((verb.group, vec![verb])),
        }
    }
    groups
}

/// Words behind a heading, wrapped and indented to it.
fn wrapped(heading: &str, words: &[&str]) -> String {
    let mut text = String::new();
    let mut line = heading.to_owned();
    let mut is_first_of_line = true;
    for (index, word) in words.iter().enumerate() {
        let comma = if index + 1 < words.len() { "," } else { "" };
        if !is_first_of_line && line.len() + 1 + word.len() + comma.len() > WIDTH_COLUMNS {
            text += &line;
            text.push('\n');
            line = " ".repeat(heading.len());
            is_first_of_line = true;
        }
        if !is_first_of_line {
            line.push(' ');
        }
        line += word;
        line += comma;
        is_first_of_line = false;
    }
    text + &line + "\n"
}

#[cfg(test)]
#[path = "tests/help.rs"]
mod tests;
