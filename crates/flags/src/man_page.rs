//! The man page of a table.

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::{Flag, FlagFile, Kind, Mark, Prominence, Table, Verb};

/// The man page in troff: section 8 for daemons, 1 for tools. Flags are shown as existing users write them, with one hyphen, and in the
/// spelling with two.
pub fn man(table: &Table) -> String {
    let section = if table.is_tool { "1" } else { "8" };
    let source = format!("{} {}", table.program, table.version.version);
    let mut page = Roff::default();
    // No date, so that the same source gives the same page; the library leaves an empty argument out instead of quoting it.
    page.control("TH", [table.program.as_str(), section, " ", &source]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{} - {}", table.program, table.about))]);
    synopsis(&mut page, table);
    flags(&mut page, table);
    verbs(&mut page, table);
    for note in &table.notes {
        page.control("SH", [note.heading.to_uppercase().as_str()]);
        for line in note.lines {
            page.text([roman(*line)]);
            page.control("br", []);
        }
    }
    files(&mut page, table);
    page.render()
}

fn synopsis(page: &mut Roff, table: &Table) {
    page.control("SH", ["SYNOPSIS"]);
    let mut line = vec![
        bold(table.program.as_str()),
        roman(" ["),
        italic("flags"),
        roman("...]"),
    ];
    if !table.verbs.is_empty() {
        line.extend([
            roman(" "),
            italic("command"),
            roman(" ["),
            italic("arguments"),
            roman("...]"),
        ]);
    }
    page.text(line);
    page.control("SH", ["DESCRIPTION"]);
    page.text([
        roman("A flag is written "),
        bold("-name=value"),
        roman(", "),
        bold("-name value"),
        roman(" or with two hyphens; a boolean takes its value behind "),
        bold("="),
        roman(" only. Reading stops at the first word that is no flag."),
    ]);
}

fn flags(page: &mut Roff, table: &Table) {
    page.control("SH", ["FLAGS"]);
    let shown: Vec<&Flag> = table
        .flags
        .iter()
        .filter(|flag| flag.prominence != Prominence::Hidden)
        .collect();
    let mut groups: Vec<&str> = Vec::new();
    for flag in &shown {
        if !groups.contains(&flag.group) {
            groups.push(flag.group);
        }
    }
    for group in groups {
        if !group.is_empty() {
            page.control("SS", [group]);
        }
        for flag in shown.iter().filter(|flag| flag.group == group) {
            one_flag(page, flag);
        }
    }
}

fn one_flag(page: &mut Roff, flag: &Flag) {
    let mut head = vec![bold(format!("-{}", flag.name))];
    let hyphenated = flag.hyphenated();
    if hyphenated != flag.name {
        head.extend([roman(", "), bold(format!("--{hyphenated}"))]);
    }
    match flag.kind {
        Kind::Boolean => {}
        Kind::Choice(words) => head.extend([roman(" "), roman(words.join("|"))]),
        kind => head.extend([roman(" "), italic(kind.word())]),
    }
    page.control("TP", []);
    page.text(head);
    let mut body = vec![roman(flag.help)];
    let default = flag.documented_default();
    let goes_without_saying = default.is_empty() || (flag.kind == Kind::Boolean && default == "false");
    if !goes_without_saying {
        body.extend([roman(" (default "), bold(default), roman(")")]);
    }
    page.text(body);
}

fn verbs(page: &mut Roff, table: &Table) {
    if table.verbs.is_empty() {
        return;
    }
    page.control("SH", ["COMMANDS"]);
    let mut groups: Vec<&str> = Vec::new();
    for verb in &table.verbs {
        if !groups.contains(&verb.group) {
            groups.push(verb.group);
        }
    }
    for group in groups {
        if !group.is_empty() {
            page.control("SS", [group]);
        }
        for verb in table.verbs.iter().filter(|verb| verb.group == group) {
            one_verb(page, verb);
        }
    }
}

fn one_verb(page: &mut Roff, verb: &Verb) {
    page.control("TP", []);
    let mut head: Vec<Inline> = vec![bold(verb.name)];
    if !verb.arguments.is_empty() {
        head.extend([roman(" "), italic(verb.arguments)]);
    }
    page.text(head);
    let mut body = vec![roman(verb.help)];
    if verb.is(Mark::Root) {
        body.push(roman(" (needs root)"));
    }
    page.text(body);
    for example in verb.examples {
        page.control("br", []);
        page.text([roman("Example: "), bold(*example)]);
    }
}

fn files(page: &mut Roff, table: &Table) {
    page.control("SH", ["FILES"]);
    let home = std::path::Path::new("~");
    let files = if table.is_tool {
        FlagFile::of_tool(&table.program, Some(home))
    } else {
        FlagFile::of_daemon(&table.program)
    };
    for file in files {
        page.text([italic(file.path.to_string_lossy().into_owned())]);
        page.control("br", []);
    }
    page.text([
        roman("Lines "),
        bold("name=value"),
        roman(", read in this order before the command line; later ones win. Empty lines and those that begin with "),
        bold("#"),
        roman(" or "),
        bold(";"),
        roman(" are skipped."),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::tool("imagetool", "looks at images")
            .flag(Flag::string("imageDir", "/x", "a directory"))
            .flag(Flag::string("socket", "@SRPC.4711", "a socket").documented("@SRPC.PID"))
            .flag(Flag::boolean("debug", false, "say more").hidden())
            .verb(
                Verb::new("get", "name directory", "fetch an image")
                    .examples(&["imagetool get a/1 /tmp/tree # a tree"]),
            )
            .note("Image types", &["i:NAME  an image"])
    }

    #[test]
    fn the_man_page_tells_flags_verbs_examples_and_files() {
        let page = man(&table());
        for text in [
            r#".TH imagetool 1 " " "imagetool"#,
            r"imagetool \- looks at images",
            r"\fB\-imageDir\fR, \fB\-\-image\-dir\fR \fIstring\fR",
            r"(default \fB/x\fR)",
            r"\fBget\fR \fIname directory\fR",
            r"imagetool get a/1",
            "IMAGE TYPES",
            "/etc/config/imagetool/flags.default",
        ] {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        assert!(!page.contains("say more"));
    }

    #[test]
    fn what_differs_from_run_to_run_is_not_in_the_man_page() {
        let page = man(&table());
        assert!(page.contains("@SRPC.PID") && !page.contains("4711"), "{page}");
    }
}
