use super::*;
use crate::Verb;

fn daemon() -> Table {
    Table::daemon("imageserver", "stores images")
        .flag(Flag::string(
            "imageDir",
            "/var/lib/imageserver",
            "directory of the images",
        ))
        .flag(Flag::string("CAfile", "/etc/ssl/CA.pem", "roots of trust").spelled("ca-file"))
        .flag(Flag::boolean("permitInsecureMode", false, "no TLS"))
        .flag(Flag::boolean("logAtStartup", true, "log a line"))
        .flag(Flag::unsigned("portNum", 6971, "port"))
        .flag(Flag::integer("initialLogDebugLevel", -1, "level"))
        .flag(Flag::duration("lockLogTimeout", "5s", "how long"))
        .flag(Flag::size("logQuota", "100MiB", "how much"))
        .flag(Flag::list("srpcTrustedUsers", "", "who"))
}

fn tool() -> Table {
    Table::tool("imagetool", "looks at images")
        .flag(Flag::string("imageServerHostname", "localhost", "server").key())
        .verb(Verb::new("check", "name", "is it there").group("look"))
        .verb(Verb::new("list", "", "names").group("look"))
        .verb(Verb::new("addrep", "name baseimage layerimage...", "replace").group("change"))
}

fn run(table: &Table, arguments: &[&str]) -> Values {
    match table.parse(arguments.iter().map(|argument| (*argument).to_owned())) {
        Outcome::Run(values) => values,
        Outcome::Exit(exit) => panic!("{arguments:?} ended with {exit:?}"),
    }
}

fn exit(table: &Table, arguments: &[&str]) -> Exit {
    match table.parse(arguments.iter().map(|argument| (*argument).to_owned())) {
        Outcome::Run(values) => panic!("{arguments:?} ran with {values:?}"),
        Outcome::Exit(exit) => exit,
    }
}

#[test]
fn every_spelling_of_a_flag_means_the_same() {
    let spellings: [&[&str]; 9] = [
        &["-imageDir=/x"],
        &["-imageDir", "/x"],
        &["--imageDir=/x"],
        &["--imageDir", "/x"],
        &["--image-dir=/x"],
        &["--image-dir", "/x"],
        &["-image-dir=/x"],
        &["-imageDir=/y", "-imageDir=/x"],
        &["-imageDir", "/x", "--"],
    ];
    for spelling in spellings {
        assert_eq!(run(&daemon(), spelling).string("imageDir"), "/x", "{spelling:?}");
    }
    assert_eq!(run(&daemon(), &["--ca-file", "/c"]).string("CAfile"), "/c");
}

#[test]
fn a_value_may_hold_equals_signs_spaces_and_leading_hyphens() {
    assert_eq!(run(&daemon(), &["-imageDir=/a=b c"]).string("imageDir"), "/a=b c");
    assert_eq!(run(&daemon(), &["-imageDir", "-h"]).string("imageDir"), "-h");
    assert_eq!(run(&daemon(), &["-imageDir="]).string("imageDir"), "");
}

#[test]
fn a_boolean_never_takes_the_next_argument() {
    let values = run(&daemon(), &["-permitInsecureMode", "false"]);
    assert!(values.boolean("permitInsecureMode"));
    assert_eq!(values.arguments(), ["false"]);
    assert!(!run(&daemon(), &["-logAtStartup=F"]).boolean("logAtStartup"));
    assert!(run(&daemon(), &["--permit-insecure-mode=1"]).boolean("permitInsecureMode"));
}

#[test]
fn parsing_stops_at_the_first_argument_that_is_no_flag() {
    let values = run(&daemon(), &["-portNum=1", "check", "-portNum=2"]);
    assert_eq!(values.unsigned("portNum"), 1);
    assert_eq!(values.arguments(), ["check", "-portNum=2"]);
    assert_eq!(run(&daemon(), &["--", "-portNum=2"]).arguments(), ["-portNum=2"]);
    assert_eq!(
        run(&daemon(), &["-", "-portNum=2"]).arguments(),
        ["-", "-portNum=2"]
    );
    assert_eq!(run(&daemon(), &["", "x"]).arguments(), ["", "x"]);
}

#[test]
fn mistakes_give_the_lines_of_go_the_usage_and_status_two() {
    let cases: [(&[&str], &str); 12] = [
        (&["-nope"], "flag provided but not defined: -nope\n"),
        (&["--nope=1"], "flag provided but not defined: -nope\n"),
        (&["-portNum"], "flag needs an argument: -portNum\n"),
        (
            &["-portNum=abc"],
            "invalid value \"abc\" for flag -portNum: parse error\n",
        ),
        (
            &["-portNum=-1"],
            "invalid value \"-1\" for flag -portNum: parse error\n",
        ),
        (
            &["-portNum=99999999999999999999"],
            "invalid value \"99999999999999999999\" for flag -portNum: value out of range\n",
        ),
        (
            &["-permitInsecureMode=x"],
            "invalid boolean value \"x\" for -permitInsecureMode: parse error\n",
        ),
        (
            &["-permitInsecureMode="],
            "invalid boolean value \"\" for -permitInsecureMode: parse error\n",
        ),
        (
            &["-lockLogTimeout=5"],
            "invalid value \"5\" for flag -lockLogTimeout: parse error\n",
        ),
        (
            &["-logQuota=zz"],
            "invalid value \"zz\" for flag -logQuota: strconv.ParseUint: parsing \"zz\": invalid syntax\n",
        ),
        (&["---x"], "bad flag syntax: ---x\n"),
        (&["-=3"], "bad flag syntax: -=3\n"),
    ];
    for (arguments, line) in cases {
        let exit = exit(&daemon(), arguments);
        assert_eq!(exit.code, 2, "{arguments:?}");
        assert_eq!(exit.text, format!("{line}{}", daemon().usage()), "{arguments:?}");
    }
}

#[test]
fn a_mistyped_flag_is_answered_with_the_one_meant() {
    let exit = exit(&daemon(), &["-imageDri=/x"]);
    assert!(
        exit.text
            .starts_with("flag provided but not defined: -imageDri\ntry: -imageDir\n"),
        "{}",
        exit.text
    );
}

#[test]
fn asking_for_help_ends_with_status_zero() {
    for argument in ["-h", "-help", "--help", "--h"] {
        assert_eq!(
            exit(&daemon(), &[argument]),
            Exit {
                code: 0,
                text: daemon().usage()
            }
        );
    }
    assert_eq!(
        exit(&tool(), &["-h"]),
        Exit {
            code: 0,
            text: tool().short_help()
        }
    );
    for argument in ["-help", "--help", "--h"] {
        assert_eq!(
            exit(&tool(), &[argument]),
            Exit {
                code: 0,
                text: tool().long_help()
            }
        );
    }
    // The first one on the line decides, as with Go.
    assert_eq!(exit(&daemon(), &["-nope", "-h"]).code, 2);
    assert_eq!(exit(&daemon(), &["-h", "-nope"]).code, 0);
}

#[test]
fn version_prints_and_ends_with_status_zero() {
    let exit = exit(&daemon(), &["-version"]);
    assert_eq!(exit.code, 0);
    assert!(exit.text.starts_with("imageserver "), "{}", exit.text);
    assert!(exit.text.contains("\n  Commit: "), "{}", exit.text);
}

#[test]
fn look_ups_are_typed_and_know_where_a_value_came_from() {
    let values = run(
        &daemon(),
        &[
            "-initialLogDebugLevel=0x10",
            "-srpcTrustedUsers=a,b",
            "-logQuota=1MiB",
        ],
    );
    assert_eq!(values.integer("initialLogDebugLevel"), 16);
    assert_eq!(values.list("srpcTrustedUsers"), ["a", "b"]);
    assert_eq!(values.size("logQuota"), 1 << 20);
    assert_eq!(
        values.duration("lockLogTimeout"),
        std::time::Duration::from_secs(5)
    );
    assert_eq!(values.port("portNum"), Ok(6971));
    assert!(values.is_set("logQuota") && !values.is_set("portNum"));
    assert!(run(&daemon(), &["-portNum=70000"]).port("portNum").is_err());
}

#[test]
fn verbs_are_found_and_their_arguments_counted() {
    let table = tool();
    let values = run(&table, &["-imageServerHostname=h", "check", "a/b"]);
    let (verb, arguments) = table.verb_of(&values).unwrap();
    assert_eq!((verb.name(), arguments), ("check", &["a/b".to_owned()][..]));

    let wrong = |arguments: &[&str]| table.verb_of(&run(&table, arguments)).unwrap_err();
    assert_eq!(
        wrong(&[]),
        Exit {
            code: 2,
            text: table.short_help()
        }
    );
    assert_eq!(
        wrong(&["check"]).text,
        "error: check: wrong number of arguments: 0 given, 1 needed\nusage: imagetool [flags...] check name\n"
    );
    assert_eq!(
        wrong(&["list", "x"]).text,
        "error: list: wrong number of arguments: 1 given, 0 needed\nusage: imagetool [flags...] list\n"
    );
    assert!(
        wrong(&["addrep", "a", "b"])
            .text
            .contains("2 given, at least 3 needed")
    );
    assert_eq!(
        wrong(&["chekc", "a"]).text,
        "error: unknown command: \"chekc\"\ntry: imagetool check\n"
    );
    assert_eq!(
        wrong(&["frobnicate"]).text,
        "error: unknown command: \"frobnicate\"\ntry: imagetool -h\n"
    );
    assert!(
        [wrong(&[]), wrong(&["check"]), wrong(&["x"])]
            .iter()
            .all(|exit| exit.code == 2)
    );
}

#[test]
fn a_mistake_in_the_table_is_said_by_name() {
    let bad = Table::daemon("x", "").flag(Flag::duration("wait", "soon", ""));
    assert!(exit(&bad, &[]).text.contains("-wait has a bad default"));
    let twice = Table::daemon("x", "")
        .flag(Flag::string("a", "", ""))
        .flag(Flag::string("a", "", ""));
    assert!(exit(&twice, &[]).text.contains("flag redefined: a"));
}
