//! Manifests of a repository of images: new, imported, updated, stored.

use repository::Uuid;
use repository::catalogue::{Entry, write_one};
use repository::http::ApiVersion;
use repository::json::{self, Object, Value};
use repository::manifest::{
    Import, ImportRequest, Known, Mode, Record, Rules, View, create, entity_tag, import, public_form, update,
};
use serde_json::json;

use crate::input::Input;

const UUID: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";

/// Every owner and image is there.
struct All;

impl Known for All {
    fn has_owner(&self, _: Uuid) -> bool {
        true
    }

    fn has_image(&self, _: Uuid) -> bool {
        true
    }
}

/// What is done, then the body.
pub fn manifest(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    let rules = Rules {
        mode: [Mode::Public, Mode::Private, Mode::Datacenter][usize::from(choice % 3)],
        has_channels: choice & 0x40 != 0 && choice % 3 != 2,
    };
    let Ok(value) = json::parse(input.rest()) else {
        return;
    };
    let again = json::parse(json::compact(&value).as_bytes());
    assert_eq!(again.as_ref(), Ok(&value), "what is written is not what is read");
    let uuid = Uuid::parse(UUID).unwrap_or_default();
    let channel = rules.has_channels.then_some("dev");
    let made = match choice >> 2 & 3 {
        0 => create(Some(&value), None, channel, uuid, &rules, &All),
        1 => {
            let request = ImportRequest {
                uuid,
                account: None,
                channel,
                skip_owner_check: false,
                admin: None,
                existing_state: None,
                from: Import::Body,
            };
            import(Some(&value), &request, &rules, &All)
        }
        2 => update(&base(&rules), Some(&value), None, &rules, &All).map(|updated| updated.record),
        _ => match Record::load(json::compact(&value).as_bytes(), uuid, &rules) {
            Ok(record) => Ok(record),
            Err(_) => return,
        },
    };
    match made {
        Ok(record) => check(&record, &rules),
        Err(error) => {
            assert!(
                (400..500).contains(&error.status()),
                "{}: {error}",
                error.status()
            );
            assert!(json::parse(error.body().as_bytes()).is_ok());
        }
    }
}

/// An image that is not activated, with a file.
fn base(rules: &Rules) -> Record {
    let mut object = json!({
        "v": 2, "uuid": UUID, "owner": UUID, "name": "a", "version": "1", "disabled": false, "activated": false,
        "public": rules.mode == Mode::Public, "state": "unactivated", "type": "zone-dataset", "os": "linux",
        "files": [{"sha1": "a", "size": 1, "compression": "none", "stor": "local"}],
        "tags": ["a=b"], "tagsObj": {"a": "b"},
    });
    if rules.has_channels {
        object["channels"] = json!(["dev"]);
    }
    let object: Object = object.as_object().cloned().unwrap_or_default();
    Record::new(object, rules).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A record that was made can be stored, loaded and shown, and its text is its form.
fn check(record: &Record, rules: &Rules) {
    let stored = record.to_stored();
    let loaded = Record::load(stored.as_bytes(), record.uuid(), rules);
    let loaded = loaded.unwrap_or_else(|error| panic!("stored, but not loaded: {error}: {stored}"));
    assert_eq!(loaded.to_stored(), stored);
    let entry = Entry::new(record, rules.mode);
    for (version, is_admin) in [(ApiVersion::One, false), (ApiVersion::Two, true)] {
        let form: Value = public_form(
            record,
            &View {
                mode: rules.mode,
                version,
                is_admin,
            },
        );
        let mut answer = Vec::new();
        write_one(entry.form(), version, is_admin, &mut answer);
        assert_eq!(String::from_utf8_lossy(&answer), json::pretty(&form, 2));
        assert_eq!(entry.form().entity_tag(version, is_admin), entity_tag(&form));
    }
}
