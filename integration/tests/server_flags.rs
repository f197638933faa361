//! What the image server's flags do, tried with the real program.

use anyhow::Result;
use integration::images::{image, make_directory, object_sizes, put, store};
use integration::plain_call::call;
use integration::server::{Home, INSECURE, ImageServer};
use protocol::logger::*;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

/// Every flag of the specification with its default (`imageserver.md §8`), as a usage line shows it: Go leaves out
/// those that are empty, false or 0.
const FLAGS: &[(&str, &str)] = &[
    ("CAfile", "\"/etc/ssl/CA.pem\""),
    ("certFile", "\"/etc/ssl/imageserver/cert.pem\""),
    ("keyFile", "\"/etc/ssl/imageserver/key.pem\""),
    ("identityCAfile", "\"/etc/ssl/IdentityCA.pem\""),
    ("allowPublicAddObjects", ""),
    ("allowPublicCheckObjects", ""),
    ("allowPublicGetObjects", ""),
    ("allowUnauthenticatedReads", ""),
    ("archiveMode", ""),
    ("archiveExpiringImages", ""),
    ("debug", ""),
    ("generateMissingWebcert", ""),
    ("imageDir", "\"/var/lib/imageserver\""),
    ("objectDir", "\"/var/lib/objectserver\""),
    ("imageServerHostname", ""),
    ("imageServerPortNum", "6971"),
    ("informationDatabaseTemplate", ""),
    ("lockCheckInterval", "2s"),
    ("lockLogTimeout", "5s"),
    ("maximumExpirationDuration", "24h0m0s"),
    ("maximumExpirationDurationPrivileged", "730h0m0s"),
    ("objectServerCleanupStartPercent", "95"),
    ("objectServerCleanupStopPercent", "90"),
    ("objectServerCleanupStartSize", ""),
    ("objectServerCleanupStopSize", ""),
    ("permitInsecureMode", ""),
    ("portNum", "6971"),
    ("replicationExcludeFilter", ""),
    ("replicationIncludeFilter", ""),
    ("srpcClientDoNotUseMethodPowers", ""),
    ("srpcDefaultConnectTimeout", "15s"),
    ("srpcDefaultKeepAlivePeriod", "5m0s"),
    ("srpcDefaultTlsHandshakeTimeout", "1m0s"),
    ("srpcProxy", ""),
    ("srpcTrustVmOwners", "true"),
    ("srpcTrustedGroups", ""),
    ("srpcTrustedUsers", ""),
    ("alsoLogToStderr", ""),
    ("idleMarkTimeout", ""),
    ("initialLogDebugLevel", "-1"),
    ("logAtStartup", "true"),
    ("logbufLines", "1024"),
    ("logDir", "\"/var/log/imageserver\""),
    ("logFileMaxSize", "10MiB"),
    ("logQuota", "100MiB"),
    ("logSubseconds", ""),
    ("version", ""),
];

fn print(server: &ImageServer, text: &str) -> Result<()> {
    let request = PrintRequest {
        args: vec![text.to_owned()],
        name: String::new(),
    };
    call::<_, PrintResponse>(server.address(), "Logger.Print", &request).map(drop)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn help_lists_every_flag_with_its_default_and_is_no_failure() {
    let home = Home::new().unwrap();
    for flag in ["-h", "--help"] {
        let output = home.run_to_its_end(&[flag]).unwrap();
        assert_eq!(output.status.code(), Some(0), "{flag}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with("Usage of "), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        for (name, default) in FLAGS {
            let start = format!("  -{name}");
            let at = lines
                .iter()
                .position(|line| *line == start || line.starts_with(&format!("{start} ")))
                .unwrap_or_else(|| panic!("{name} is not in {text}"));
            let shown = format!("(default {default})");
            assert!(
                default.is_empty() || lines[at + 1].ends_with(&shown),
                "{name}: {}",
                lines[at + 1]
            );
        }
    }
}

#[test]
fn version_is_printed_and_is_no_failure() {
    let home = Home::new().unwrap();
    let output = home.run_to_its_end(&["-version"]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8(said).unwrap().starts_with("imageserver "));
}

#[test]
fn flags_that_cannot_be_honoured_are_refused_at_the_start() {
    let home = Home::new().unwrap();
    for (flags, code, words) in [
        (vec!["-nosuch"], 2, "flag provided but not defined: -nosuch"),
        (
            [
                INSECURE,
                &[
                    "-imageServerHostname=master",
                    "-replicationIncludeFilter=/nonexistent/filter",
                ],
            ]
            .concat(),
            1,
            "-replicationIncludeFilter=/nonexistent/filter",
        ),
        (
            [INSECURE, &["-imageDir=/nonexistent/images"]].concat(),
            1,
            "Cannot load image database",
        ),
        (vec!["-CAfile=", "-generateMissingWebcert"], 1, "missing CA"),
    ] {
        let output = home.run_to_its_end(&flags).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(code) && said.contains(words),
            "{flags:?}: {:?} {said}",
            output.status
        );
    }
}

#[test]
fn root_is_refused_in_the_originals_words() {
    let program = integration::programs::program("imageserver").unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        std::process::Command::new(program)
    } else {
        let mut unshare = std::process::Command::new("unshare");
        unshare.args(["--user", "--map-root-user"]).arg(program);
        unshare
    };
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap().trim_end(),
        "Do not run the Image Server as root"
    );
}

#[test]
fn a_port_that_is_taken_is_fatal() {
    let home = Home::new().unwrap();
    let first = home.start_insecure(&[]).unwrap();
    let other = Home::new().unwrap();
    let port = format!("-portNum={}", first.port);
    let output = other.run_to_its_end(&[INSECURE, &[&port]].concat()).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && said.contains("Unable to create http server: "),
        "{said}"
    );
}

#[test]
fn flags_that_mean_nothing_here_are_taken_all_the_same() {
    let home = Home::new().unwrap();
    let server = home
        .start_insecure(&["-debug", "-lockCheckInterval=1s", "-lockLogTimeout=1m"])
        .unwrap();
    put(&server, "image", &[]).unwrap();
    assert_eq!(server.stop().unwrap(), Some(0));
}

#[test]
fn objects_and_images_lie_where_the_flags_say_in_the_specified_layout() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    make_directory(&server, "d").unwrap();
    put(&server, "d/image", &[("file", b"content")]).unwrap();
    let (written, checksum) =
        protocol::image_file::decode(&std::fs::read(home.images().join("d/image")).unwrap()).unwrap();
    assert_eq!(written.file_system, image(&[("file", b"content")]).file_system);
    assert!(!checksum.is_zero());
    let name = hash::of(b"content").to_string();
    let place = home.objects().join(&name[..2]).join(&name[2..4]).join(&name[4..]);
    assert_eq!(std::fs::read(place).unwrap(), b"content");
    // Nothing else that the original would stumble over.
    let visible = |directory: std::path::PathBuf| -> Vec<String> {
        std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect()
    };
    assert_eq!(visible(home.images()), ["d"]);
    assert_eq!(visible(home.images().join("d")), ["image"]);
    assert_eq!(visible(home.objects()), [&name[..2]]);
}

#[test]
fn the_log_is_kept_as_its_flags_say() {
    let home = Home::new().unwrap();
    let directory = home.path().join("log");
    let log_directory = format!("-logDir={}", directory.display());
    let server = home
        .start_insecure(&[
            &log_directory,
            "-logSubseconds",
            "-logAtStartup=false",
            "-idleMarkTimeout=1s",
            "-initialLogDebugLevel=3",
            "-logbufLines=150",
        ])
        .unwrap();
    print(&server, "told").unwrap();
    let debug = |level: u8, text: &str| {
        let request = DebugRequest {
            args: vec![text.to_owned()],
            name: String::new(),
            level,
        };
        call::<_, DebugResponse>(server.address(), "Logger.Debug", &request).unwrap();
    };
    debug(3, "at the level");
    debug(4, "above the level");
    let file = || std::fs::read_to_string(directory.join("latest")).unwrap();
    wait_until("a mark after silence", || file().contains(" MARK\n"));
    let text = file();
    assert!(
        text.contains("at the level") && !text.contains("above the level"),
        "{text}"
    );
    assert!(!text.contains("Startup:"), "{text}");
    // `2006/01/02 15:04:05.000000 text`.
    let line = text.lines().find(|line| line.contains("told")).unwrap();
    let (time, told) = line.split_at(27);
    assert_eq!(told, "Logger.Print(): told");
    assert_eq!((&time[4..5], &time[19..20], &time[26..]), ("/", ".", " "));
    // The fixture asked for -alsoLogToStderr.
    assert!(server.logs("Logger.Print(): told", 1));
    for number in 0..200 {
        print(&server, &format!("line {number}")).unwrap();
    }
    let (_, kept) = server.page("/logs/showSinceStartup").unwrap();
    assert!(
        kept.contains("line 199") && kept.contains("told"),
        "files keep what memory drops"
    );
    let (_, status) = server.page_as("/", "text/html").unwrap();
    assert!(status.contains("line 199") && !status.contains("line 20\n"));
}

#[test]
fn how_much_is_logged_can_be_changed_while_the_server_runs() {
    let home = Home::new().unwrap();
    let log_directory = format!("-logDir={}", home.path().join("log").display());
    let server = home.start_insecure(&[&log_directory]).unwrap();
    let debug = |text: &str| {
        let request = DebugRequest {
            args: vec![text.to_owned()],
            name: String::new(),
            level: 2,
        };
        call::<_, DebugResponse>(server.address(), "Logger.Debug", &request).unwrap();
    };
    let set = |level: i16| {
        let request = SetDebugLevelRequest {
            level,
            name: String::new(),
        };
        call::<_, SetDebugLevelResponse>(server.address(), "Logger.SetDebugLevel", &request).unwrap();
    };
    debug("too early");
    set(2);
    debug("wanted");
    set(-1);
    debug("too late");
    print(&server, "the end").unwrap();
    let file = || std::fs::read_to_string(home.path().join("log/latest")).unwrap();
    wait_until("the last line", || file().contains("the end"));
    let text = file();
    assert!(
        text.contains("Logger.Debug(2): wanted") && !text.contains("too early") && !text.contains("too late"),
        "{text}"
    );
}

#[test]
fn log_files_are_rotated_by_size_and_kept_within_the_quota() {
    let home = Home::new().unwrap();
    let directory = home.path().join("log");
    let log_directory = format!("-logDir={}", directory.display());
    let server = home
        .start_insecure(&[&log_directory, "-logFileMaxSize=16KiB", "-logQuota=64KiB"])
        .unwrap();
    for number in 0..60 {
        print(&server, &format!("{number:0>3000}")).unwrap();
    }
    // Lines gather for a moment before they are written.
    let latest = || std::fs::read_to_string(directory.join("latest")).unwrap_or_default();
    wait_until("the last line", || latest().contains(&format!("{:0>3000}", 59)));
    let (_, listed) = server.page("/logs?output=text").unwrap();
    let names: Vec<&str> = listed.lines().collect();
    assert!((2..=5).contains(&names.len()), "{listed}");
    let sizes: Vec<u64> = names
        .iter()
        .map(|name| directory.join(name).metadata().unwrap().len())
        .collect();
    assert!(sizes.iter().sum::<u64>() <= (64 << 10) + 4096, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= (16 << 10) + 4096), "{sizes:?}");
    let text: String = names
        .iter()
        .map(|name| std::fs::read_to_string(directory.join(name)).unwrap())
        .collect();
    assert!(text.contains("Closing and will open new logfile\n"));
}

#[test]
fn memory_keeps_as_many_lines_as_the_flag_says() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&["-logbufLines=120"]).unwrap();
    for number in 0..200 {
        print(&server, &format!("number {number};")).unwrap();
    }
    let (_, kept) = server.page("/logs/showSinceStartup").unwrap();
    assert_eq!(kept.lines().count(), 120, "{kept}");
    assert!(
        kept.contains("number 199;") && !kept.contains("number 79;"),
        "{kept}"
    );
}

#[test]
fn callers_on_this_host_find_the_socket_that_the_flag_names() {
    let home = Home::new().unwrap();
    let socket = home.path().join("socket");
    let flag = format!("-srpcUnixSocketPath={}", socket.display());
    let server = home.start_insecure(&[&flag]).unwrap();
    let tool = integration::tool::Tool::new(&server, &home.path().join("none"), home.path());
    assert_eq!(tool.must(&["listdirs"]).unwrap(), ".\n");
    // It is made for the first who asks.
    use std::os::unix::fs::FileTypeExt;
    assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
}

/// Takes as long as objects are kept for those who have just sent them.
#[test]
fn unreferenced_objects_are_cleaned_up_from_one_size_down_to_another() {
    let home = Home::new().unwrap();
    let server = home
        .start_insecure(&[
            "-objectServerCleanupStartSize=10B",
            "-objectServerCleanupStopSize=5B",
        ])
        .unwrap();
    put(&server, "image", &[("file", b"needed by an image")]).unwrap();
    store(&server, &[b"1111", b"2222", b"3333"]).unwrap();
    let left = || {
        let (_, text) = server
            .page("/metrics/objectserver/unreferenced-object-bytes?format=text")
            .unwrap();
        text.trim().parse::<u64>().unwrap()
    };
    wait_until("the clean-up", || left() <= 5);
    assert_eq!(left(), 4);
    let hashes = [b"needed by an image".as_slice(), b"1111", b"2222", b"3333"].map(hash::of);
    assert_eq!(object_sizes(&server, &hashes).unwrap(), [18, 0, 0, 4]);
}

/// What the kernel says of the server's side of a connection: seconds until its keep-alive timer fires.
fn keep_alive_seconds(server: &ImageServer, peer_port: u16) -> Option<u64> {
    /// `man 5 proc`: a timer that is neither for a retransmission nor for the end of the connection.
    const KEEP_ALIVE: &str = "02";
    const TICKS_PER_SECOND: u64 = 100;
    let (local, remote) = (format!(":{:04X}", server.port), format!(":{peer_port:04X}"));
    let table = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")));
    table
        .iter()
        .flatten()
        .flat_map(|text| text.lines())
        .find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (timer, ticks) = fields.get(5)?.split_once(':')?;
            let is_it = fields[1].ends_with(&local) && fields[2].ends_with(&remote) && timer == KEEP_ALIVE;
            let ticks = u64::from_str_radix(ticks, 16).ok()?;
            is_it.then_some(ticks / TICKS_PER_SECOND)
        })
}

#[test]
fn connections_are_kept_alive_at_the_period_of_the_flag() {
    let home = Home::new().unwrap();
    let server = home
        .start_insecure(&["-srpcDefaultKeepAlivePeriod=9000s"])
        .unwrap();
    let stream = integration::plain_call::connect(server.address()).unwrap();
    let port = stream.get_ref().local_addr().unwrap().port();
    let mut seconds = 0;
    wait_until("the timer of the connection", || {
        seconds = keep_alive_seconds(&server, port).unwrap_or_default();
        seconds > 0
    });
    // Neither the kernel's own two hours nor the default of five minutes.
    assert!((7500..=9000).contains(&seconds), "{seconds}");
}
