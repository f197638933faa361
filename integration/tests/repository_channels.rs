//! Channels and versions of the interface: what the original's own tests ask of a public repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use anyhow::Result;
use integration::http_talk::Reply;
use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{Calls, expect, manifest, refused};
use integration::repository_images::{
    IN_ALL, IN_DEV, IN_NO_CHANNEL, IN_STAGING, LUKE, put_channel_images, with_channels,
};
use serde_json::{Value, json};

fn start() -> (Repository, Imgapi) {
    let repository = Repository::new(with_channels()).unwrap();
    put_channel_images(repository.base()).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

fn count(list: &[String], uuid: &str) -> usize {
    list.iter().filter(|other| *other == uuid).count()
}

/// An unknown channel, wherever it is asked for.
fn unknown_channel(reply: Reply) {
    let field = reply.json().unwrap()["errors"][0]["field"].clone();
    refused(reply, 422, "ValidationFailed").unwrap();
    assert_eq!(field, "channel");
}

fn not_found(reply: Reply) {
    refused(reply, 404, "ResourceNotFound").unwrap();
}

#[test]
fn channels_are_shown_to_clients_of_the_second_version_only() {
    let (_repository, daemon) = start();
    let shown = |version| -> Result<Value> {
        let mut calls = Calls::of_version(&daemon, version)?;
        Ok(expect(calls.get(&format!("/images/{IN_DEV}"))?, 200)?.json()?["channels"].clone())
    };
    assert_eq!(shown(Some("*")).unwrap(), json!(["dev"]));
    assert_eq!(shown(Some("~2")).unwrap(), json!(["dev"]));
    assert_eq!(shown(None).unwrap(), Value::Null);
    assert_eq!(shown(Some("~1")).unwrap(), Value::Null);
    let mut calls = Calls::of_version(&daemon, Some("~99")).unwrap();
    refused(
        calls.get(&format!("/images/{IN_DEV}")).unwrap(),
        400,
        "InvalidVersion",
    )
    .unwrap();
}

#[test]
fn reads_see_the_images_of_their_channel() {
    let (_repository, daemon) = start();
    let mut calls = Calls::to(&daemon).unwrap();
    let channels = calls.get("/channels").unwrap().json().unwrap();
    assert_eq!(channels.as_array().unwrap().len(), 3);
    let default: Vec<&Value> = channels
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["default"] == true)
        .collect();
    assert_eq!((default.len(), &default[0]["name"]), (1, &json!("dev")));

    for (query, in_dev, in_staging) in [
        ("", 1, 0),
        ("?channel=dev", 1, 0),
        ("?channel=staging", 0, 1),
        ("?channel=*", 1, 1),
    ] {
        let list = calls.list(query).unwrap();
        let counts = (
            count(&list, IN_NO_CHANNEL),
            count(&list, IN_DEV),
            count(&list, IN_STAGING),
        );
        assert_eq!(counts, (0, in_dev, in_staging), "{query}");
    }
    unknown_channel(calls.get("/images?channel=bogus").unwrap());

    for (query, seen) in [
        ("", IN_DEV),
        ("?channel=dev", IN_DEV),
        ("?channel=staging", IN_STAGING),
    ] {
        for uuid in [IN_NO_CHANNEL, IN_DEV, IN_STAGING] {
            let image = calls.get(&format!("/images/{uuid}{query}")).unwrap();
            let file = calls.get(&format!("/images/{uuid}/file{query}")).unwrap();
            let icon = calls.get(&format!("/images/{uuid}/icon{query}")).unwrap();
            if uuid != seen {
                [image, file, icon].into_iter().for_each(not_found);
                continue;
            }
            assert_eq!(expect(image, 200).unwrap().json().unwrap()["uuid"], uuid);
            // There is a byte more on the disk than the record says.
            let file = expect(file, 200).unwrap();
            assert_eq!(
                (&file.body[..], file.header("content-md5")),
                (&b"file"[..], Some("jH3ZIq1HSU/ALDiOEsAOrA=="))
            );
            let icon = expect(icon, 200).unwrap();
            assert_eq!(
                (&icon.body[..], icon.header("content-md5")),
                (&b"icon"[..], Some("uuxkYbDWnd4bhhrvvjddig=="))
            );
        }
    }
    for part in ["", "/file", "/icon"] {
        unknown_channel(
            calls
                .get(&format!("/images/{IN_DEV}{part}?channel=bogus"))
                .unwrap(),
        );
    }
}

#[test]
fn changes_are_made_to_the_images_of_their_channel() {
    let (_repository, daemon) = start();
    let mut calls = Calls::to(&daemon).unwrap();
    let staging = |uuid: &str, rest: &str| format!("/images/{uuid}{rest}channel=staging");

    let tags = json!({"tags": {"foo": "bar"}});
    let updated = calls
        .post_json(&staging(IN_STAGING, "?action=update&"), &tags)
        .unwrap();
    let updated = expect(updated, 200).unwrap().json().unwrap();
    assert_eq!(
        (&updated["channels"], &updated["tags"]["foo"]),
        (&json!(["staging"]), &json!("bar"))
    );
    not_found(
        calls
            .post_json(&staging(IN_DEV, "?action=update&"), &tags)
            .unwrap(),
    );
    unknown_channel(
        calls
            .post_json(&format!("/images/{IN_DEV}?action=update&channel=*"), &tags)
            .unwrap(),
    );

    let created = calls
        .post_json("/images", &manifest(&json!({})))
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (&created["channels"], &created["state"]),
        (&json!(["dev"]), &json!("unactivated"))
    );
    let created = calls
        .post_json(
            "/images?channel=release",
            &manifest(&json!({"channels": ["dev"]})),
        )
        .unwrap();
    assert_eq!(
        expect(created, 200).unwrap().json().unwrap()["channels"],
        json!(["release"])
    );

    for action in ["add", "remove"] {
        let acl = format!("/acl?action={action}&");
        expect(
            calls
                .post_json(&staging(IN_STAGING, &acl), &json!([LUKE]))
                .unwrap(),
            200,
        )
        .unwrap();
        not_found(calls.post_json(&staging(IN_DEV, &acl), &json!([LUKE])).unwrap());
    }

    let add = "?action=channel-add&";
    let to = |channel: &str| json!({"channel": channel});
    unknown_channel(calls.post_json(&staging(IN_STAGING, add), &to("bogus")).unwrap());
    unknown_channel(calls.post_json(&staging(IN_STAGING, add), &json!({})).unwrap());
    unknown_channel(calls.post(&staging(IN_STAGING, add)).unwrap());
    not_found(calls.post_json(&staging(LUKE, add), &to("release")).unwrap());
    not_found(
        calls
            .post_json(&format!("/images/{IN_STAGING}{add}channel=dev"), &to("release"))
            .unwrap(),
    );
    // Once and again: who is in it stays in it.
    for _ in 0..2 {
        let added = calls
            .post_json(&staging(IN_STAGING, add), &to("release"))
            .unwrap();
        assert_eq!(
            expect(added, 200).unwrap().json().unwrap()["channels"],
            json!(["staging", "release"])
        );
    }
    assert_eq!(count(&calls.list("?channel=release").unwrap(), IN_STAGING), 1);
}

#[test]
fn an_image_goes_from_one_channel_or_from_all() {
    let (_repository, daemon) = start();
    let mut calls = Calls::to(&daemon).unwrap();
    let add = format!("/images/{IN_STAGING}?action=channel-add&channel=staging");
    expect(
        calls.post_json(&add, &json!({"channel": "release"})).unwrap(),
        200,
    )
    .unwrap();

    expect(
        calls
            .delete(&format!("/images/{IN_STAGING}?channel=release"))
            .unwrap(),
        204,
    )
    .unwrap();
    assert_eq!(count(&calls.list("?channel=release").unwrap(), IN_STAGING), 0);
    assert_eq!(count(&calls.list("?channel=staging").unwrap(), IN_STAGING), 1);

    let icon = calls
        .delete(&format!("/images/{IN_STAGING}/icon?channel=staging"))
        .unwrap();
    let icon = expect(icon, 200).unwrap().json().unwrap();
    assert_eq!(
        (&icon["channels"], &icon["icon"]),
        (&json!(["staging"]), &Value::Null)
    );
    not_found(
        calls
            .delete(&format!("/images/{IN_DEV}/icon?channel=staging"))
            .unwrap(),
    );

    expect(
        calls
            .delete(&format!("/images/{IN_STAGING}?channel=staging"))
            .unwrap(),
        204,
    )
    .unwrap();
    assert_eq!(count(&calls.list("?channel=*").unwrap(), IN_STAGING), 0);
    not_found(
        calls
            .delete(&format!("/images/{IN_DEV}?channel=staging"))
            .unwrap(),
    );
    let junk = calls
        .delete(&format!("/images/{IN_ALL}?force_all_channels=junk"))
        .unwrap();
    refused(junk, 422, "InvalidParameter").unwrap();
    expect(
        calls
            .delete(&format!("/images/{IN_ALL}?channel=dev&force_all_channels=true"))
            .unwrap(),
        204,
    )
    .unwrap();
    assert_eq!(count(&calls.list("?channel=*").unwrap(), IN_ALL), 0);
}

#[test]
fn an_image_that_others_of_the_channel_are_based_on_stays() {
    let (_repository, daemon) = start();
    let mut calls = Calls::to(&daemon).unwrap();
    let origin = calls.create("", &json!({})).unwrap();
    let child = calls.create("", &json!({"origin": origin})).unwrap();
    let message = refused(
        calls.delete(&format!("/images/{origin}")).unwrap(),
        422,
        "ImageHasDependentImages",
    )
    .unwrap();
    assert!(message.contains(&child), "{message}");
    expect(calls.delete(&format!("/images/{child}")).unwrap(), 204).unwrap();
    // A child that is only in another channel protects it as little as in the original.
    calls
        .create("?channel=release", &json!({"origin": origin}))
        .unwrap();
    expect(calls.delete(&format!("/images/{origin}")).unwrap(), 204).unwrap();
}
