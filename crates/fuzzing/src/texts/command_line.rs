//! Flags, on the command line and in files.

use std::io::Write;

use flags::{Flag, FlagFile, Kind, OnProblem, Outcome, Table, Value, Verb, nearest};

use crate::input::Input;

fn table() -> Table {
    Table::tool("imagetool", "a tool")
        .flag(Flag::string("imageServerHostname", "localhost", "host"))
        .flag(Flag::boolean("ignoreExpiring", false, "choice"))
        .flag(Flag::integer("debug", -1, "level"))
        .flag(Flag::unsigned("imageServerPortNum", 6971, "port"))
        .flag(Flag::duration("timeout", "1m0s", "wait"))
        .flag(Flag::size("minFreeBytes", "10MiB", "room"))
        .flag(Flag::list("skipFields", "", "letters"))
        .flag(Flag::choice("tableType", &["gpt", "msdos"], "gpt", "table"))
        .verb(Verb::new("add", "name imagefile [filterfile]", "adds"))
        .verb(Verb::new("merge", "file...", "merges"))
}

/// A flag file and arguments, with zero bytes between them.
pub(super) fn whole(mut input: Input<'_>) {
    let table = table();
    let file = input.part();
    let mut arguments = Vec::new();
    while !input.is_empty() {
        arguments.push(String::from_utf8_lossy(input.part()).into_owned());
    }
    let count = arguments.len();
    match table.parse(arguments.clone()) {
        Outcome::Run(values) => {
            assert!(values.arguments().len() <= count);
            let _ = table.verb_of(&values);
            // Each value reads back as itself.
            for (name, value, _) in values.iter() {
                let flag = table.find(name).unwrap_or_else(|| panic!("no flag {name}"));
                assert_eq!(flag.read(&value.to_string()).as_ref(), Ok(value), "{name}");
            }
        }
        Outcome::Exit(exit) => assert!(exit.text.ends_with('\n')),
    }
    if !file.is_empty() {
        with_file(&table, file, arguments);
    }
}

fn with_file(table: &Table, text: &[u8], arguments: Vec<String>) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else {
        return;
    };
    if file.write_all(text).is_err() {
        return;
    }
    let flags = FlagFile {
        path: file.path().to_path_buf(),
        on_problem: OnProblem::Exit,
    };
    if let Outcome::Run(values) = table.parse_after(&[flags], arguments) {
        assert!(values.iter().count() > 0);
    }
}

/// One text as a value of every kind.
pub(super) fn values(text: &str) {
    let kinds = [
        Kind::Text,
        Kind::Boolean,
        Kind::Integer,
        Kind::Unsigned,
        Kind::Duration,
        Kind::Size,
        Kind::List,
        Kind::Choice(&["gpt", "msdos"]),
    ];
    for kind in kinds {
        if let Ok(value) = Value::read(kind, text) {
            assert_eq!(
                Value::read(kind, &value.to_string()),
                Ok(value),
                "{kind:?} {text:?}"
            );
        }
    }
    let short: String = text.chars().take(64).collect();
    let near = nearest(&short, ["imageServerHostname", "debug", "timeout"]);
    assert!(near.is_none() || !short.is_empty());
}
