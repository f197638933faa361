//! What requests to a repository of images say besides their bodies: paths, parameters of lists, versions, ranges, conditions.

use std::sync::OnceLock;

use repository::Uuid;
use repository::catalogue::{Catalogue, Entry};
use repository::channels::Channels;
use repository::http::{
    Conditions, Outcome, Parameters, RangeAnswer, Tagged, UploadRange, api_version, decode_body, route,
};
use repository::list::{ListContext, ListQuery, Order};
use repository::manifest::{Mode, Record, Rules};
use repository::transfer;
use repository::{dates, layout};
use serde_json::json;

use crate::input::Input;

const RULES: Rules = Rules {
    mode: Mode::Datacenter,
    has_channels: false,
};
const IMAGES: u32 = 40;

/// What kind of text, then the text.
pub fn requests(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 8;
    let bytes = input.rest();
    let text = String::from_utf8_lossy(bytes);
    match kind {
        0..=2 => list(&text),
        3 => {
            let _ = route("GET", &text, |_| true).map(|routed| routed.image(&text));
            let _ = layout::record_uuid(&text);
            assert!(!layout::upload(Uuid::NIL, 0, &text).contains(".."));
        }
        4 => {
            let _ = api_version(Some(&text), "GET", "/images");
        }
        5 => ranges(&text),
        6 => conditions(&text),
        _ => {
            let _ = decode_body(bytes, None, true);
            let _ = decode_body(bytes, Some("application/x-www-form-urlencoded"), false);
            let parameters = Parameters::parse(&text);
            let _ = (
                transfer::compression(&parameters),
                transfer::storage(&parameters, None),
            );
            let _ = (
                transfer::file_index(&parameters, Uuid::NIL, 2),
                transfer::icon_type(Some(&text)),
            );
        }
    }
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::of_entries((0..IMAGES).map(entry)))
}

fn entry(number: u32) -> Entry {
    let uuid = |number: u32| format!("{number:08x}-0000-4000-8000-000000000000");
    let object = json!({
        "v": 2, "uuid": uuid(number), "owner": uuid(number % 3), "name": format!("a{}", number % 5), "version": "1",
        "disabled": number.is_multiple_of(7), "activated": true, "public": number.is_multiple_of(2), "type": "other", "os": "linux",
        "files": [{"sha1": "a", "size": 1, "compression": "none"}], "acl": [uuid(number % 4)],
        "published_at": format!("2020-01-01T00:00:{:02}Z", number / 3),
        "tags": [format!("k={}", number % 3)], "tagsObj": {"k": number % 3},
    });
    let record = Record::new(object.as_object().cloned().unwrap_or_default(), &RULES);
    Entry::new(&record.unwrap_or_else(|errors| panic!("{errors:?}")), RULES.mode)
}

fn list(text: &str) {
    let channels = Channels::default();
    let context = ListContext {
        mode: RULES.mode,
        is_authenticated: true,
        channels: &channels,
    };
    let query = match ListQuery::new(&Parameters::parse(text), &context) {
        Ok(query) => query,
        Err(error) => {
            assert!(matches!(error.status(), 401 | 422), "{error}");
            return;
        }
    };
    let Ok(found) = catalogue().select(&query) else {
        return;
    };
    assert!(found.len() <= query.limit);
    let keys: Vec<_> = found
        .iter()
        .map(|entry| (entry.published(), entry.uuid()))
        .collect();
    let is_ordered = match query.order {
        Order::Ascending => keys.is_sorted(),
        Order::Descending => keys.iter().rev().is_sorted(),
    };
    assert!(is_ordered, "{keys:?}");
    // The same without a limit begins with the same.
    let whole = ListQuery {
        limit: IMAGES as usize,
        ..query
    };
    let whole = catalogue().select(&whole).map(|found| found.len());
    assert!(whole.is_ok_and(|whole| whole >= found.len()));
}

fn ranges(text: &str) {
    let size = text.len() as u64;
    if let RangeAnswer::Part(part) = RangeAnswer::of(Some(text), size) {
        assert!(part.length > 0 && part.start + part.length <= size);
    }
    if let Ok(UploadRange::Piece(range)) = UploadRange::parse(text) {
        assert!(range.length > 0);
        assert!(
            range
                .total
                .is_none_or(|total| range.start + range.length <= total)
        );
    }
    let _ = dates::parse(text);
}

fn conditions(text: &str) {
    let mut parts = text.splitn(4, '\0');
    let conditions = Conditions {
        if_match: parts.next(),
        if_none_match: parts.next(),
        if_modified_since: parts.next(),
        if_unmodified_since: parts.next(),
    };
    let tagged = Tagged {
        etag: "abc",
        content: Some("def"),
        modified: dates::parse("2020-01-01"),
    };
    if let Outcome::Failed(error) = conditions.check(&tagged, true) {
        assert_eq!(error.status(), 412);
    }
    assert_ne!(conditions.check(&tagged, false), Outcome::NotModified);
}
