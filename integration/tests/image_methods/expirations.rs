//! How long images live.

use super::*;

fn change_expiration(server: &ImageServer, name: &str, expires_at: Time) -> String {
    let request = ChangeImageExpirationRequest {
        expires_at,
        image_name: name.to_owned(),
    };
    let reply: ChangeImageExpirationResponse =
        call(server.address(), "ImageServer.ChangeImageExpiration", &request).unwrap();
    reply.error
}

fn expiration(server: &ImageServer, name: &str) -> Result<Time, String> {
    let request = GetImageExpirationRequest {
        image_name: name.to_owned(),
    };
    let reply: GetImageExpirationResponse =
        call(server.address(), "ImageServer.GetImageExpiration", &request).unwrap();
    if reply.error.is_empty() {
        Ok(reply.expires_at)
    } else {
        Err(reply.error)
    }
}

#[test]
fn without_certificates_expirations_have_no_limit() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let soon = SystemTime::now() + HOUR;
    let expiring = Image {
        expires_at: soon.into(),
        ..image(&[])
    };
    add(&server, "goes", expiring).unwrap();
    add(&server, "stays", image(&[])).unwrap();
    assert_eq!(expiration(&server, "stays"), Ok(Time::ZERO));
    assert_eq!(expiration(&server, "none"), Err("image not found".to_owned()));
    let in_ten_years: Time = (SystemTime::now() + 87_600 * HOUR).into();
    assert_eq!(change_expiration(&server, "goes", in_ten_years), "");
    assert_eq!(
        expiration(&server, "goes").map(|time| time.unix_seconds()),
        Ok(in_ten_years.unix_seconds())
    );
    assert_eq!(
        change_expiration(&server, "goes", soon.into()),
        "cannot shorten expiration time"
    );
    assert_eq!(change_expiration(&server, "goes", Time::ZERO), "");
    assert_eq!(expiration(&server, "goes"), Ok(Time::ZERO));
    assert_eq!(
        change_expiration(&server, "goes", in_ten_years),
        "image does not expire"
    );
    assert_eq!(
        change_expiration(&server, "none", in_ten_years),
        "image not found"
    );
}

#[test]
fn how_far_ahead_an_expiration_may_be_is_set_by_flags_and_by_who_asks() {
    let stage = Secured::new(&[
        "-maximumExpirationDuration=2h",
        "-maximumExpirationDurationPrivileged=10h",
    ])
    .unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let user = stage.issue("user", &[]).unwrap();
    let tree = stage.directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let filter = stage.directory.path().join("filter");
    std::fs::write(&filter, "").unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    admin
        .must(&[
            "-requiredPaths=",
            "-expiresIn=1h",
            "add",
            "goes",
            &path(&tree),
            &path(&filter),
            "",
        ])
        .unwrap();
    for (tool, expires_in, words) in [
        (&user, "-expiresIn=3h", "maximum expiration time is 2h0m0s"),
        (&user, "-expiresIn=90m", "no access to image"),
        (&user, "-expiresIn=0", "not permitted to make image non-expiring"),
        (
            &admin,
            "-expiresIn=11h",
            "maximum expiration time is 10h0m0s for you",
        ),
    ] {
        let refused = tool
            .run(&[expires_in, "change-image-expiration", "goes"])
            .unwrap();
        assert!(
            refused.code == 1 && refused.err.contains(words),
            "{expires_in}: {refused:?}"
        );
    }
    admin
        .must(&["-expiresIn=9h", "change-image-expiration", "goes"])
        .unwrap();
    admin
        .must(&["-expiresIn=0", "change-image-expiration", "goes"])
        .unwrap();
    assert!(
        stage
            .server
            .logs("ChangeImageExpiration(goes) never expire by admin", 1)
    );
}
