//! The script that images carry as `/bin/generic-packager` (`imaginator.md §9.2`).

use std::fmt::Write;

use super::Packager;

/// The script, byte for byte as the original writes it: images of both are interchangeable, and people compare them.
pub fn script(packager: &Packager) -> String {
    let mut out = String::from("#! /bin/sh\n# Created by imaginator.\n");
    for line in &packager.verbatim {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str("cmd=\"$1\"; shift\n");
    verb(&mut out, "clean", &packager.clean_command);
    out.push_str("[ \"$cmd\" = \"copy-in\" ] && exec cat > \"$1\"\n");
    verb(&mut out, "install", &packager.install_command);
    verb(&mut out, "list", &packager.list_command);
    verb(&mut out, "remove", &packager.remove_command);
    out.push_str("[ \"$cmd\" = \"run\" ] && exec \"$@\"\n");
    out.push_str("if [ \"$cmd\" = \"show-clean-patterns\" ]; then\n");
    for pattern in &packager.clean_patterns {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(out, "    echo '{pattern}'");
    }
    out.push_str("    exit 0\nfi\n");
    let multiplier = packager.size_multiplier.max(1);
    let _ = writeln!(
        out,
        "[ \"$cmd\" = \"show-size-multiplier\" ] && exec echo {multiplier}"
    );
    verb(&mut out, "update", &packager.update_command);
    verb(&mut out, "upgrade", &packager.upgrade_command);
    out.push_str("echo \"Invalid command: $cmd\"\nexit 2\n");
    out
}

/// The line of a verb: the command with all further arguments, or nothing to do.
fn verb(out: &mut String, verb: &str, command: &[String]) {
    if command.is_empty() {
        let _ = writeln!(out, "[ \"$cmd\" = \"{verb}\" ] && exit 0");
        return;
    }
    let _ = write!(out, "[ \"$cmd\" = \"{verb}\" ] && exec");
    for word in command {
        argument(out, word);
    }
    out.push_str(" \"$@\"\n");
}

/// An argument of less than two words is bare, so that the shell expands it; one of more is in single quotes, with a line feed at its end
/// as the two characters `\n`, which is how format strings of `dpkg-query` and `rpm` work. Existing configurations rely on both.
fn argument(out: &mut String, word: &str) {
    if word.split_whitespace().nth(1).is_none() {
        out.push(' ');
        out.push_str(word);
        return;
    }
    let (word, line_feed) = match word.strip_suffix('\n') {
        Some(word) => (word, "\\n"),
        None => (word, ""),
    };
    let _ = write!(out, " '{word}{line_feed}'");
}
