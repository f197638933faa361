//! What was done while conversations were recorded without being recorded, and where answers are others on purpose. The test of
//! the daemon uses it, too.

use repository::Uuid;
use repository::json::{self, Value};
use serde_json::json;

pub const OWNER: &str = "00000000-0000-0000-0000-000000000000";
pub const ADMIN: &str = "930896af-bf8c-48d4-885c-6573a94b1853";
pub const VADER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
pub const LUKE: &str = "91ba0e64-2547-11e2-a972-df579e5fddb3";
pub const EMPEROR: &str = "a0b6b534-2547-11e2-b758-63a2afd747d1";
pub const SDC: &str = "ba28f844-8cb4-f141-882d-46d6251e6a9f";

/// Requests whose answer is another on purpose, by a part of their name, with the row of the specification.
pub const DELIBERATE: &[(&str, &str)] = &[
    (
        "err-Create-bad-public",
        "§5.4 public: any clear text in place of a JavaScript error",
    ),
    (
        "err-Create-bad-disabled",
        "§5.4 booleans: ValidationFailed in place of 500",
    ),
    (
        "err-Create-bad-generate_passwords",
        "§5.4 booleans: ValidationFailed in place of 500",
    ),
    ("Create-homepage-number", "observations §1: 422 in place of 500"),
    ("Create-requirements-null", "observations §1: 422 in place of 500"),
    ("ListImages-badlimit", "§21: the limit error names limit"),
    ("List_limit=-1", "§11.1: a negative limit is refused"),
    (
        "List_tag.role=",
        "§11.1: an empty value means that the tag is there",
    ),
    (
        "List_sort=published_at",
        "§11.3: sorted first, then cut; images of one date are in an order, too",
    ),
    ("Order_name=o_limit", "§11.3: sorted first, then cut"),
    (
        "GetImageFile-ifnonematch",
        "§3.3: the file's own tag matches, too",
    ),
    ("Icon-get-304", "§3.3: the icon's own tag matches, too"),
    (
        "AdminImportImage-v1-delete",
        "observations §14: the original died of the import before it",
    ),
    ("Update-tags-null2", "§10.3: tags are cleared"),
    ("datasets-urn", "§17: redirects to a path there is"),
    (
        "Op-list-default-after-failed",
        "§21: failed images are not active",
    ),
    ("notshared", "§21: the two ids in their places"),
    ("CloneImage", "§21: the two ids in their places"),
];

/// Asks what was not recorded: method, URL, body; the small file where there is none.
pub type Asks<'a> = &'a mut dyn FnMut(&str, &str, Option<Vec<u8>>);

/// A list whose order is not told by the original: by date and name.
pub fn by_date_and_name(body: &str) -> String {
    let mut images = json::parse(body.as_bytes()).unwrap();
    let key = |image: &Value| {
        ["published_at", "uuid"].map(|name| image.get(name).and_then(Value::as_str).map(str::to_owned))
    };
    images.as_array_mut().unwrap().sort_by_key(key);
    json::pretty(&images, 2)
}

pub fn listed(index: u32) -> Uuid {
    Uuid::parse(&format!("aaaaaaa{index}-0000-4000-8000-00000000000{index}")).unwrap()
}

pub fn visible(index: u32) -> Uuid {
    Uuid::parse(&format!("ccccccc{index}-0000-4000-8000-00000000000{index}")).unwrap()
}

pub fn ordered(index: u32) -> Uuid {
    Uuid::parse(&format!("eeeeeee{index}-0000-4000-8000-00000000000{index}")).unwrap()
}

/// Imports an image, and goes on with it as far as is asked for: 0 imported, 1 activated, 2 disabled.
fn make(ask: Asks<'_>, uuid: Uuid, owner: &str, steps: u32, fields: Value) {
    let mut manifest = json!({
        "name": "golden-img", "version": "1.0.0", "type": "zone-dataset", "os": "smartos", "owner": owner,
        "public": true, "v": 2, "uuid": uuid.to_string(),
    });
    for (key, value) in fields.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    let import = json::compact(&manifest).into_bytes();
    ask("POST", &format!("/images/{uuid}?action=import"), Some(import));
    if steps > 0 {
        ask("PUT", &format!("/images/{uuid}/file?compression=bzip2"), None);
        ask(
            "POST",
            &format!("/images/{uuid}?action=activate"),
            Some(Vec::new()),
        );
    }
    if steps > 1 {
        ask(
            "POST",
            &format!("/images/{uuid}?action=disable"),
            Some(Vec::new()),
        );
    }
}

pub fn list_fixtures(ask: Asks<'_>, owner: &str) {
    let zvol = json!({
        "name": "beta-alpha", "version": "2.0.0", "published_at": "2020-01-03T00:00:00.000Z", "type": "zvol", "os": "linux",
        "nic_driver": "virtio", "disk_driver": "virtio", "cpu_type": "host", "image_size": 10240,
    });
    let images = [
        (
            1,
            json!({"name": "alpha", "version": "1.0.0", "published_at": "2020-01-01T00:00:00.000Z", "tags": {"role": "db", "n": 1}, "billing_tags": ["xl"]}),
        ),
        (
            1,
            json!({"name": "alpha", "version": "1.1.0", "published_at": "2020-01-02T00:00:00.000Z", "os": "linux", "type": "lx-dataset", "tags": {"role": "web", "o": {"a": 1}}, "billing_tags": ["xl", "xxl"]}),
        ),
        (1, zvol),
        (
            2,
            json!({"name": "gamma", "version": "3.0.0", "published_at": "2020-01-04T00:00:00.000Z"}),
        ),
        (
            0,
            json!({"name": "delta", "version": "3.0.0", "published_at": "2020-01-05T00:00:00.000Z"}),
        ),
        (
            1,
            json!({"name": "eps", "version": "1.0.0", "published_at": "2020-01-03T00:00:00.000Z"}),
        ),
        (
            1,
            json!({"name": "zeta", "version": "1.0.0", "published_at": "2019-01-01T00:00:00Z", "acl": ["11111111-1111-4111-8111-111111111111"]}),
        ),
    ];
    for (index, (steps, fields)) in images.into_iter().enumerate() {
        make(ask, listed(index as u32), owner, steps, fields);
    }
}

pub fn visibility_fixtures(ask: Asks<'_>) {
    let images = [
        (
            SDC,
            1,
            json!({"name": "pub-act", "published_at": "2012-11-02T22:46:45.992Z"}),
        ),
        (
            SDC,
            2,
            json!({"name": "pub-dis", "published_at": "2012-11-03T22:46:45.992Z"}),
        ),
        (SDC, 0, json!({"name": "pub-unact"})),
        (
            VADER,
            1,
            json!({"name": "priv-act-acl-luke", "public": false, "acl": [LUKE], "published_at": "2012-11-04T22:46:45.992Z"}),
        ),
        (
            VADER,
            2,
            json!({"name": "priv-dis-acl-luke", "public": false, "acl": [LUKE], "published_at": "2012-11-05T22:46:45.992Z"}),
        ),
        (
            VADER,
            0,
            json!({"name": "priv-unact-acl-emp", "public": false, "acl": [EMPEROR]}),
        ),
        (
            VADER,
            1,
            json!({"name": "priv-act", "public": false, "published_at": "2012-11-06T22:46:45.992Z"}),
        ),
    ];
    for (index, (owner, steps, fields)) in images.into_iter().enumerate() {
        make(ask, visible(index as u32 + 1), owner, steps, fields);
    }
}

pub fn order_fixtures(ask: Asks<'_>) {
    let dates = [
        "2020-01-03T00:00:00Z",
        "2020-01-01T00:00:00Z",
        "2020-01-02T00:00:00Z",
    ];
    for (index, date) in dates.into_iter().enumerate() {
        let fields = json!({"name": format!("o{}", index + 1), "published_at": date});
        make(ask, ordered(index as u32 + 3), OWNER, 1, fields);
    }
}
