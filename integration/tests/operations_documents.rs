//! Man pages and completions as the programs write them.
#![allow(clippy::unwrap_used)]

use integration::machine::repository;
use integration::programs::{all_programs, program};
use std::path::Path;
use std::process::Command;

/// Everything `scripts/documents.sh` writes, in `man`, `bash`, `zsh` and `fish`.
fn documents() -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(repository("scripts/documents.sh"));
    command.arg("--programs").arg(all_programs().unwrap());
    for kind in ["man", "bash", "zsh", "fish"] {
        command.arg(format!("--{kind}")).arg(out.path().join(kind));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    out
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Also as root, which builds packages and as which the daemon would not run.
#[test]
fn man_pages_tell_every_flag_and_command_and_nothing_of_the_machine_they_were_made_on() {
    let out = documents();
    let server = read(out.path().join("man/man8/imageserver.8"));
    for text in [
        ".TH imageserver 8",
        r"\fB\-imageDir\fR, \fB\-\-image\-dir\fR",
        "/var/lib/objectserver",
        "/etc/imageserver/flags.extra",
        r"@SRPC.PID",
    ] {
        assert!(server.contains(text), "{text} is not in {server}");
    }
    let tool = read(out.path().join("man/man1/imagetool.1"));
    let help = Command::new(program("imagetool").unwrap())
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8_lossy(&help.stderr).into_owned();
    // Flags are indented by two, commands under `Commands:` as well.
    let words: Vec<&str> = help
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.starts_with('-'))
        .collect();
    assert!(words.len() > 30, "{help}");
    for word in words {
        let written = format!(r"\fB{}\fR", word.replace('-', r"\-"));
        assert!(tool.contains(&written), "{word} is not in the man page");
    }
    assert!(
        tool.contains(r"\fBdelunrefobj\fR") || tool.contains(r"\fBadd\fR"),
        "{tool}"
    );
    assert!(
        tool.contains(r"~/.ssl"),
        "the home of whoever made it is not everybody's"
    );
    let builder = read(out.path().join("man/man8/imaginator.8"));
    for text in [
        ".TH imaginator 8",
        "/etc/imaginator/flags.extra",
        r"\-\-configuration\-url",
    ] {
        assert!(builder.contains(text), "{text} is not in {builder}");
    }
    let asks = read(out.path().join("man/man1/builder-tool.1"));
    assert!(
        asks.contains("build") && asks.contains(r"\-imaginatorHostname"),
        "{asks}"
    );
    for page in [
        "imagewright.1",
        "imagewright-certs.1",
        "imagewright-certs-issue.1",
        "imgapi-cli.1",
    ] {
        assert!(
            read(out.path().join("man/man1").join(page)).contains(".TH"),
            "{page}"
        );
    }
}

/// What bash offers for a line, its last word being completed.
fn offered(script: &Path, program: &str, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let function = program.replace('-', "__");
    let ask = format!(
        "source '{}'; COMP_WORDS=({line}); COMP_CWORD={}; _{function} {program} '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &ask])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_flags_and_commands() {
    let out = documents();
    for (program, line, expected) in [
        ("imageserver", "imageserver --objectD", "--objectDir"),
        ("imageserver", "imageserver --object-d", "--object-dir"),
        ("imagetool", "imagetool mkd", "mkdir"),
        ("imaginator", "imaginator --buildLogD", "--buildLogDir"),
        ("builder-tool", "builder-tool get-dig", "get-digraph"),
        ("imagewright", "imagewright cer", "certs"),
        ("imgapi", "imgapi --logQ", "--logQuota"),
        ("imgapi-cli", "imgapi-cli activ", "activate"),
    ] {
        let offered = offered(&out.path().join("bash").join(program), program, line);
        assert_eq!(offered, [expected], "{line}");
    }
    for (file, word) in [
        ("zsh/_imageserver", "#compdef imageserver"),
        ("zsh/_imagetool", "#compdef imagetool"),
        ("zsh/_imaginator", "#compdef imaginator"),
        ("zsh/_builder-tool", "#compdef builder-tool"),
        ("zsh/_imagewright", "#compdef imagewright"),
        ("zsh/_imgapi", "#compdef imgapi"),
        ("zsh/_imgapi-cli", "#compdef imgapi-cli"),
        ("fish/imageserver.fish", "complete -c imageserver"),
        ("fish/imagetool.fish", "complete -c imagetool"),
        ("fish/imagewright.fish", "complete -c imagewright"),
    ] {
        assert!(read(out.path().join(file)).contains(word), "{file}");
    }
}
