//! The rules of `requirements` (imgapi.md §5.2).

use crate::error::FieldError;
use crate::json::{self, Object, Value, compact};
use crate::manifest::structures;

const KNOWN: [&str; 8] = [
    "networks",
    "brand",
    "ssh_key",
    "min_ram",
    "max_ram",
    "min_platform",
    "max_platform",
    "bootrom",
];

/// Problems told, at most.
const MAXIMUM_TOLD: usize = 100;

fn field(key: &str) -> String {
    format!("requirements.{key}")
}

fn invalid(key: &str, what: &str, value: &Value) -> FieldError {
    let message = format!("invalid image \"requirements.{key}\" {what}: {}", compact(value));
    FieldError::invalid(field(key), message)
}

/// What is wrong, in the order of the original's checks.
pub(crate) fn check(value: &Value) -> Vec<FieldError> {
    let requirements = match value {
        Value::Object(requirements) => requirements.clone(),
        // A text or list has its indices for keys; other values have none.
        Value::String(text) => indices(text.chars().count()),
        Value::Array(list) => indices(list.len()),
        Value::Null => return structures::not_an_object("requirements", value),
        _ => Object::new(),
    };
    let given = |key: &str| requirements.get(key).filter(|value| json::is_truthy(value));
    let mut errors = Vec::new();
    if let Some(networks) = given("networks") {
        check_networks(networks, &mut errors);
    }
    if let Some(brand) = given("brand").filter(|brand| !brand.is_string()) {
        errors.push(invalid("brand", "(not a string)", brand));
    }
    if let Some(ssh_key) = given("ssh_key").filter(|value| !value.is_boolean()) {
        errors.push(invalid("ssh_key", "(not a boolean)", ssh_key));
    }
    check_memory(given("min_ram"), given("max_ram"), &mut errors);
    for key in ["min_platform", "max_platform"] {
        if let Some(platform) = given(key) {
            check_platform(key, platform, &mut errors);
        }
    }
    if let Some(bootrom) = given("bootrom") {
        errors.extend(check_bootrom(bootrom, given("brand")));
    }
    let unknown = requirements.keys().filter(|key| !KNOWN.contains(&key.as_str()));
    errors.extend(
        unknown.map(|key| FieldError::invalid(key.as_str(), format!("unsupported requirement \"{key}\""))),
    );
    errors.truncate(MAXIMUM_TOLD);
    errors
}

fn indices(count: usize) -> Object {
    (0..count.min(MAXIMUM_TOLD))
        .map(|index| (index.to_string(), Value::Bool(true)))
        .collect()
}

fn check_networks(value: &Value, errors: &mut Vec<FieldError>) {
    let Value::Array(networks) = value else {
        errors.push(invalid("networks", "(not an array)", value));
        return;
    };
    let is_network = |entry: &Value| {
        let network = entry.as_object();
        network.is_some_and(|n| n.len() == 2 && n.contains_key("name") && n.contains_key("description"))
    };
    let bad = networks
        .iter()
        .filter(|entry| !is_network(entry))
        .take(MAXIMUM_TOLD);
    errors.extend(bad.map(|entry| invalid("networks", "entry", entry)));
}

fn check_memory(least: Option<&Value>, most: Option<&Value>, errors: &mut Vec<FieldError>) {
    let is_size = |value: &Value| {
        value
            .as_f64()
            .is_some_and(|number| number.fract() == 0.0 && number > 0.0)
    };
    let before = errors.len();
    for (key, value) in [("min_ram", least), ("max_ram", most)] {
        if let Some(value) = value.filter(|value| !is_size(value)) {
            errors.push(invalid(key, "(not a positive integer)", value));
        }
    }
    let (Some(least), Some(most)) = (least, most) else {
        return;
    };
    if errors.len() == before && least.as_f64() > most.as_f64() {
        let (least, most) = (json::to_text(least), json::to_text(most));
        let message = format!("min_ram must be <= max_ram, but:min_ram={least}, max_ram={most}");
        errors.push(FieldError::invalid("requirements.max_ram", message));
    }
}

fn check_platform(key: &str, value: &Value, errors: &mut Vec<FieldError>) {
    let Some(platform) = value.as_object().filter(|platform| !platform.is_empty()) else {
        errors.push(invalid(key, "(not an object)", value));
        return;
    };
    let bad = platform
        .iter()
        .filter(|(_, stamp)| !stamp.as_str().is_some_and(is_platform_stamp));
    errors.extend(bad.take(MAXIMUM_TOLD).map(|(version, stamp)| {
        let stamp = json::to_text(stamp);
        let message = format!(
            "invalid image \"requirements.{key}\" entry: \"{version}: {stamp}\" not a valid platform version"
        );
        FieldError::invalid(field(key), message)
    }));
}

/// `YYYYMMDDTHHMMSSZ`, from 2012 on.
fn is_platform_stamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return false;
    }
    let number = |from: usize, to: usize| {
        let part = &bytes[from..to];
        let is_number = part.iter().all(u8::is_ascii_digit);
        is_number.then(|| {
            part.iter()
                .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
        })
    };
    let is_in =
        |from, to, least: u32, most: u32| number(from, to).is_some_and(|n| (least..=most).contains(&n));
    is_in(0, 4, 2012, 9999)
        && is_in(4, 6, 1, 12)
        && is_in(6, 8, 1, 31)
        && is_in(9, 11, 0, 23)
        && is_in(11, 13, 0, 59)
        && is_in(13, 15, 0, 59)
}

fn check_bootrom(bootrom: &Value, brand: Option<&Value>) -> Option<FieldError> {
    let name = "requirements.bootrom";
    let Some(brand) = brand else {
        let message = format!(
            "\"requirements.brand\" not specified. \"{name}\" requires \"requirements.brand\" to be set to \"bhyve\""
        );
        return Some(FieldError::new(name, "MissingParameter", message));
    };
    let brand = json::to_text(brand);
    if brand != "bhyve" {
        let message = format!(
            "invalid bootrom \"{name}\" not supported with \"{brand}\" brand; \"requirements.brand\" must be \"bhyve\""
        );
        return Some(FieldError::invalid(name, message));
    }
    let text = json::to_text(bootrom);
    let message = format!("invalid bootrom \"{name}\" invalid entry \"{text}\"; must be one of: bios, uefi");
    (!matches!(bootrom.as_str(), Some("bios" | "uefi"))).then(|| FieldError::invalid(name, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(value: Value) -> Vec<String> {
        let errors = check(&value);
        errors
            .into_iter()
            .map(|error| error.message.unwrap_or(error.field))
            .collect()
    }

    #[test]
    fn a_platform_is_a_date_of_16_characters_from_2012_on() {
        assert_eq!(
            messages(json!({"min_platform": {"7.0": "20130308T102805Z"}})),
            Vec::<String>::new()
        );
        for stamp in [
            "20110308T102805Z",
            "20131308T102805Z",
            "20130308T242805Z",
            "20130308 102805Z",
            "2013030éT10280",
        ] {
            assert_eq!(
                messages(json!({"max_platform": {"7.0": stamp}})).len(),
                1,
                "{stamp}"
            );
        }
        assert_eq!(
            messages(json!({"min_platform": {}})),
            ["invalid image \"requirements.min_platform\" (not an object): {}"]
        );
    }

    #[test]
    fn bootrom_wants_a_brand_that_has_one() {
        let cases = [
            (json!({"bootrom": "bios"}), "not specified"),
            (
                json!({"bootrom": "bios", "brand": "kvm"}),
                "not supported with \"kvm\" brand",
            ),
            (json!({"bootrom": "x", "brand": "bhyve"}), "invalid entry \"x\""),
        ];
        for (value, part) in cases {
            let messages = messages(value);
            assert!(messages.len() == 1 && messages[0].contains(part), "{messages:?}");
        }
        assert!(check(&json!({"bootrom": "uefi", "brand": "bhyve"})).is_empty());
    }

    #[test]
    fn false_values_of_known_keys_are_not_looked_at() {
        assert!(check(&json!({"networks": 0, "brand": "", "min_ram": false, "bootrom": null})).is_empty());
    }

    #[test]
    fn what_is_no_object_is_told_by_its_keys() {
        assert_eq!(messages(json!("x")), ["unsupported requirement \"0\""]);
        assert_eq!(
            messages(json!(null)),
            ["invalid image \"requirements\" (not an object): null"]
        );
        assert_eq!(messages(json!("x".repeat(1_000_000))).len(), MAXIMUM_TOLD);
    }
}
