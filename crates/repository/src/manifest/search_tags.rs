//! Tags as the list that is searched (imgapi.md §5.7).

use crate::json::{self, Object, Value, utf16_length};

/// Characters of a tag's text that can be searched; longer ones count as empty.
const MAXIMUM_SEARCHABLE: usize = 100;

/// The entry of one tag: `key=value`; objects and long texts have no value.
pub fn search_tag(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if utf16_length(text) <= MAXIMUM_SEARCHABLE => format!("{key}={text}"),
        Value::Number(_) | Value::Bool(_) => format!("{key}={}", json::to_text(value)),
        _ => format!("{key}="),
    }
}

/// The list of a `tags` object.
pub(crate) fn search_list(tags: &Value) -> Value {
    let Value::Object(tags) = tags else {
        return Value::Array(Vec::new());
    };
    tags.iter().map(|(key, value)| search_tag(key, value)).collect()
}

/// Records of old releases have the list only: the object is made of it, with texts for values.
pub(crate) fn restore(object: &mut Object) {
    if object.contains_key("tagsObj") {
        return;
    }
    let Some(Value::Array(list)) = object.get("tags") else {
        return;
    };
    let pairs = list.iter().filter_map(Value::as_str).map(|entry| {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        (key.to_owned(), Value::String(value.to_owned()))
    });
    let tags: Object = pairs.collect();
    if !tags.is_empty() {
        object.insert("tagsObj".to_owned(), Value::Object(tags));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_cannot_be_searched_are_empty() {
        let tags = json!({"a": "b", "n": 1.5, "t": true, "o": {"x": 1}, "long": "x".repeat(101), "z": null});
        assert_eq!(
            search_list(&tags),
            json!(["a=b", "n=1.5", "t=true", "o=", "long=", "z="])
        );
    }

    #[test]
    fn tags_of_old_records_are_restored() {
        let mut object = json!({"tags": ["a=b=c", "d"]}).as_object().unwrap().clone();
        restore(&mut object);
        assert_eq!(object["tagsObj"], json!({"a": "b=c", "d": ""}));
    }
}
