//! Lists of the snapshot against lists made the plain way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use proptest::prelude::*;
use repository::Uuid;
use repository::catalogue::{Catalogue, Entry, write_list, write_one};
use repository::channels::Channels;
use repository::http::{ApiVersion, Parameters};
use repository::json::{self, Object, Value};
use repository::list::{ListContext, ListQuery};
use repository::manifest::{Mode, Record, Rules, View, entity_tag, public_form};
use serde_json::json;

const RULES: Rules = Rules {
    mode: Mode::Datacenter,
    has_channels: false,
};

fn uuid(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// A small world, so that filters meet.
fn record() -> impl Strategy<Value = Record> {
    let words = ("[ab]{1,3}", "[12]", 0_u32..60, 0_u32..3, 0_u32..3, 0_u32..5);
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0_usize..3,
        0_usize..3,
    );
    (words, flags).prop_map(|((name, version, number, owner, shared, day), (public, activated, disabled, kind, os))| {
        let state = match (activated, disabled) {
            (false, _) => "unactivated",
            (true, true) => "disabled",
            (true, false) => "active",
        };
        let mut object = json!({
            "v": 2, "uuid": uuid(number), "owner": uuid(1000 + owner), "name": name, "version": version, "state": state,
            "disabled": disabled, "activated": activated, "public": public,
            "type": (["other", "lx-dataset", "docker"][kind]), "os": (["linux", "bsd", "other"][os]),
            "files": [{"sha1": "a", "size": 1, "compression": "none", "stor": "local"}],
            "acl": [uuid(1000 + shared)], "tags": [format!("k={}", number % 3)], "tagsObj": {"k": (number % 3).to_string()},
        });
        if activated {
            object["published_at"] = format!("2020-01-0{}T00:00:00Z", day + 1).into();
        }
        Record::new(object.as_object().unwrap().clone(), &RULES).unwrap()
    })
}

fn catalogue(records: &[Record]) -> Catalogue {
    Catalogue::of_entries(records.iter().map(|record| Entry::new(record, RULES.mode)))
}

/// The last one of each name.
fn distinct(records: &[Record]) -> Vec<Record> {
    let mut distinct: Vec<Record> = Vec::new();
    for record in records {
        distinct.retain(|other| other.uuid() != record.uuid());
        distinct.push(record.clone());
    }
    distinct.sort_by_key(|record| (record.published(), record.uuid()));
    distinct
}

fn query(text: &str) -> ListQuery {
    let channels = Channels::default();
    let context = ListContext {
        mode: RULES.mode,
        is_authenticated: false,
        channels: &channels,
    };
    ListQuery::new(&Parameters::parse(text), &context).unwrap()
}

fn selected(catalogue: &Catalogue, text: &str) -> Vec<Uuid> {
    catalogue
        .select(&query(text))
        .unwrap()
        .iter()
        .map(|entry| entry.uuid())
        .collect()
}

/// What the specification says, filter by filter.
fn expected(records: &[Record], text: &str) -> Vec<Uuid> {
    let parameters = Parameters::parse(text);
    let get = |name: &str| parameters.get_nonempty(name);
    let is_text = |name: &str, value: &str| match get(name) {
        None => true,
        Some(wanted) => wanted
            .strip_prefix('~')
            .map_or(wanted == value, |part| value.contains(part)),
    };
    let passes = |record: &&Record| {
        let state = get("state").unwrap_or_else(|| "active".to_owned());
        let is_state = match state.as_str() {
            "active" => record.is_activated() && !record.is_disabled(),
            "disabled" => record.is_activated() && record.is_disabled(),
            "unactivated" => !record.is_activated(),
            _ => true,
        };
        let kind = record.text("type");
        let is_kind = get("type")
            .is_none_or(|wanted| wanted.strip_prefix('!').map_or(wanted == kind, |not| not != kind));
        let is_for = get("account").is_none_or(|account| {
            let account = Uuid::parse(&account);
            let is_shared = record.acl().any(|shared| Some(shared) == account);
            let is_others = !matches!(state.as_str(), "disabled" | "unactivated");
            account == Some(record.owner())
                || (is_others && record.is_activated() && (record.is_public() || is_shared))
        });
        is_state
            && is_kind
            && is_for
            && is_text("name", record.text("name"))
            && is_text("version", record.text("version"))
            && get("os").is_none_or(|os| os == record.text("os"))
            && get("owner").is_none_or(|owner| owner == record.owner().to_string())
            && get("public").is_none_or(|public| public == record.is_public().to_string())
            && get("tag.k").is_none_or(|value| record.search_tags().any(|tag| tag == format!("k={value}")))
    };
    records.iter().filter(passes).map(Record::uuid).collect()
}

fn parameters() -> impl Strategy<Value = String> {
    let maybe = |name: &'static str, values: &'static str| {
        proptest::option::weighted(0.3, values)
            .prop_map(move |value| value.map(|value| format!("{name}={value}")))
    };
    let account = |name: &'static str| {
        proptest::option::weighted(0.3, 0_u32..4)
            .prop_map(move |n| n.map(|n| format!("{name}={}", uuid(1000 + n))))
    };
    let all = (
        maybe("state", "(active|disabled|unactivated|all)"),
        maybe("name", "~?[ab]{1,2}"),
        maybe("version", "[12]"),
        maybe("type", "!?(other|docker|bogus)"),
        maybe("os", "(linux|bsd|beos)"),
        maybe("public", "(true|false)"),
        maybe("tag.k", "[0-3]"),
        account("owner"),
        account("account"),
    );
    all.prop_map(|(a, b, c, d, e, f, g, h, i)| {
        [a, b, c, d, e, f, g, h, i]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("&")
    })
}

proptest! {
    #[test]
    fn a_list_has_what_each_filter_lets_pass_in_order(
        records in proptest::collection::vec(record(), 0..80),
        text in parameters(),
    ) {
        let distinct = distinct(&records);
        let found = selected(&catalogue(&records), &text);
        let mut expected = expected(&distinct, &text);
        prop_assert_eq!(&found, &expected, "{}", text);
        let descending = selected(&catalogue(&records), &format!("{text}&sort=published_at.desc"));
        expected.reverse();
        prop_assert_eq!(descending, expected);
    }

    #[test]
    fn pages_show_each_image_once_however_long_they_are(
        records in proptest::collection::vec(record(), 0..80),
        limit in 2_usize..6,
        order in "(asc|desc)",
    ) {
        let catalogue = catalogue(&records);
        let filter = format!("state=active&sort=published_at.{order}");
        let whole = selected(&catalogue, &filter);
        let mut paged: Vec<Uuid> = Vec::new();
        loop {
            let marker = paged.last().map(|last| format!("&marker={last}")).unwrap_or_default();
            let mut page = selected(&catalogue, &format!("{filter}&limit={limit}{marker}"));
            // What clients do: the marker comes again.
            if page.first() == paged.last() && !paged.is_empty() {
                page.remove(0);
            }
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        prop_assert_eq!(paged, whole);
    }

    #[test]
    fn a_snapshot_made_by_changes_is_the_one_made_at_once(
        records in proptest::collection::vec(record(), 0..120),
        gone in proptest::collection::vec(0_u32..60, 0..40),
    ) {
        let mut changed = Catalogue::default();
        for record in &records {
            changed = changed.with(Entry::new(record, RULES.mode));
        }
        let before = changed.clone();
        let mut left = distinct(&records);
        for number in gone {
            let name = Uuid::parse(&uuid(number)).unwrap();
            changed = changed.without(name);
            left.retain(|record| record.uuid() != name);
        }
        let names = |catalogue: &Catalogue| catalogue.iter().map(|entry| entry.uuid()).collect::<Vec<_>>();
        prop_assert_eq!(names(&changed), left.iter().map(Record::uuid).collect::<Vec<_>>());
        prop_assert_eq!(changed.len(), left.len());
        // Who reads an old snapshot is not disturbed.
        prop_assert_eq!(names(&before), distinct(&records).iter().map(Record::uuid).collect::<Vec<_>>());
    }

    #[test]
    fn answers_kept_as_text_are_the_answers_made_of_the_record(record in record(), tags in "\\PC{0,20}") {
        let mut object: Object = record.object().clone();
        object.insert("tagsObj".to_owned(), json!({"stor": "x", "t": tags, "o": {"stor": {"stor": 1}, "channels": []}}));
        object.insert("channels".to_owned(), json!(["dev", tags]));
        let rules = Rules { mode: Mode::Private, has_channels: true };
        object.insert("public".to_owned(), false.into());
        let record = Record::new(object, &rules).unwrap();
        let entry = Entry::new(&record, rules.mode);
        for (version, is_admin) in [
            (ApiVersion::One, false), (ApiVersion::One, true), (ApiVersion::Two, false), (ApiVersion::Two, true),
        ] {
            let form = public_form(&record, &View { mode: rules.mode, version, is_admin });
            let mut answer = Vec::new();
            write_one(entry.form(), version, is_admin, &mut answer);
            prop_assert_eq!(String::from_utf8(answer).unwrap(), json::pretty(&form, 2));
            prop_assert_eq!(entry.form().entity_tag(version, is_admin), entity_tag(&form));
            let mut list = Vec::new();
            write_list([entry.form(), entry.form()], version, is_admin, &mut list);
            prop_assert_eq!(String::from_utf8(list).unwrap(), json::pretty(&Value::Array(vec![form.clone(), form]), 2));
        }
    }
}

#[test]
fn thousands_of_images_lie_in_many_chunks_and_stay_in_order() {
    let make = |number: u32| {
        let object = json!({
            "v": 2, "uuid": uuid(number), "owner": uuid(1), "name": "n", "version": "1", "disabled": false,
            "activated": true, "public": true, "type": "other", "os": "linux", "files": [],
            "published_at": format!("2020-01-01T00:{:02}:{:02}Z", number % 3600 / 60, number % 60),
        });
        Entry::new(
            &Record::new(object.as_object().unwrap().clone(), &RULES).unwrap(),
            RULES.mode,
        )
    };
    let mut catalogue = Catalogue::default();
    // 7919 is prime: every number once, in no order.
    for step in 0..3000_u32 {
        catalogue = catalogue.with(make(step * 7919 % 3000));
    }
    let order: Vec<Uuid> = catalogue.iter().map(|entry| entry.uuid()).collect();
    let expected: Vec<Uuid> = (0..3000)
        .map(|number| Uuid::parse(&uuid(number)).unwrap())
        .collect();
    assert_eq!(order, expected);
    assert_eq!(
        selected(&catalogue, "limit=3&marker=2020-01-01T00:40:00Z"),
        expected[2400..2403]
    );
    let marker = format!("limit=2&sort=published_at.desc&marker={}", expected[1500]);
    assert_eq!(selected(&catalogue, &marker), [expected[1500], expected[1499]]);
    for name in &expected[..2999] {
        catalogue = catalogue.without(*name);
    }
    assert_eq!(
        (catalogue.len(), selected(&catalogue, "")),
        (1, vec![expected[2999]])
    );
}

#[test]
fn dependents_are_found_also_by_channel() {
    let rules = Rules {
        mode: Mode::Public,
        has_channels: true,
    };
    let make = |number: u32, origin: Option<u32>, channel: &str| {
        let mut object = json!({
            "v": 2, "uuid": uuid(number), "owner": uuid(1), "name": "n", "version": "1", "disabled": false,
            "activated": false, "public": true, "type": "other", "os": "linux", "files": [], "channels": [channel],
        });
        if let Some(origin) = origin {
            object["origin"] = uuid(origin).into();
        }
        Entry::new(
            &Record::new(object.as_object().unwrap().clone(), &rules).unwrap(),
            rules.mode,
        )
    };
    let catalogue = Catalogue::of_entries([
        make(1, None, "dev"),
        make(3, Some(1), "dev"),
        make(2, Some(1), "staging"),
    ]);
    let name = |number| Uuid::parse(&uuid(number)).unwrap();
    assert_eq!(catalogue.dependents(name(1), None), [name(2), name(3)]);
    assert_eq!(catalogue.dependents(name(1), Some("staging")), [name(2)]);
    assert_eq!(catalogue.without(name(2)).dependents(name(1), None), [name(3)]);
}
