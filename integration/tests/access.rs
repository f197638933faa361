//! Who may do what is what the certificate says, and whoever may not is told so; nothing happens otherwise.

use integration::certificates::Authority;
use integration::secured::Secured;
use integration::tool::Outcome;
use std::io::{Read, Write};

fn assert_refused(outcome: &Outcome, text: &str) {
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains(text), "{outcome:?}");
    assert!(outcome.out.is_empty(), "{outcome:?}");
}

#[test]
fn powers_in_a_certificate_decide() {
    let stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let reader = stage.issue("reader", &["--preset", "reader"]).unwrap();
    let nothing = stage.issue("nothing", &[]).unwrap();
    let maker = stage.issue("maker", &["--methods", "ImageServer.Make*"]).unwrap();

    admin.must(&["mkdir", "a"]).unwrap();
    maker.must(&["mkdir", "m"]).unwrap();
    assert_refused(
        &reader.run(&["mkdir", "r"]).unwrap(),
        "error creating directory: access to method denied",
    );
    assert_refused(&nothing.run(&["mkdir", "n"]).unwrap(), "access to method denied");
    // Public methods are for every name that the authority vouches for.
    assert_eq!(nothing.must(&["listdirs"]).unwrap(), ".\na\nm\n");
    // The power is not used on a connection that waived it.
    assert_refused(
        &admin
            .run(&["-srpcClientDoNotUseMethodPowers", "mkdir", "w"])
            .unwrap(),
        "access to method denied",
    );
    assert!(stage.server.logs("MakeDirectory(a) by admin", 1) && stage.server.logs("access denied", 3));
}

#[test]
fn an_identity_authority_gives_names_but_no_powers() {
    let stage = Secured::new(&["-srpcTrustedUsers=trusted"]).unwrap();
    for user in ["bob", "trusted"] {
        stage
            .identity
            .issue(
                user,
                &["--identity", "--groups", "web"],
                &stage.certificates(user),
            )
            .unwrap();
    }
    assert_eq!(stage.tool("bob").must(&["listdirs"]).unwrap(), ".\n");
    assert_refused(
        &stage.tool("bob").run(&["mkdir", "b"]).unwrap(),
        "access to method denied",
    );
    stage.tool("trusted").must(&["mkdir", "t"]).unwrap();
}

#[test]
fn strangers_are_turned_away() {
    let stage = Secured::new(&[]).unwrap();
    let other = Authority::new(&stage.directory.path().join("other"), "Other CA").unwrap();
    other
        .issue(
            "stranger",
            &["--preset", "admin"],
            &stage.certificates("stranger"),
        )
        .unwrap();

    assert_refused(
        &stage.tool("nobody").run(&["listdirs"]).unwrap(),
        "missing certificate",
    );
    assert_refused(&stage.tool("stranger").run(&["listdirs"]).unwrap(), "");
    assert_refused(&stage.tool("stranger").run(&["mkdir", "s"]).unwrap(), "");

    stage
        .authority
        .issue(
            "late",
            &[
                "--preset",
                "admin",
                "--not-before",
                "2020-01-01T00:00:00Z",
                "--days",
                "1",
            ],
            &stage.certificates("late"),
        )
        .unwrap();
    assert_refused(&stage.tool("late").run(&["listdirs"]).unwrap(), "expired");
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    assert_eq!(admin.must(&["listdirs"]).unwrap(), ".\n");
}

#[test]
fn plain_connections_are_refused_where_certificates_are_required() {
    let stage = Secured::new(&[]).unwrap();
    let mut stream = std::net::TcpStream::connect(stage.server.address()).unwrap();
    stream.write_all(b"CONNECT /_goSRPC_/ HTTP/1.0\n\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 405"), "{answer}");
    assert!(stage.server.logs("connection refused", 1));
    assert_eq!(stage.server.page("/healthz").unwrap().0, 200);
}

#[test]
fn unauthenticated_reads_are_open_only_where_allowed() {
    let stage = Secured::new(&["-allowUnauthenticatedReads"]).unwrap();
    let nobody = stage.tool("nobody");
    assert_eq!(nobody.must(&["listdirs"]).unwrap(), ".\n");
    assert_refused(
        &nobody.run(&["mkdir", "x"]).unwrap(),
        "error creating directory: access to method denied",
    );
}
