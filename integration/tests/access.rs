//! Who may do what is what the certificate says, and whoever may not is told so; nothing happens otherwise.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::certificates::Authority;
use integration::secured::Secured;
use integration::tool::{Outcome, Tool};
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

/// A user whom the identity authority vouches for: a name and groups, no powers.
fn member(stage: &Secured, user: &str, groups: &str) -> Tool {
    let mut arguments = vec!["--identity"];
    if !groups.is_empty() {
        arguments.extend(["--groups", groups]);
    }
    stage
        .identity
        .issue(user, &arguments, &stage.certificates(user))
        .unwrap();
    stage.tool(user)
}

/// Arguments that add an image without content.
fn adding(stage: &Secured, name: &str, expires_in: &str) -> Vec<String> {
    let (tree, filter) = (
        stage.directory.path().join("tree"),
        stage.directory.path().join("filter"),
    );
    let _ = std::fs::create_dir(&tree);
    std::fs::write(&filter, "").unwrap();
    let expires_in = format!("-expiresIn={expires_in}");
    let path = |path: &std::path::Path| path.display().to_string();
    let words = ["-requiredPaths=", &expires_in, "add", name];
    let mut all: Vec<String> = words.map(str::to_owned).to_vec();
    all.extend([path(&tree), path(&filter), String::new()]);
    all
}

#[test]
fn who_is_in_the_group_of_a_directory_may_do_what_its_owner_may_also_after_a_restart() {
    let mut stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let wendy = member(&stage, "wendy", "daemon,staff");
    let otto = member(&stage, "otto", "staff");
    admin.must(&["mkdir", "web"]).unwrap();
    admin.must(&["chown", "web", "daemon"]).unwrap();
    admin.must(&["mkdir", "web/inherits"]).unwrap();
    admin.must(&["mkdir", "other"]).unwrap();
    assert_eq!(
        admin.must(&["listdirs"]).unwrap(),
        ".\nother\nweb           OwnerGroup=daemon\nweb/inherits  OwnerGroup=daemon\n"
    );
    for name in ["web/1", "web/2", "web/inherits/1", "other/1"] {
        admin.must(&adding(&stage, name, "1h")).unwrap();
    }
    for round in ["web/1", "web/2"] {
        // A stranger is told so, whatever is asked; a name that is not there is told first.
        assert_refused(
            &otto.run(&["delete", round]).unwrap(),
            "error deleting image: no access to image",
        );
        assert_refused(
            &otto
                .run(&["-expiresIn=2h", "change-image-expiration", round])
                .unwrap(),
            "error changing image expiration: no access to image",
        );
        assert_refused(&otto.run(&["delete", "web/9"]).unwrap(), "image does not exist");
        // A member of the owner group may, within the limits of who has no power.
        wendy
            .must(&["-expiresIn=2h", "change-image-expiration", round])
            .unwrap();
        assert_refused(
            &wendy
                .run(&["-expiresIn=25h", "change-image-expiration", round])
                .unwrap(),
            "maximum expiration time is 1d0s",
        );
        assert_refused(
            &wendy
                .run(&["-expiresIn=0", "change-image-expiration", round])
                .unwrap(),
            "not permitted to make image non-expiring",
        );
        wendy.must(&["delete", round]).unwrap();
        assert_refused(&wendy.run(&["delete", "other/1"]).unwrap(), "no access to image");
        stage.restart().unwrap();
    }
    // What a directory below inherited when it was made is its own.
    admin.must(&["chown", "web", ""]).unwrap();
    wendy.must(&["delete", "web/inherits/1"]).unwrap();
    assert!(stage.server.logs("DeleteImage(web/inherits/1) by wendy", 1));
}

#[test]
fn who_owns_an_image_may_change_and_delete_it_also_after_a_restart() {
    let mut stage = Secured::new(&[]).unwrap();
    stage.issue("admin", &["--preset", "admin"]).unwrap();
    let nobody = member(&stage, "nobody-special", "others");
    // As builders write them; that they are read from the file is what a restart means.
    stage.stop().unwrap();
    let expires_at = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let owned = image::Image {
        created_by: "carla".to_owned(),
        created_for: "frank".to_owned(),
        owner_users: vec!["olga".to_owned(), "oscar".to_owned()],
        owner_groups: vec!["crew".to_owned()],
        expires_at: expires_at.into(),
        ..integration::images::image(&[])
    };
    let file = protocol::image_file::encode(&owned);
    let owners = [
        member(&stage, "carla", ""),
        member(&stage, "frank", ""),
        member(&stage, "oscar", ""),
        member(&stage, "mary", "others,crew"),
    ];
    for number in 0..owners.len() {
        std::fs::write(stage.home.images().join(format!("image{number}")), &file).unwrap();
    }
    stage.start_again().unwrap();
    for (number, owner) in owners.iter().enumerate() {
        let name = format!("image{number}");
        assert_refused(&nobody.run(&["delete", &name]).unwrap(), "no access to image");
        owner
            .must(&["-expiresIn=2h", "change-image-expiration", &name])
            .unwrap();
        // Rewriting the file loses no owner.
        stage.restart().unwrap();
        assert_refused(
            &nobody
                .run(&["-expiresIn=3h", "change-image-expiration", &name])
                .unwrap(),
            "no access to image",
        );
        owner
            .must(&["-expiresIn=3h", "change-image-expiration", &name])
            .unwrap();
        owner.must(&["delete", &name]).unwrap();
    }
}

#[test]
fn directories_are_given_away_by_whom_the_rules_allow() {
    let stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let wendy = member(&stage, "wendy", "daemon,mail");
    let otto = member(&stage, "otto", "mail");
    for directory in ["web", "web/below", "free"] {
        admin.must(&["mkdir", directory]).unwrap();
    }
    let chown = |tool: &Tool, directory: &str, group: &str| tool.run(&["chown", directory, group]).unwrap();
    let owner = || admin.must(&["listdirs"]).unwrap();
    const DOING: &str = "error changing directory ownership: ";
    let refused = |outcome: &Outcome, text: &str| {
        assert_refused(outcome, &format!("{DOING}{text}\n"));
    };
    // A group must exist where the server runs; so must the directory.
    refused(
        &chown(&admin, "web", "no-such-group"),
        "group: unknown group no-such-group",
    );
    refused(&chown(&admin, "none", "daemon"), "no metadata for: \"none\"");
    // Nobody owns it yet, so only an administrator may.
    refused(&chown(&wendy, "web", "daemon"), "no access to image");
    assert_eq!(chown(&admin, "web", "daemon").code, 0);
    // Who is in the group that has it may give it to another group of theirs, and to no other.
    refused(&chown(&wendy, "web", "games"), "no membership of games group");
    refused(&chown(&wendy, "web", ""), "no membership of  group");
    refused(&chown(&otto, "web", "mail"), "no access to image");
    assert_eq!(chown(&wendy, "web", "mail").code, 0);
    assert!(owner().contains("web        OwnerGroup=mail\n"), "{}", owner());
    // Who is in the group of the directory above may give it to any group, or to none.
    assert_eq!(chown(&otto, "web/below", "games").code, 0);
    assert!(owner().contains("web/below  OwnerGroup=games\n"), "{}", owner());
    assert_eq!(chown(&otto, "web/below/.", "").code, 0);
    assert_eq!(owner(), ".\nfree\nweb        OwnerGroup=mail\nweb/below\n");
    // Without powers on the connection even an administrator is nobody.
    refused(
        &admin
            .run(&["-srpcClientDoNotUseMethodPowers", "chown", "free", "daemon"])
            .unwrap(),
        "no membership of daemon group",
    );
    assert!(stage.server.logs("ChownDirectory(web) to: \"mail\" by wendy", 1));
}

#[test]
fn without_a_name_a_directory_cannot_be_given_away() {
    let home = integration::server::Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let tool = Tool::new(&server, &home.path().join("none"), home.path());
    tool.must(&["mkdir", "a"]).unwrap();
    assert_refused(
        &tool.run(&["chown", "a", "daemon"]).unwrap(),
        "error changing directory ownership: no username: unauthenticated connection",
    );
}

#[test]
fn when_its_certificates_end_is_a_figure_of_the_server() {
    let stage = Secured::new(&[]).unwrap();
    let figure = |path: &str| {
        stage
            .server
            .page(&format!("/metrics/srpc/{path}?format=text"))
            .unwrap()
            .1
    };
    let seconds = |path: &str| -> f64 { figure(path).trim().parse().unwrap() };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    for name in [
        "earliest-certificate-expiration",
        "earliest-expiring-certificate-activation",
    ] {
        // The daemon shows to others what it is itself.
        let (server, client) = (
            seconds(&format!("server/{name}")),
            seconds(&format!("client/{name}")),
        );
        assert_eq!(server, client, "{name}");
        assert_eq!(
            server > now,
            name == "earliest-certificate-expiration",
            "{name}: {server}"
        );
    }
    assert!(seconds("server/earliest-ca-expiration") > now);
}
