use crate::{Flag, Mark, Table, Verb};

fn many() -> Table {
    let names = [
        "add", "addi", "addrep", "adds", "copy", "delete", "mkdir", "rmdir", "chown", "wait", "tar", "get",
    ];
    let mut table = Table::tool("imagetool", "looks at and changes the images of an image server")
        .flag(Flag::string("imageServerHostname", "localhost", "name of the image server").key())
        .flag(Flag::boolean("debug", false, "no effect").hidden())
        .flag(Flag::list(
            "requiredPaths",
            "/etc:d,/usr:d",
            "paths an image must have",
        ))
        .flag(Flag::size("minBytes", "4MiB", "least bytes"))
        .flag(Flag::duration("timeout", "0s", "how long to wait"))
        .note("SkipFields", &["m: mode"]);
    for group in ["look", "change", "move", "housekeeping"] {
        for name in names {
            table = table.verb(Verb::new(name, "name", "does it").group(group));
        }
    }
    table.verb(Verb::new("adds", "name", "seldom").group("look").mark(Mark::Rare))
}

#[test]
fn the_short_help_of_a_tool_fits_a_screen() {
    let text = many().short_help();
    assert!(text.lines().count() <= 24, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for word in [
        "look",
        "housekeeping",
        "-imageServerHostname string",
        "imagetool --help",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert!(!text.contains("-minBytes"));
}

#[test]
fn the_long_help_has_every_verb_every_flag_and_the_notes() {
    let text = many().long_help();
    for word in [
        "-minBytes value\n    \tleast bytes (default 4MiB)\n",
        "seldom",
        "SkipFields:\n  m: mode\n",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert!(!text.contains("-debug"));
}

#[test]
fn the_usage_of_a_daemon_has_the_form_of_go() {
    let table = Table::daemon("imageserver", "")
        .flag(Flag::string("objectDir", "/o", "directory"))
        .flag(Flag::string("CAfile", "", "roots"))
        .flag(Flag::boolean("logAtStartup", true, "log a line"))
        .flag(Flag::unsigned("portNum", 6971, "port"))
        .flag(Flag::duration("idle", "0s", "idle"));
    assert_eq!(
        table.usage(),
        "Usage of imageserver:\n\
         \x20 -CAfile string\n    \troots\n\
         \x20 -idle duration\n    \tidle\n\
         \x20 -logAtStartup\n    \tlog a line (default true)\n\
         \x20 -objectDir string\n    \tdirectory (default \"/o\")\n\
         \x20 -portNum uint\n    \tport (default 6971)\n\
         \x20 -version\n    \tprint version information and exit\n"
    );
}
