//! The images that the original's own tests begin with: records as they lie on the disk, with files and icons.

use crate::repository::{Imgapi, Repository};
use anyhow::Result;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Users of a datacenter.
pub const VADER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
pub const LUKE: &str = "91ba0e64-2547-11e2-a972-df579e5fddb3";
pub const EMPEROR: &str = "a0b6b534-2547-11e2-b758-63a2afd747d1";
pub const SDC: &str = "ba28f844-8cb4-f141-882d-46d6251e6a9f";
pub const ADMIN: &str = "930896af-bf8c-48d4-885c-6573a94b1853";
/// Nobody in particular.
pub const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Images of a datacenter: public and active, public and disabled, public and not activated.
pub const BASE: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";
pub const NODEJS: &str = "da58c25a-2547-11e2-9b8d-136daa650e8a";
pub const BASE_2: &str = "e078a6aa-2547-11e2-8688-03ac37b2b4a0";
/// Vader's: active and disabled, shared with Luke; not activated, shared with the emperor.
pub const FATHER: &str = "7a1b1967-6ecf-1e4c-8f09-f49094cc36ad";
pub const DARK_SIDE: &str = "9f819499-8298-9842-8cc5-1c2838196ab4";
pub const JOIN_US: &str = "2d28c64f-fb16-2145-a0ca-f626aea35c77";

/// Images of a repository with channels: in none, in one each, in all three.
pub const IN_NO_CHANNEL: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";
pub const IN_DEV: &str = "8ba6d20f-6013-f944-9d69-929ebdef45a2";
pub const IN_STAGING: &str = "3e6ebb8c-bb37-9245-ba5d-43d172461be6";
pub const IN_ALL: &str = "4e6ebb8c-bb37-9245-ba5d-43d172461be6";

/// What the original's tests upload, where its bytes matter.
pub const JUNK: &[u8] = b"what a piece of junk!\n";

/// A configuration of a datacenter whose users are [`users`].
pub fn datacenter() -> Value {
    json!({
        "mode": "dc",
        "datacenterName": "lab-dc",
        "adminUuid": ADMIN,
        "authType": "none",
    })
}

/// The table of its users.
pub fn users() -> Value {
    json!({
        "imgapitestvader": VADER,
        "imgapitestluke": LUKE,
        "imgapitestemperor": EMPEROR,
        "imgapitestsdc": SDC,
        "admin": ADMIN,
    })
}

/// A configuration of a public repository with three channels.
pub fn with_channels() -> Value {
    json!({
        "mode": "public",
        "authType": "none",
        "channels": [
            {"name": "dev", "description": "all development builds", "default": true},
            {"name": "staging", "description": "builds for testing in staging"},
            {"name": "release", "description": "release gold bits"},
        ],
    })
}

/// A running datacenter with its users and its six images.
pub fn start_datacenter() -> Result<(Repository, Imgapi)> {
    let mut repository = Repository::new(json!({}))?;
    let table = repository.path().join("users.json");
    fs::write(&table, users().to_string())?;
    let mut configuration = datacenter();
    configuration["usersFile"] = table.display().to_string().into();
    repository.configure(configuration);
    put_datacenter_images(repository.base())?;
    let daemon = repository.start()?;
    Ok((repository, daemon))
}

/// Puts the six images of a datacenter below a base directory that no server uses.
pub fn put_datacenter_images(base: &Path) -> Result<()> {
    let image = |uuid: &str, name: &str, version: &str, owner: &str, public: bool| {
        json!({
            "v": 2, "uuid": uuid, "name": name, "version": version, "owner": owner, "public": public,
            "type": "zone-dataset", "os": "smartos", "files": [], "activated": false, "disabled": false,
            "state": "unactivated", "objectclass": "sdcimage",
        })
    };
    let file = json!([{
        "sha1": "25592745c0b06822e0a4c9e9945e67322bdfe619", "size": 5, "compression": "gzip", "stor": "local",
    }]);
    let published = |mut image: Value, state: &str, date: &str| {
        image["files"] = file.clone();
        image["activated"] = true.into();
        image["disabled"] = (state == "disabled").into();
        image["state"] = state.into();
        image["published_at"] = date.into();
        image
    };
    let shared = |mut image: Value, account: &str| {
        // Old records have a lone text.
        image["acl"] = account.into();
        image
    };
    let (recent, older) = ("2012-11-02T22:46:45.992Z", "2012-10-02T22:46:45.992Z");
    let images = [
        published(image(BASE, "base", "1.8.1", SDC, true), "active", recent),
        published(image(NODEJS, "nodejs", "1.0.0", SDC, true), "disabled", older),
        image(BASE_2, "base", "2.0.0", SDC, true),
        shared(
            published(
                image(FATHER, "i-am-your-father", "0.0.1", VADER, false),
                "active",
                recent,
            ),
            LUKE,
        ),
        shared(
            published(
                image(DARK_SIDE, "come-to-the-dark-side", "42.1.2", VADER, false),
                "disabled",
                older,
            ),
            LUKE,
        ),
        shared(
            image(JOIN_US, "he-will-join-us-or-die", "1.2.3", VADER, false),
            EMPEROR,
        ),
    ];
    images
        .iter()
        .try_for_each(|image| put(base, image, b"file\n", b"icon\n"))
}

/// Puts the four images of a repository with channels below a base directory that no server uses. Their files have a byte
/// more on the disk than they say, as the original's have.
pub fn put_channel_images(base: &Path) -> Result<()> {
    let images = [
        (IN_NO_CHANNEL, "innochan", &[][..]),
        (IN_DEV, "indevchan", &["dev"]),
        (IN_STAGING, "instagingchan", &["staging"]),
        (IN_ALL, "inmultichan", &["dev", "staging", "release"]),
    ];
    for (uuid, name, channels) in images {
        let entry = |md5: &str| {
            json!({
                "sha1": "046c168df2244d3a13985f042a50e479fe56455e", "size": 4, "contentMD5": md5,
                "mtime": "2013-08-22T20:41:08.978Z", "stor": "local",
            })
        };
        let (mut file, mut icon) = (
            entry("jH3ZIq1HSU/ALDiOEsAOrA=="),
            entry("uuxkYbDWnd4bhhrvvjddig=="),
        );
        file["compression"] = "none".into();
        icon["contentType"] = "image/png".into();
        let mut image = json!({
            "v": 2, "uuid": uuid, "name": name, "version": "1.2.3", "owner": NIL, "public": true,
            "type": "zone-dataset", "os": "smartos", "files": [file], "icon": icon, "activated": true,
            "disabled": false, "state": "active", "published_at": "2012-11-02T22:46:45.992Z",
        });
        if !channels.is_empty() {
            image["channels"] = channels.into();
        }
        put(base, &image, b"file\n", b"icon\n")?;
    }
    Ok(())
}

/// Puts one image there, with a file and an icon if its record has them.
pub fn put(base: &Path, record: &Value, file: &[u8], icon: &[u8]) -> Result<()> {
    let uuid = record["uuid"].as_str().unwrap_or_default();
    let manifests = base.join("manifests");
    fs::create_dir_all(&manifests)?;
    fs::write(
        manifests.join(format!("{uuid}.raw")),
        serde_json::to_string_pretty(record)?,
    )?;
    let directory = base.join("images").join(&uuid[..3]).join(uuid);
    fs::create_dir_all(&directory)?;
    if record["files"].as_array().is_some_and(|files| !files.is_empty()) {
        fs::write(directory.join("file0"), file)?;
    }
    if record["icon"].is_object() {
        fs::write(directory.join("icon"), icon)?;
    }
    Ok(())
}
