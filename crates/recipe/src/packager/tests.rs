use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn packager() -> Packager {
    Packager {
        clean_command: words(&["echo", "clean"]),
        clean_patterns: words(&["/var/cache/.*", "/tmp/x"]),
        install_command: words(&["printf", "%s,"]),
        list_command: words(&["printf", "${binary:Package} ${Version}\n"]),
        remove_command: Vec::new(),
        size_multiplier: 1024,
        update_command: words(&["echo", "$WHO", ""]),
        upgrade_command: words(&["echo", "'two", "words'"]),
        verbatim: words(&["export WHO=world", "# a comment"]),
    }
}

/// Runs the script with the host's shell: status, output.
fn run(arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new("/bin/sh")
        .args(["-c", &script(&packager()), "packager"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that does not read its input may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn the_script_is_byte_for_byte_that_of_the_original() {
    let expected = r#"#! /bin/sh
# Created by imaginator.
export WHO=world
# a comment
cmd="$1"; shift
[ "$cmd" = "clean" ] && exec echo clean "$@"
[ "$cmd" = "copy-in" ] && exec cat > "$1"
[ "$cmd" = "install" ] && exec printf %s, "$@"
[ "$cmd" = "list" ] && exec printf '${binary:Package} ${Version}\n' "$@"
[ "$cmd" = "remove" ] && exit 0
[ "$cmd" = "run" ] && exec "$@"
if [ "$cmd" = "show-clean-patterns" ]; then
    echo '/var/cache/.*'
    echo '/tmp/x'
    exit 0
fi
[ "$cmd" = "show-size-multiplier" ] && exec echo 1024
[ "$cmd" = "update" ] && exec echo $WHO  "$@"
[ "$cmd" = "upgrade" ] && exec echo 'two words' "$@"
echo "Invalid command: $cmd"
exit 2
"#;
    assert_eq!(script(&packager()), expected);
}

#[test]
fn every_verb_does_in_a_shell_what_the_specification_says() {
    assert_eq!(run(&["clean"], ""), (0, "clean\n".into()));
    assert_eq!(run(&["install", "a b", "c"], ""), (0, "a b,c,".into()));
    assert_eq!(run(&["list"], ""), (0, "${binary:Package} ${Version}\n".into()));
    assert_eq!(run(&["remove", "x"], ""), (0, String::new()));
    // What a shell expands in bare words; an empty argument disappears.
    assert_eq!(run(&["update", "more"], ""), (0, "world more\n".into()));
    assert_eq!(
        run(&["run", "sh", "-c", "echo $WHO; exit 7"], ""),
        (7, "world\n".into())
    );
    assert_eq!(
        run(&["show-clean-patterns"], ""),
        (0, "/var/cache/.*\n/tmp/x\n".into())
    );
    assert_eq!(run(&["show-size-multiplier"], ""), (0, "1024\n".into()));
    assert_eq!(run(&["fly"], ""), (2, "Invalid command: fly\n".into()));
}

#[test]
fn copy_in_writes_its_input_to_a_file() {
    let directory = std::env::temp_dir().join(format!("recipe-copy-in-{}", std::process::id()));
    assert_eq!(
        run(&["copy-in", directory.to_str().unwrap()], "content\n"),
        (0, String::new())
    );
    assert_eq!(std::fs::read_to_string(&directory).unwrap(), "content\n");
    std::fs::remove_file(&directory).unwrap();
}

#[test]
fn a_multiplier_of_nothing_is_one() {
    assert!(script(&Packager::default()).contains("exec echo 1\n"));
}
