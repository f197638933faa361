use super::*;
use crate::{Flag, Outcome};

fn table() -> Table {
    Table::daemon("imageserver", "stores images")
        .flag(Flag::string("imageDir", "/var/lib/imageserver", ""))
        .flag(Flag::unsigned("portNum", 6971, ""))
        .flag(Flag::boolean("archiveMode", false, ""))
}

fn parse(default: &str, extra: &str, on_problem: OnProblem, arguments: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("flags.default"), default).unwrap();
    std::fs::write(directory.path().join("flags.extra"), extra).unwrap();
    let files = FlagFile::pair(directory.path(), on_problem);
    table().parse_after(&files, arguments.iter().map(|argument| (*argument).to_owned()))
}

fn run(default: &str, extra: &str, arguments: &[&str]) -> Values {
    match parse(default, extra, OnProblem::Exit, arguments) {
        Outcome::Run(values) => values,
        Outcome::Exit(exit) => panic!("{exit:?}"),
    }
}

#[test]
fn the_command_line_overrides_extra_which_overrides_default() {
    let values = run("portNum=1\nimageDir=/a\n", "portNum=2\n", &[]);
    assert_eq!((values.unsigned("portNum"), values.string("imageDir")), (2, "/a"));
    assert_eq!(values.origin("portNum"), Origin::File);
    let values = run("portNum=1\n", "portNum=2\n", &["-portNum=3"]);
    assert_eq!(
        (values.unsigned("portNum"), values.origin("portNum")),
        (3, Origin::CommandLine)
    );
}

#[test]
fn comments_blank_lines_and_white_space_are_skipped() {
    let values = run(
        "\n# c=1\n; d=1\n  portNum = 5 \r\nimageDir=/a=b\narchiveMode=true",
        "",
        &[],
    );
    assert_eq!(
        (values.unsigned("portNum"), values.string("imageDir")),
        (5, "/a=b")
    );
    assert!(values.boolean("archiveMode"));
}

#[test]
fn a_bad_line_ends_a_daemon_with_status_one_and_says_where() {
    for (text, problem) in [
        ("nope=1\n", "no such flag -nope"),
        ("\nportNum\n", "bad line, cannot split name from value: portNum"),
        (
            "portNum=abc\n",
            "invalid value \"abc\" for flag -portNum: parse error",
        ),
    ] {
        match parse("", text, OnProblem::Exit, &[]) {
            Outcome::Exit(exit) => {
                assert_eq!(exit.code, 1);
                assert!(exit.text.starts_with(problem), "{}", exit.text);
                assert!(exit.text.contains("flags.extra line "), "{}", exit.text);
            }
            Outcome::Run(values) => panic!("{text:?} ran: {values:?}"),
        }
    }
}

#[test]
fn a_bad_line_of_the_hosts_file_only_warns_a_tool() {
    match parse("nope=1\nportNum=7\n", "", OnProblem::Warn, &[]) {
        Outcome::Run(values) => assert_eq!(values.unsigned("portNum"), 7),
        Outcome::Exit(exit) => panic!("{exit:?}"),
    }
}

#[test]
fn files_that_are_not_there_are_fine() {
    let files = FlagFile::pair(Path::new("/nonexistent/imageserver"), OnProblem::Exit);
    assert!(matches!(table().parse_after(&files, []), Outcome::Run(_)));
    let files = FlagFile::pair(Path::new("/dev/null"), OnProblem::Exit);
    assert!(matches!(table().parse_after(&files, []), Outcome::Run(_)));
}

#[test]
fn tools_look_in_etc_config_then_in_the_home() {
    let paths: Vec<_> = FlagFile::of_tool("imagetool", Some(Path::new("/home/u")))
        .into_iter()
        .map(|file| (file.path.display().to_string(), file.on_problem))
        .collect();
    assert_eq!(
        paths,
        [
            ("/etc/config/imagetool/flags.default".to_owned(), OnProblem::Warn),
            ("/etc/config/imagetool/flags.extra".to_owned(), OnProblem::Warn),
            (
                "/home/u/.config/imagetool/flags.default".to_owned(),
                OnProblem::Exit
            ),
            (
                "/home/u/.config/imagetool/flags.extra".to_owned(),
                OnProblem::Exit
            ),
        ]
    );
}
