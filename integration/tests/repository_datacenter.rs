//! Images of accounts in a datacenter: what the original's own tests ask of it, and what it does to images there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository_calls::{Calls, digests, expect, manifest, refused};
use integration::repository_images::{
    ADMIN, BASE, BASE_2, DARK_SIDE, EMPEROR, FATHER, JOIN_US, JUNK, LUKE, NODEJS, SDC, VADER,
    start_datacenter,
};
use serde_json::{Value, json};

/// In no table of users.
const STRANGER: &str = "33333333-3333-4333-8333-333333333333";

/// `(all of these are there, none of those is)`
fn holds(list: &[String], there: &[&str], absent: &[&str]) {
    for uuid in there {
        assert!(
            list.iter().any(|other| other == uuid),
            "{uuid} is not in {list:?}"
        );
    }
    for uuid in absent {
        assert!(list.iter().all(|other| other != uuid), "{uuid} is in {list:?}");
    }
}

fn same(list: Vec<String>, wanted: &[&str]) {
    let (mut list, mut wanted) = (list, wanted.to_vec());
    list.sort();
    wanted.sort_unstable();
    assert_eq!(list, wanted);
}

#[test]
fn an_image_lives_from_its_manifest_to_its_deletion() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    refused(
        calls.get(&format!("/images/{STRANGER}")).unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    let listed = calls.get("/images?inclAdminFields=true").unwrap().json().unwrap();
    assert_eq!(listed[0]["files"][0]["stor"], "local");

    let fields = json!({
        "name": "my-test_image 1.0", "version": "1.0.0", "owner": null, "public": false,
        "description": "a test", "homepage": "http://example.com", "eula": "https://example.com/eula",
        "requirements": {"min_platform": {"7.0": "20120901T113025Z"}, "brand": "joyent-minimal"},
        "traits": {"ssd": true}, "billing_tags": ["promo"], "tags": {"key": "value"},
    });
    let mut body = manifest(&fields);
    body.as_object_mut().unwrap().remove("owner");
    let created = calls
        .post_json(&format!("/images?account={LUKE}"), &body)
        .unwrap();
    let created = expect(created, 200).unwrap().json().unwrap();
    assert_eq!(
        (&created["owner"], &created["state"]),
        (&json!(LUKE), &json!("unactivated"))
    );
    let uuid = created["uuid"].as_str().unwrap().to_owned();
    let of = |account: &str, rest: &str| format!("/images/{uuid}{rest}account={account}");

    let junk = digests(JUNK);
    let url = of(
        LUKE,
        &format!(
            "/file?compression=bzip2&sha1={}&dataset_guid=13857995662640213637&",
            junk.sha1
        ),
    );
    let image = expect(calls.put(&url, &[], JUNK).unwrap(), 200)
        .unwrap()
        .json()
        .unwrap();
    let file = &image["files"][0];
    assert_eq!(
        (image["files"].as_array().unwrap().len(), &file["size"]),
        (1, &json!(22))
    );
    assert_eq!(
        (&file["sha1"], &file["dataset_guid"]),
        (&json!(junk.sha1), &json!("13857995662640213637"))
    );

    let change = |calls: &mut Calls, action: &str| {
        let changed = calls.post(&of(LUKE, &format!("?action={action}&"))).unwrap();
        let image = expect(changed, 200).unwrap().json().unwrap();
        (image["disabled"].clone(), image["state"].clone())
    };
    assert_eq!(change(&mut calls, "activate"), (json!(false), json!("active")));
    assert_eq!(change(&mut calls, "disable"), (json!(true), json!("disabled")));
    let seen = calls.get(&of(LUKE, "?")).unwrap().json().unwrap();
    assert_eq!(seen["tags"]["key"], "value");
    assert_eq!(change(&mut calls, "enable"), (json!(false), json!("active")));

    let tags = json!({"astring": "text", "anumber": 42, "yes": true, "no": false});
    let changes = json!({"version": "2.0.0", "description": "another", "public": true, "tags": tags});
    let updated = expect(
        calls.post_json(&of(LUKE, "?action=update&"), &changes).unwrap(),
        200,
    )
    .unwrap();
    let etag = updated.header("etag").unwrap().to_owned();
    let image = updated.json().unwrap();
    assert_eq!(
        (&image["version"], &image["description"], &image["tags"]),
        (&json!("2.0.0"), &json!("another"), &tags)
    );

    let json_type = ("content-type", "application/json");
    let mut if_match = |etag: &str| {
        let body = json!({"version": "3.0.0"}).to_string();
        calls
            .ask(
                "POST",
                &of(LUKE, "?action=update&"),
                &[json_type, ("if-match", etag)],
                body.as_bytes(),
            )
            .unwrap()
    };
    refused(if_match("abcdef"), 412, "PreconditionFailed").unwrap();
    assert_eq!(
        expect(if_match(&etag), 200).unwrap().json().unwrap()["version"],
        "3.0.0"
    );

    let acl = |calls: &mut Calls, action: &str| {
        let changed = calls
            .post_json(&of(LUKE, &format!("/acl?action={action}&")), &json!([LUKE]))
            .unwrap();
        expect(changed, 200).unwrap().json().unwrap()["acl"].clone()
    };
    assert_eq!(acl(&mut calls, "add"), json!([LUKE]));
    assert_eq!(acl(&mut calls, "remove"), Value::Null);

    let icon = b"any bytes that call themselves a picture";
    let icon_digests = digests(icon);
    let url = of(LUKE, &format!("/icon?sha1={}&", icon_digests.sha1));
    let with_icon = expect(
        calls.put(&url, &[("content-type", "image/jpeg")], icon).unwrap(),
        200,
    )
    .unwrap();
    assert_eq!(with_icon.json().unwrap()["icon"], true);

    // The same text to everybody who sees it, byte for byte.
    assert_eq!(calls.get(&of(VADER, "?")).unwrap().body, with_icon.body);
    let admin = calls
        .get(&of(VADER, "?inclAdminFields=true&"))
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(admin["files"][0]["stor"], "local");
    let file = calls.get(&of(VADER, "/file?")).unwrap();
    assert_eq!(
        (&file.body[..], file.header("content-md5")),
        (JUNK, Some(&junk.md5[..]))
    );
    let fetched = calls.get(&of(VADER, "/icon?")).unwrap();
    assert_eq!(
        (&fetched.body[..], fetched.header("content-md5")),
        (&icon[..], Some(&icon_digests.md5[..]))
    );
    assert_eq!(fetched.header("content-type"), Some("image/jpeg"));

    refused(calls.delete(&of(VADER, "/icon?")).unwrap(), 422, "NotImageOwner").unwrap();
    let without = expect(calls.delete(&of(LUKE, "/icon?")).unwrap(), 200).unwrap();
    assert_eq!(without.json().unwrap()["icon"], Value::Null);
    refused(
        calls.delete(&of(LUKE, "/icon?")).unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();

    let failed = json!({"state": "failed", "error": {"message": "this is the error message"}});
    let failed = calls
        .post_json(&format!("/images/{uuid}?action=update"), &failed)
        .unwrap();
    let failed = expect(failed, 200).unwrap().json().unwrap();
    assert_eq!(
        (&failed["state"], &failed["error"]["message"]),
        (&json!("failed"), &json!("this is the error message"))
    );
    let export = of(LUKE, "?action=export&manta_path=/imgapitestluke/stor&");
    refused(calls.post(&export).unwrap(), 503, "StorageUnsupported").unwrap();

    expect(calls.delete(&of(LUKE, "?")).unwrap(), 204).unwrap();
    refused(calls.get(&of(LUKE, "?")).unwrap(), 404, "ResourceNotFound").unwrap();
}

#[test]
fn accounts_see_what_is_theirs_public_or_shared_with_them() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let mut list = |query: String| calls.list(&query).unwrap();
    holds(&list(format!("?account={VADER}")), &[FATHER, BASE], &[]);
    holds(
        &list(format!("?account={VADER}&state=all")),
        &[FATHER, DARK_SIDE, JOIN_US, BASE],
        &[],
    );
    same(list(format!("?account={VADER}&state=disabled")), &[DARK_SIDE]);
    same(list(format!("?account={VADER}&state=unactivated")), &[JOIN_US]);
    same(
        list(format!("?account={VADER}&state=all&public=false")),
        &[FATHER, DARK_SIDE, JOIN_US],
    );
    holds(
        &list(format!("?account={VADER}&state=all&public=true")),
        &[],
        &[FATHER, DARK_SIDE, JOIN_US],
    );
    holds(
        &list(format!("?account={LUKE}")),
        &[FATHER, BASE],
        &[DARK_SIDE, JOIN_US],
    );
    assert!(!list(format!("?account={LUKE}&type=zone-dataset")).is_empty());
    assert!(!list(format!("?account={LUKE}&os=smartos")).is_empty());
    same(list(format!("?account={LUKE}&type=bogus")), &[]);
    same(list(format!("?account={LUKE}&os=bogus")), &[]);
    same(list(format!("?account={LUKE}&name=i-am-your-father")), &[FATHER]);
    same(list(format!("?account={LUKE}&name=~father")), &[FATHER]);
    same(
        list(format!("?account={VADER}&owner={VADER}&state=all")),
        &[FATHER, DARK_SIDE, JOIN_US],
    );
    same(list(format!("?account={LUKE}&owner={VADER}")), &[FATHER]);
    holds(&list(format!("?account={LUKE}&owner={SDC}")), &[BASE], &[FATHER]);

    let all = [BASE, NODEJS, BASE_2, FATHER, DARK_SIDE, JOIN_US];
    for (account, seen) in [
        (SDC, &[BASE, NODEJS, BASE_2][..]),
        (VADER, &[BASE, NODEJS, FATHER, DARK_SIDE, JOIN_US]),
        (LUKE, &[BASE, NODEJS, FATHER, DARK_SIDE]),
        (EMPEROR, &[BASE, NODEJS]),
    ] {
        let list = calls.list(&format!("?account={account}&state=all")).unwrap();
        same(list, seen);
        for uuid in all {
            let status = calls
                .get(&format!("/images/{uuid}?account={account}"))
                .unwrap()
                .status;
            assert_eq!(
                status,
                if seen.contains(&uuid) { 200 } else { 404 },
                "{account} {uuid}"
            );
        }
    }
}

#[test]
fn an_account_that_an_image_is_shared_with_may_have_a_copy() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let mut clone = |uuid: &str, query: &str| calls.post(&format!("/images/{uuid}/clone{query}")).unwrap();
    refused(clone(FATHER, ""), 422, "InvalidParameter").unwrap();
    refused(
        clone(FATHER, &format!("?account={STRANGER}")),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    for (uuid, account) in [(BASE, STRANGER), (FATHER, VADER)] {
        let message = refused(clone(uuid, &format!("?account={account}")), 422, "ImageNotShared").unwrap();
        assert_eq!(
            message,
            format!("Image {uuid} is not shared with account {account}")
        );
    }
    refused(
        clone(JOIN_US, &format!("?account={EMPEROR}")),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    let mut copies = Vec::new();
    for _ in 0..2 {
        let copy = expect(clone(FATHER, &format!("?account={LUKE}")), 200).unwrap();
        assert_eq!(copy.header("etag"), None);
        let copy = copy.json().unwrap();
        assert_eq!(
            (&copy["owner"], &copy["state"], &copy["acl"]),
            (&json!(LUKE), &json!("active"), &Value::Null)
        );
        copies.push(copy["uuid"].as_str().unwrap().to_owned());
    }
    assert!(copies[0] != copies[1] && !copies.contains(&FATHER.to_owned()));
    refused(
        clone(&copies[0], &format!("?account={LUKE}")),
        422,
        "ImageNotShared",
    )
    .unwrap();
    // The copies have the file, also when what they were made of is gone.
    expect(calls.delete(&format!("/images/{FATHER}")).unwrap(), 204).unwrap();
    for copy in &copies {
        let file = calls.get(&format!("/images/{copy}/file?account={LUKE}")).unwrap();
        assert_eq!((file.status, &file.body[..]), (200, &b"file\n"[..]));
        expect(
            calls.delete(&format!("/images/{copy}?account={LUKE}")).unwrap(),
            204,
        )
        .unwrap();
    }
}

#[test]
fn a_copy_takes_its_origins_along_up_to_the_administrator_s() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let mut make = |owner: &str, origin: Option<&str>, content: &[u8]| {
        let mut fields = json!({"owner": owner, "public": false, "acl": [LUKE]});
        if let Some(origin) = origin {
            fields["origin"] = origin.into();
        }
        let uuid = calls.create("", &fields).unwrap();
        expect(calls.add_file(&uuid, content).unwrap(), 200).unwrap();
        expect(calls.activate(&uuid).unwrap(), 200).unwrap();
        uuid
    };
    let base = make(ADMIN, None, b"base");
    let middle = make(VADER, Some(&base), b"middle");
    let top = make(VADER, Some(&middle), b"top");
    let copy = calls
        .post(&format!("/images/{top}/clone?account={LUKE}"))
        .unwrap();
    let copy = expect(copy, 200).unwrap().json().unwrap();
    let origin = copy["origin"].as_str().unwrap().to_owned();
    assert!(origin != middle && copy["disabled"] == false);
    let below = calls.get(&format!("/images/{origin}")).unwrap().json().unwrap();
    assert_eq!(
        (&below["origin"], &below["owner"], &below["state"]),
        (&json!(base), &json!(LUKE), &json!("disabled"))
    );
    let file = calls.get(&format!("/images/{origin}/file")).unwrap();
    assert_eq!(file.body, b"middle");
}
