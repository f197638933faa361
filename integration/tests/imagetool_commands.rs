//! The recorded commands of the original's client print the same, and end with the same code, with ours.
//!
//! Each command line of `../shared/golden/imagetool-cli` is run as it was recorded, by a shell, in order, against one
//! server; only host paths and the port are replaced. Figures of the moment (times, durations, rates) are not compared.

use anyhow::{Context, Result, ensure};
use integration::certificates::Authority;
use integration::golden::shared_golden;
use integration::programs::program;
use integration::server::{Home, ImageServer};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Last recording against one server that this file plays.
const LAST: u32 = 117;

/// Commands of which `docs/compatibility.md` says that they are not there: bulk-addrep, copy-filtered-files,
/// patch-directory (88 lists what it did), trace-inode-history, run-command-in-image-chroot, analyse-file-system.
const NOT_PLANNED: &[u32] = &[25, 83, 87, 88, 95, 98, 99];

/// Lists that the original prints in random order.
const UNORDERED: &[u32] = &[102];

/// Answers that differ on purpose: number, what ours must say instead.
const BETTER: &[(u32, &str)] = &[
    // Debug lines: ours says how many of the objects had to be sent; where the connection moved to is not told.
    (8, "Scanned file-system and uploaded "),
    (9, "Scanned file-system and uploaded 0 of "),
    // The original shows a path of the server's disk.
    (11, "error adding image: \"nodir/x\": remote error: "),
    (107, "error deleting directory: "),
];

const SET_UP: &str = r#"
set -e
tar -xpf "$GOLDEN/t1-source-tree.tar"
cp "$GOLDEN"/filter1 "$GOLDEN"/triggers1 "$GOLDEN"/computed1.json "$GOLDEN"/buildlog "$GOLDEN"/relnotes .
chmod u+w filter1 triggers1
: >filter-empty
echo '/etc/computed.conf localhost:16972' >computed1.txt
cp -a t1 t2
chmod 700 t2/usr/bin/hello
rm t2/etc/dup2
printf 'new\n' >t2/etc/newfile
printf 'Port 2222\n' >t2/etc/ssh/sshd_config
touch -d '2026-11-22 04:46:44 UTC' t2/etc/newfile t2/etc/ssh/sshd_config
ln -sfn hello2 t2/usr/bin/hi
cp -a t1 rootfs
tar --no-recursion -cf layer.tar -C t2 ./ ./etc ./etc/newfile
(cd t1 && tar --sort=name -cf ../t1.tar . && gzip -n <../t1.tar >../t1.tgz)
mkdir -p out/cfr/etc
printf 'spliced in\n' >out/cfr/etc/computed.conf
printf '/a/.*\n/tmp/.*\n' >out/filter2
printf 'small/v1\nsmall/v2\n' >out/list
"#;

struct Stage {
    directory: tempfile::TempDir,
    _home: Home,
    server: ImageServer,
}

impl Stage {
    fn new(golden: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("imagewright-cli.").tempdir()?;
        let home = Home::new()?;
        let authority = Authority::new(&directory.path().join("ca"), "Test CA")?;
        let tool_certificates = directory.path().join("certs/ssl-admin");
        authority.issue("admin", &["--preset", "admin"], &tool_certificates)?;
        let server_certificates = home.path().join("ssl");
        authority.issue(
            "imageserver",
            &["--server", "localhost,127.0.0.1"],
            &server_certificates,
        )?;
        let ca = home.path().join("CA.pem");
        std::fs::copy(authority.directory().join("CA.pem"), &ca)?;
        let status = Command::new("bash")
            .args(["-c", SET_UP])
            .current_dir(directory.path())
            .env("GOLDEN", golden.join("disk").canonicalize()?)
            .status()?;
        ensure!(status.success(), "the set-up failed");
        let flag = |name: &str, path: &Path| format!("-{name}={}", path.display());
        let server = home.start(&[
            &flag("CAfile", &ca),
            "-identityCAfile=",
            &flag("certFile", &server_certificates.join("cert.pem")),
            &flag("keyFile", &server_certificates.join("key.pem")),
        ])?;
        Ok(Self {
            directory,
            _home: home,
            server,
        })
    }

    /// Runs a recorded command line; gives standard output, standard error and exit code.
    fn run(&self, line: &str) -> Result<(String, String, i32)> {
        let here = self.directory.path().display().to_string();
        let line = line
            .replace("/srv/example", &here)
            .replace("16971", &self.server.port.to_string());
        let tools = program("imagetool")?;
        let path = format!(
            "{}:{}",
            tools.parent().context("no parent")?.display(),
            std::env::var("PATH")?
        );
        let output = Command::new("bash")
            .args(["-c", &line])
            .current_dir(self.directory.path())
            .env("PATH", path)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.directory.path())
            .output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&here, "/srv/example");
        Ok((
            text(&output.stdout),
            text(&output.stderr),
            output.status.code().unwrap_or(-1),
        ))
    }
}

/// Puts `#` for what is of the moment.
fn masked(text: &str) -> String {
    let patterns: &[(&str, &str)] = &[
        (
            r"\d{4}-\d\d-\d\d[ +T]\d\d:\d\d(:\d\d(\.\d+)?)?( [+-]\d{4}( UTC)?|Z)?",
            "#TIME",
        ),
        (r"\(in [^)]*\)|\([^)]* ago\)", "(#)"),
        (r"/tmp/\S+", "#FILE"),
        (r"(\d+(y|w|d|h|m))*\d+(\.\d+)?(s|ms|µs|ns)\b", "#DURATION"),
        (r"\d+ (objects|[KMG]iB)", "#AMOUNT"),
        (r"\(\d+ [KMG]?i?B/s\)", "#RATE"),
        (r"drwx\S+ +\d+ \d+ \d+ \d+ #TIME", "#DIRECTORY"),
        (r"Certificate refetch at: [^\n]*", "Certificate refetch at: #"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern)
            .map(|regex| regex.replace_all(&text, *with).into_owned())
            .unwrap_or_default()
    })
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Number to path without extension, in order.
fn recordings(golden: &Path) -> Result<BTreeMap<u32, String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(golden.join("imagetool-cli"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .context("no name")?
            .to_string_lossy()
            .into_owned();
        if let Some(number) = name
            .get(..3)
            .and_then(|digits| digits.parse().ok())
            .filter(|number| *number <= LAST)
            && name.ends_with(".cmd")
        {
            found.insert(number, path.with_extension("").display().to_string());
        }
    }
    Ok(found)
}

fn difference(stage: &Stage, number: u32, base: &str) -> Result<Option<String>> {
    let read = |extension: &str| std::fs::read_to_string(format!("{base}.{extension}"));
    let line = read("cmd")?;
    let (out, err, code) = stage.run(&line)?;
    let want: i32 = read("rc")?.trim().parse()?;
    let (out, err) = (masked(&out), masked(&err));
    // What depends on which objects were deleted was not recorded.
    let recorded = Path::new(&format!("{base}.out")).exists();
    let want_out = if recorded {
        masked(&read("out")?)
    } else {
        out.clone()
    };
    let want_err = masked(&read("err")?);
    let (out, want_out) = if UNORDERED.contains(&number) {
        (sorted(&out), sorted(&want_out))
    } else {
        (out, want_out)
    };
    let alike = match BETTER.iter().find(|(better, _)| *better == number) {
        Some((_, prefix)) => {
            code == want && out == want_out && err.starts_with(prefix) && !err.contains("/srv/")
        }
        None => code == want && out == want_out && err == want_err,
    };
    let told = format!(
        "{number:03} {line}  code {code}, recorded {want}\n--- out\n{out}--- recorded\n{want_out}--- err\n{err}--- recorded\n{want_err}"
    );
    Ok((!alike).then_some(told))
}

#[test]
fn recorded_commands_print_the_same() {
    let name = "recorded_commands_print_the_same";
    let Some(golden) = shared_golden() else {
        return integration::skip(name, "no ../shared/golden beside this checkout");
    };
    if !rustix::process::geteuid().is_root() {
        return integration::skip(name, "needs root: trees with owners and devices");
    }
    let stage = Stage::new(&golden).unwrap();
    let mut differences = Vec::new();
    for (number, base) in recordings(&golden).unwrap() {
        if !NOT_PLANNED.contains(&number) {
            differences.extend(difference(&stage, number, &base).unwrap());
        }
    }
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n=====\n")
    );
}
