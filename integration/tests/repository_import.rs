//! Manifests that come with their names: what the original's own tests ask of imports into a datacenter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository_calls::{Calls, digests, expect, refused};
use integration::repository_images::{ADMIN, BASE, LUKE, NIL, VADER, start_datacenter};
use serde_json::{Value, json};

/// In no table of users.
const STRANGER: &str = "33333333-3333-4333-8333-333333333333";

/// A manifest of the second version, and the same of the first, as existing repositories hand them out.
fn manifests() -> [Value; 2] {
    let uuid = "1fc068b0-13b0-11e2-9f4e-2f3f6a96d9bc";
    let common = json!({
        "uuid": uuid, "name": "fauxnodejs", "version": "1.4.0", "os": "smartos", "type": "zone-dataset",
        "published_at": "2012-10-11T14:40:57.936Z", "description": "fake", "generate_passwords": true,
        "requirements": {"networks": [{"name": "net0", "description": "public"}]},
        "users": [{"name": "root"}, {"name": "admin"}, {"name": "node"}], "inherited_directories": ["/opt/local"],
    });
    let mut second = common.clone();
    for (key, value) in [("v", json!(2)), ("owner", LUKE.into()), ("public", true.into())] {
        second[key] = value;
    }
    second["billing_tags"] = json!(["xxllpromo"]);
    second["files"] =
        json!([{"sha1": "524ad6f77329e4661701b602aa412fee18fdd764", "size": 67, "compression": "bzip2"}]);
    let mut first = common;
    for (key, value) in [
        ("creator_uuid", LUKE),
        ("vendor_uuid", LUKE),
        ("creator_name", "luke"),
        ("cloud_name", "sdc"),
        ("urn", "sdc:luke:fauxnodejs:1.4.0"),
        ("platform_type", "smartos"),
        ("created_at", "2012-10-11T14:40:57.936Z"),
        ("updated_at", "2012-10-11T14:40:57.936Z"),
    ] {
        first[key] = value.into();
    }
    first["files"] =
        json!([{"path": "x.zfs.bz2", "sha1": "x", "size": 67, "url": "http://example.com/x.zfs.bz2"}]);
    [second, first]
}

#[test]
fn manifests_of_both_versions_are_imported_as_they_are() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    for (manifest, query) in manifests().into_iter().zip(["", "&skip_owner_check=true"]) {
        let uuid = manifest["uuid"].as_str().unwrap().to_owned();
        let imported = calls
            .post_json(&format!("/images/{uuid}?action=import{query}"), &manifest)
            .unwrap();
        let imported = expect(imported, 200).unwrap().json().unwrap();
        for field in ["uuid", "published_at", "inherited_directories", "users"] {
            assert_eq!(imported[field], manifest[field], "{field}");
        }
        assert_eq!(
            (&imported["state"], &imported["owner"]),
            (&json!("unactivated"), &json!(LUKE))
        );
        assert_eq!(imported["billing_tags"], manifest["billing_tags"]);
        assert_eq!(imported["created_at"], Value::Null);

        let content = b"the file of an imported image";
        let wanted = digests(content);
        let url = format!("/images/{uuid}/file?compression=bzip2&sha1={}", wanted.sha1);
        let image = expect(calls.put(&url, &[], content).unwrap(), 200)
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(
            (&image["files"][0]["sha1"], &image["files"][0]["size"]),
            (&json!(wanted.sha1), &json!(content.len()))
        );
        let active = expect(calls.activate(&uuid).unwrap(), 200).unwrap();
        let image = active.json().unwrap();
        assert_eq!(
            (&image["state"], &image["published_at"]),
            (&json!("active"), &manifest["published_at"])
        );
        assert_eq!(
            calls
                .get(&format!("/images/{uuid}?account={VADER}"))
                .unwrap()
                .body,
            active.body
        );
        let file = calls
            .get(&format!("/images/{uuid}/file?account={VADER}"))
            .unwrap();
        assert_eq!(
            (&file.body[..], file.header("content-md5")),
            (&content[..], Some(&wanted.md5[..]))
        );
        // What was answered can be imported again, icon and all, once it is gone.
        expect(
            calls
                .put(
                    &format!("/images/{uuid}/icon"),
                    &[("content-type", "image/png")],
                    b"i",
                )
                .unwrap(),
            200,
        )
        .unwrap();
        let answered = calls.get(&format!("/images/{uuid}")).unwrap().json().unwrap();
        expect(calls.delete(&format!("/images/{uuid}")).unwrap(), 204).unwrap();
        expect(
            calls
                .post_json(&format!("/images/{uuid}?action=import"), &answered)
                .unwrap(),
            200,
        )
        .unwrap();
        expect(calls.delete(&format!("/images/{uuid}")).unwrap(), 204).unwrap();
    }
}

#[test]
fn an_import_that_must_not_be_is_refused() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let [manifest, _] = manifests();
    let uuid = manifest["uuid"].as_str().unwrap().to_owned();
    let mut import = |uuid: &str, query: &str, body: &Value| {
        calls
            .post_json(&format!("/images/{uuid}?action=import{query}"), body)
            .unwrap()
    };
    refused(
        import(&uuid, &format!("&account={LUKE}"), &manifest),
        403,
        "OperatorOnly",
    )
    .unwrap();
    let other = import(STRANGER, "", &manifest);
    assert_eq!(other.json().unwrap()["errors"][0]["field"], "uuid");
    refused(other, 422, "InvalidParameter").unwrap();
    let mut existing = manifest.clone();
    existing["uuid"] = BASE.into();
    refused(import(BASE, "", &existing), 409, "ImageUuidAlreadyExists").unwrap();
    refused(import("3dae5131", "", &manifest), 404, "ResourceNotFound").unwrap();
    refused(
        import(&uuid, "&skip_owner_check=maybe", &manifest),
        422,
        "InvalidParameter",
    )
    .unwrap();
    let mut orphan = manifest.clone();
    orphan["origin"] = STRANGER.into();
    refused(import(&uuid, "", &orphan), 422, "OriginDoesNotExist").unwrap();
    let mut strange = manifest.clone();
    strange["owner"] = STRANGER.into();
    refused(import(&uuid, "", &strange), 422, "OwnerDoesNotExist").unwrap();
    // Nobody's image is the administrator's.
    let mut nobodys = manifest.clone();
    nobodys["owner"] = NIL.into();
    let taken = expect(import(&uuid, "", &nobodys), 200).unwrap().json().unwrap();
    assert_eq!(taken["owner"], ADMIN);
}

#[test]
fn an_image_of_a_machine_s_disk_keeps_what_only_such_have() {
    let (_repository, daemon) = start_datacenter().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = "583287ae-366b-11e2-aea4-bf6c552eb39b";
    let manifest = json!({
        "uuid": uuid, "name": "fauxubuntu", "version": "1.0.0", "os": "linux", "type": "zvol", "creator_uuid": STRANGER,
        "vendor_uuid": STRANGER, "created_at": "2012-11-24T16:27:16.512Z", "published_at": "2012-11-24T16:27:16.512Z",
        "image_size": "16384", "cpu_type": "qemu64", "nic_driver": "virtio", "disk_driver": "virtio", "files": [],
    });
    let import = format!("/images/{uuid}?action=import");
    refused(
        calls.post_json(&import, &manifest).unwrap(),
        422,
        "OwnerDoesNotExist",
    )
    .unwrap();
    let imported = calls
        .post_json(&format!("{import}&skip_owner_check=true"), &manifest)
        .unwrap();
    let imported = expect(imported, 200).unwrap().json().unwrap();
    assert_eq!(
        (&imported["image_size"], &imported["disk_driver"]),
        (&json!(16384), &json!("virtio"))
    );
    assert_eq!(imported["created_at"], Value::Null);
}
