//! Forms that are taken for others: a lone text for a list, a numeric text for a number.

use crate::json::{self, Object, Value};
use crate::manifest::search_tags;

/// Brings a manifest into the form the rules are about.
pub(crate) fn normalise(object: &mut Object) {
    let is_null = |(key, value): (&String, &Value)| {
        // These two are objects: the original's clients are told about a null there.
        (value.is_null() && key != "tagsObj" && key != "requirements").then(|| key.clone())
    };
    let nulls: Vec<String> = object.iter().filter_map(is_null).collect();
    for key in nulls {
        object.shift_remove(&key);
    }
    for key in ["acl", "billing_tags"] {
        if let Some(value) = object.get_mut(key)
            && value.is_string()
        {
            *value = Value::Array(vec![value.take()]);
        }
    }
    for key in ["v", "image_size"] {
        if let Some(value) = object.get_mut(key)
            && value.is_string()
            && let Some(number) = json::number(value)
        {
            *value = json::from_number(number);
        }
    }
    search_tags::restore(object);
}

/// Sets the tags, in both forms they are stored in.
pub(crate) fn set_tags(object: &mut Object, tags: Value) {
    object.insert("tags".to_owned(), search_tags::search_list(&tags));
    object.insert("tagsObj".to_owned(), tags);
}
