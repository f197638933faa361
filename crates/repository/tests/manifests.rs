//! Rules of manifests that no recorded answer shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use repository::channels::{Channels, Deletion, Scope};
use repository::http::ApiVersion;
use repository::json::{Value, compact, to_text};
use repository::manifest::{
    Import, ImportRequest, Known, Mode, NotARecord, Record, Rules, View, clone_of, create, import,
    placeholder, public_form, update,
};
use repository::{ApiError, Uuid, access, dates};
use serde_json::json;
use std::time::{Duration, SystemTime};

const SDC: &str = "ba28f844-8cb4-f141-882d-46d6251e6a9f";
const VADER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
const LUKE: &str = "91ba0e64-2547-11e2-a972-df579e5fddb3";
const EMPEROR: &str = "a0b6b534-2547-11e2-b758-63a2afd747d1";
const I1: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";
const DC: Rules = Rules {
    mode: Mode::Datacenter,
    has_channels: false,
};
const PUBLIC: Rules = Rules {
    mode: Mode::Public,
    has_channels: false,
};
const CHANNELS: Rules = Rules {
    mode: Mode::Public,
    has_channels: true,
};

struct World {
    has_all: bool,
}

impl Known for World {
    fn has_owner(&self, _: Uuid) -> bool {
        self.has_all
    }

    fn has_image(&self, _: Uuid) -> bool {
        self.has_all
    }
}

const ALL: World = World { has_all: true };
const NONE: World = World { has_all: false };

fn id(text: &str) -> Uuid {
    Uuid::parse(text).unwrap()
}

fn with(mut base: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

/// As the original stored it: more than the rules know, an account where a list is meant, texts for booleans.
fn stored(fields: Value) -> Value {
    let base = json!({
        "v": 2, "uuid": I1, "owner": VADER, "name": "i-am-your-father", "version": "0.0.1", "public": "false",
        "activated": "true", "disabled": "false", "published_at": "2012-11-02T22:46:45.992Z", "type": "zone-dataset",
        "os": "smartos", "acl": LUKE, "objectclass": "sdcimage", "urn": "sdc:sdc:base:1.8.1", "tags": ["role=db", "n=1"],
        "files": [{"sha1": "25592745c0b06822e0a4c9e9945e67322bdfe619", "size": 42, "compression": "gzip", "stor": "local"}],
    });
    with(base, fields)
}

fn load(value: &Value, rules: &Rules) -> Result<Record, NotARecord> {
    Record::load(compact(value).as_bytes(), id(I1), rules)
}

fn minimal(fields: Value) -> Value {
    let base =
        json!({"name": "a", "version": "1", "type": "other", "os": "linux", "owner": VADER, "public": true});
    with(base, fields)
}

fn created(fields: Value, rules: &Rules) -> Result<Record, ApiError> {
    let channel = rules.has_channels.then_some("dev");
    create(Some(&minimal(fields)), None, channel, id(I1), rules, &ALL)
}

/// The fields and messages of an error.
fn problems(error: &ApiError) -> Vec<String> {
    let errors = error.errors().unwrap_or_default();
    let text = |error: &repository::error::FieldError| {
        format!(
            "{} {} {}",
            error.field,
            error.code,
            error.message.clone().unwrap_or_default()
        )
    };
    errors.iter().map(|error| text(error).trim().to_owned()).collect()
}

fn form(record: &Record, mode: Mode) -> Value {
    public_form(
        record,
        &View {
            mode,
            version: ApiVersion::Two,
            is_admin: false,
        },
    )
}

#[test]
fn records_of_old_releases_are_served() {
    let record = load(&stored(json!({})), &DC).unwrap();
    assert!(record.is_activated() && !record.is_disabled() && !record.is_public());
    assert_eq!(record.state(), "active");
    let form = form(&record, DC.mode);
    assert_eq!(form["acl"], json!([LUKE]));
    assert_eq!(form["tags"], json!({"role": "db", "n": "1"}));
    assert_eq!(
        (form["public"].clone(), form["disabled"].clone()),
        (json!(false), json!(false))
    );
    let again = Record::load(record.to_stored().as_bytes(), id(I1), &DC).unwrap();
    assert_eq!(again.object()["objectclass"], json!("sdcimage"));
}

#[test]
fn what_is_no_record_is_left_out_with_its_reason() {
    let reason = |value: &Value, rules: &Rules| load(value, rules).unwrap_err().to_string();
    assert!(reason(&stored(json!({"uuid": SDC})), &DC).contains("about image"));
    assert!(reason(&json!([]), &DC).contains("no object"));
    assert!(reason(&stored(json!({"os": "beos"})), &DC).contains("os: invalid image os"));
    // An image without channels is none of a repository with channels, and the other way round.
    let public = stored(json!({"public": true}));
    assert!(reason(&public, &CHANNELS).contains("channels: MissingParameter"));
    let dev = with(public, json!({"channels": ["dev"]}));
    assert!(load(&dev, &CHANNELS).is_ok());
    assert!(reason(&dev, &PUBLIC).contains("not configured for channels"));
    assert!(matches!(
        Record::load(b"{", id(I1), &DC),
        Err(NotARecord::NotJson(_))
    ));
}

#[test]
fn who_sees_what_is_the_table_of_the_specification() {
    let images = [
        (SDC, true, "true", "false", json!([])),
        (SDC, true, "true", "true", json!([])),
        (SDC, true, "false", "false", json!([])),
        (VADER, false, "true", "false", json!([LUKE])),
        (VADER, false, "true", "true", json!([LUKE])),
        (VADER, false, "false", "false", json!([EMPEROR])),
    ];
    let visible = |account: &str| -> Vec<usize> {
        let sees = |(owner, public, activated, disabled, acl): &(&str, bool, &str, &str, Value)| {
            let fields = json!({"owner": owner, "public": public, "activated": activated, "disabled": disabled, "acl": acl});
            access::is_visible(&load(&stored(fields), &DC).unwrap(), Some(id(account)))
        };
        images
            .iter()
            .enumerate()
            .filter(|(_, image)| sees(image))
            .map(|(index, _)| index + 1)
            .collect()
    };
    assert_eq!(visible(SDC), [1, 2, 3]);
    assert_eq!(visible(VADER), [1, 2, 4, 5, 6]);
    assert_eq!(visible(LUKE), [1, 2, 4, 5]);
    assert_eq!(visible(EMPEROR), [1, 2]);
}

#[test]
fn problems_are_told_in_the_order_of_the_original_s_checks() {
    let body = json!({
        "v": -1, "name": "a*", "version": "", "type": "zvol", "os": "null", "owner": "x", "public": 3, "image_size": "many",
        "description": "x".repeat(10_241), "homepage": format!("http://{}", "x".repeat(1024)), "eula": "ftp:x",
        "acl": ["x"], "users": {}, "billing_tags": ["y".repeat(129)], "traits": [], "tags": {"a": "x".repeat(102_400)},
        "inherited_directories": [], "error": [], "urn": 1,
    });
    let error = create(Some(&body), None, None, id(I1), &PUBLIC, &ALL).unwrap_err();
    assert_eq!(error.message(), "invalid extra parameters: \"urn\"");
    let mut body = body;
    body.as_object_mut().unwrap().remove("urn");
    let error = create(Some(&body), None, None, id(I1), &PUBLIC, &ALL).unwrap_err();
    assert_eq!(
        error.message(),
        "invalid image data: v, owner, name, version, public, os, nic_driver, disk_driver, cpu_type, image_size, description, \
         homepage, eula, error, acl, users, billing_tags, traits, tags, inherited_directories"
    );
    let problems = problems(&error);
    assert_eq!(
        problems[9],
        "image_size Invalid invalid image image_size: \"NaN\" (must be a positive integer)"
    );
    assert!(
        problems[18].contains("object is too big: 102408 characters (max 102400)"),
        "{}",
        problems[18]
    );
}

#[test]
fn a_body_that_is_none_is_told_and_ends_no_process() {
    for body in [
        None,
        Some(json!(null)),
        Some(json!([])),
        Some(json!("x")),
        Some(json!(1)),
    ] {
        let error = create(body.as_ref(), None, None, id(I1), &DC, &ALL).unwrap_err();
        assert_eq!((error.status(), error.message()), (422, "missing request body"));
    }
    let error = created(json!({"owner": null}), &DC).unwrap_err();
    assert_eq!(problems(&error), ["owner MissingParameter"]);
    let error = created(json!({"tags": null}), &DC).unwrap_err();
    assert_eq!(
        problems(&error),
        ["tags Invalid invalid image \"tags\" (not an object): null"]
    );
    let base = created(json!({}), &PUBLIC).unwrap();
    assert_eq!(
        update(&base, Some(&json!(null)), None, &PUBLIC, &ALL)
            .unwrap_err()
            .status(),
        422
    );
    assert_eq!(base.without_icon().unwrap_err().status(), 404);
}

#[test]
fn owners_and_origins_are_looked_up_before_the_rules() {
    let make = |fields: Value, rules: &Rules| {
        create(Some(&minimal(fields)), None, None, id(I1), rules, &NONE).unwrap_err()
    };
    assert_eq!(make(json!({"name": "*"}), &DC).word(), "OwnerDoesNotExist");
    assert_eq!(
        make(json!({"name": "*", "origin": SDC}), &PUBLIC).word(),
        "OriginDoesNotExist"
    );
    assert_eq!(
        make(json!({"state": "active", "origin": SDC}), &DC).message(),
        "invalid image data: \"state\""
    );
    let body = json!({"name": "a", "version": "1", "type": "other", "os": "linux"});
    let record = create(Some(&body), Some(id(LUKE)), None, id(I1), &DC, &ALL).unwrap();
    assert_eq!(record.owner(), id(LUKE));
}

#[test]
fn numbers_texts_and_order_of_keys_stay_as_they_were_given() {
    let tags = json!({"b": 1.5, "a": "x", "o": {"z": 1, "y": 2}});
    let record = created(
        json!({"tags": tags, "name": 5, "v": "3", "generate_passwords": "false"}),
        &PUBLIC,
    )
    .unwrap();
    let form = form(&record, PUBLIC.mode);
    assert_eq!(compact(&form["tags"]), r#"{"b":1.5,"a":"x","o":{"z":1,"y":2}}"#);
    assert_eq!((form["name"].clone(), form["v"].clone()), (json!(5), json!(3)));
    assert!(form.get("generate_passwords").is_none());
    assert_eq!(record.search_tags().collect::<Vec<_>>(), ["b=1.5", "a=x", "o="]);
}

#[test]
fn an_answer_of_a_repository_can_be_imported_as_it_is() {
    let answer = json!({
        "v": 2, "uuid": I1, "owner": LUKE, "name": "a", "version": "1", "state": "active", "disabled": false, "public": true,
        "published_at": "2012-11-02T22:46:45.992Z", "type": "other", "os": "linux", "icon": true, "channels": ["release"],
        "files": [{"sha1": "a", "size": 1, "compression": "gzip"}], "urn": "a:b:c:d",
    });
    let request = ImportRequest {
        uuid: id(I1),
        account: None,
        channel: Some("dev"),
        skip_owner_check: false,
        admin: Some(id(SDC)),
        existing_state: Some("creating"),
        from: Import::Body,
    };
    let record = import(Some(&answer), &request, &CHANNELS, &NONE).unwrap();
    assert_eq!(
        (record.owner(), record.state(), record.file_count()),
        (Uuid::NIL, "unactivated", 0)
    );
    assert_eq!(
        (record.text("published_at"), record.text("urn")),
        ("2012-11-02T22:46:45.992Z", "a:b:c:d")
    );
    assert!(record.is_in_channel("dev") && !record.is_in_channel("release"));
    let taken = ImportRequest {
        existing_state: Some("active"),
        ..request
    };
    assert_eq!(
        import(Some(&answer), &taken, &CHANNELS, &NONE)
            .unwrap_err()
            .status(),
        409
    );
    let from_source = ImportRequest {
        from: Import::Source,
        ..request
    };
    assert_eq!(
        import(Some(&answer), &from_source, &CHANNELS, &NONE)
            .unwrap_err()
            .status(),
        409
    );
    // In a datacenter what nobody owns becomes the administrator's, and only other owners are looked up.
    let in_datacenter = ImportRequest {
        channel: None,
        existing_state: None,
        ..request
    };
    let nobodys = with(answer.clone(), json!({"owner": Uuid::NIL.to_string()}));
    assert_eq!(
        import(Some(&nobodys), &in_datacenter, &DC, &NONE)
            .unwrap()
            .owner(),
        id(SDC)
    );
    assert_eq!(
        import(Some(&answer), &in_datacenter, &DC, &NONE)
            .unwrap_err()
            .word(),
        "OwnerDoesNotExist"
    );
    let skipping = ImportRequest {
        skip_owner_check: true,
        ..in_datacenter
    };
    assert_eq!(
        import(Some(&answer), &skipping, &DC, &NONE).unwrap().owner(),
        id(LUKE)
    );
}

#[test]
fn a_manifest_of_version_1_is_imported_with_and_without_the_check_of_owners() {
    let old = json!({
        "uuid": I1, "creator_uuid": LUKE, "vendor_uuid": LUKE, "creator_name": "luke", "cloud_name": "sdc", "urn": "sdc:luke:a:1",
        "platform_type": "smartos", "created_at": "2012-10-11T14:40Z", "updated_at": "2012-10-11T14:40:00Z", "name": "a",
        "version": "1", "type": "zvol", "os": "linux", "image_size": "16384", "cpu_type": "qemu64", "nic_driver": "virtio",
        "disk_driver": "virtio", "files": [{"path": "a.zfs.bz2", "sha1": "x", "size": 4, "url": "http://x/y"}],
    });
    let request = ImportRequest {
        uuid: id(I1),
        account: None,
        channel: None,
        skip_owner_check: true,
        admin: None,
        existing_state: None,
        from: Import::Body,
    };
    for skip_owner_check in [true, false] {
        let request = ImportRequest {
            skip_owner_check,
            ..request
        };
        let record = import(Some(&old), &request, &DC, &ALL).unwrap();
        let form = form(&record, DC.mode);
        assert_eq!(
            (form["v"].clone(), form["image_size"].clone()),
            (json!(2), json!(16384))
        );
        assert_eq!(
            (form["owner"].clone(), form["disk_driver"].clone()),
            (json!(LUKE), json!("virtio"))
        );
        assert!(form.get("created_at").is_none() && record.is_public());
    }
}

#[test]
fn updates_change_what_may_be_changed() {
    let base = created(json!({"tags": {"a": 1}, "description": "x"}), &PUBLIC).unwrap();
    let apply = |body: Value| update(&base, Some(&body), None, &PUBLIC, &ALL);
    let record = apply(json!({"tags": null, "description": null, "os": "bsd"}))
        .unwrap()
        .record;
    let shown = form(&record, PUBLIC.mode);
    assert!(shown.get("tags").is_none() && shown.get("description").is_none() && shown["os"] == json!("bsd"));
    assert_eq!(record.search_tags().count(), 0);
    let error = apply(json!({"nic_driver": "virtio"})).unwrap_err();
    assert!(
        problems(&error)[0].contains("cannot have a value when image type is zvol"),
        "{error}"
    );
    assert_eq!(
        apply(json!({"public": false})).unwrap_err().message(),
        "invalid image data: public"
    );
    // Another name: not one that is taken.
    assert_eq!(apply(json!({"uuid": SDC})).unwrap_err().status(), 409);
    let renamed = update(&base, Some(&json!({"uuid": SDC})), None, &PUBLIC, &NONE).unwrap();
    assert_eq!(
        (renamed.record.uuid(), renamed.renamed_from),
        (id(SDC), Some(id(I1)))
    );
    let error = update(&base, Some(&json!({"owner": LUKE})), None, &DC, &NONE).unwrap_err();
    assert_eq!(error.word(), "OwnerDoesNotExist");
}

#[test]
fn a_placeholder_keeps_the_place_until_its_time_is_over() {
    let now = dates::parse("2026-11-22T12:00:00Z").unwrap();
    let body = json!({"name": "a", "version": "1", "tags": {"a": "b"}, "requirements": 1});
    let day = Duration::from_secs(86_400);
    let record = placeholder(Some(&body), id(I1), Some(id(LUKE)), None, now, day, &DC).unwrap();
    let shown = form(&record, DC.mode);
    assert_eq!(
        (shown["state"].clone(), shown.get("type"), shown.get("os")),
        (json!("creating"), None, None)
    );
    assert!(!record.is_expired(now + day - Duration::from_millis(1)) && record.is_expired(now + day));
    assert!(Record::load(record.to_stored().as_bytes(), id(I1), &DC).is_ok());
    // However many days somebody configures.
    assert!(placeholder(Some(&body), id(I1), None, None, now, Duration::MAX, &DC).is_ok());
    let failed = record.with_failure("PrepareImageDidNotRun", &"x".repeat(30_000));
    assert_eq!(to_text(&form(&failed, DC.mode)["error"]["message"]).len(), 20_000);
    assert!(failed.is_expired(now + day) && Record::load(failed.to_stored().as_bytes(), id(I1), &DC).is_ok());
}

#[test]
fn a_manifest_that_grows_without_end_is_refused() {
    let networks: Vec<Value> = (0..50_000)
        .map(|_| json!({"name": "x".repeat(50), "description": "y".repeat(50)}))
        .collect();
    let error = created(json!({"requirements": {"networks": networks}}), &PUBLIC).unwrap_err();
    assert!(
        error.status() == 422 && error.message().starts_with("manifest is too big"),
        "{error}"
    );
    let mut record = created(json!({}), &PUBLIC).unwrap();
    let mut accounts = 0_u32;
    let error = loop {
        let more: Value = (0..50_000)
            .map(|n| format!("{:08x}-0000-4000-8000-000000000000", accounts + n))
            .collect();
        accounts += 50_000;
        match record.with_acl(None, Some(&more)) {
            Ok(longer) => record = longer,
            Err(error) => break error,
        }
    };
    assert!(
        accounts > 100_000 && error.message().starts_with("manifest is too big"),
        "{error}"
    );
}

#[test]
fn an_activated_image_never_expires() {
    let record = load(&stored(json!({"expires_at": "2012-01-01T00:00:00.000Z"})), &DC).unwrap();
    assert!(!record.is_expired(SystemTime::now()));
}

#[test]
fn a_copy_for_an_account_is_its_own() {
    let record = load(&stored(json!({})), &DC).unwrap();
    let now = dates::parse("2026-11-22T12:00:00Z").unwrap();
    let copy = clone_of(&record, id(SDC), id(LUKE), Some(id(EMPEROR)), false, now);
    assert_eq!(
        (copy.uuid(), copy.owner(), copy.origin()),
        (id(SDC), id(LUKE), Some(id(EMPEROR)))
    );
    assert_eq!((copy.state(), copy.acl().count()), ("disabled", 0));
    assert_eq!(copy.text("published_at"), "2026-11-22T12:00:00.000Z");
    assert!(Record::load(copy.to_stored().as_bytes(), id(SDC), &DC).is_ok());
}

#[test]
fn deletion_takes_an_image_out_of_one_channel_as_long_as_it_is_in_others() {
    let record = created(json!({}), &CHANNELS)
        .unwrap()
        .with_channel("release")
        .with_channel("release");
    assert_eq!(record.channels().collect::<Vec<_>>(), ["dev", "release"]);
    let scope = Scope::One("dev".to_owned());
    match Channels::deletion(&record, &scope, false) {
        Deletion::OfOneChannel(record) => assert_eq!(record.channels().collect::<Vec<_>>(), ["release"]),
        Deletion::OfAll => panic!("all of it went"),
    }
    assert!(matches!(
        Channels::deletion(&record, &scope, true),
        Deletion::OfAll
    ));
    assert!(matches!(
        Channels::deletion(&record.without_channel("release"), &scope, false),
        Deletion::OfAll
    ));
}
