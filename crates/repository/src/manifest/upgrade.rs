//! Manifests of version 1, of the service before this one (imgapi.md §5.5).

use crate::json::{self, Object, Value};

const DROPPED: [&str; 10] = [
    "vendor_uuid",
    "creator_name",
    "cloud_name",
    "creator_admin",
    "owner_uuid",
    "platform_type",
    "created_at",
    "updated_at",
    "_url",
    "restricted_to_uuid",
];

/// Makes a manifest of version 2 of one of version 1; leaves others alone, and those it cannot make anything of.
pub(crate) fn upgrade(body: &mut Object) {
    let is_old = !body.contains_key("v") && body.contains_key("creator_uuid") && !body.contains_key("owner");
    if !is_old {
        return;
    }
    let mut new = Object::new();
    new.insert("v".to_owned(), 2.into());
    for (key, value) in body.iter() {
        match key.as_str() {
            "creator_uuid" => {
                new.insert("owner".to_owned(), value.clone());
            }
            "image_size" => {
                let size = json::number(value).map_or_else(|| value.clone(), json::from_number);
                new.insert(key.clone(), size);
            }
            "disabled" => {
                new.insert(key.clone(), json::is_truthy(value).into());
            }
            key if DROPPED.contains(&key) => {}
            _ => {
                new.insert(key.clone(), value.clone());
            }
        }
    }
    let account = body
        .get("restricted_to_uuid")
        .filter(|account| json::is_truthy(account));
    new.insert("public".to_owned(), account.is_none().into());
    if let Some(account) = account {
        new.insert("acl".to_owned(), Value::Array(vec![account.clone()]));
    }
    let date = body
        .get("published_at")
        .or_else(|| body.get("created_at"))
        .and_then(Value::as_str);
    if let Some(date) = date {
        new.insert("published_at".to_owned(), with_seconds(date).into());
    }
    *body = new;
}

/// Old dates have no seconds.
fn with_seconds(date: &str) -> String {
    match date.strip_suffix('Z') {
        Some(start) if start.len() == "YYYY-MM-DDTHH:MM".len() => format!("{start}:00Z"),
        _ => date.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_old_manifest_becomes_a_new_one() {
        let mut body = json!({
            "uuid": "u", "creator_uuid": "c", "vendor_uuid": "x", "restricted_to_uuid": "r", "image_size": "16384",
            "created_at": "2012-10-11T14:40Z", "type": "zvol",
        });
        upgrade(body.as_object_mut().unwrap());
        assert_eq!(
            body,
            json!({
                "v": 2, "uuid": "u", "owner": "c", "image_size": 16384, "type": "zvol", "public": false,
                "acl": ["r"], "published_at": "2012-10-11T14:40:00Z",
            })
        );
    }
}
