//! Tags: free labels of images, and what one asks of them (imagetool.md §5.4).

use std::collections::BTreeMap;

/// For each key the values of which an image must have one.
pub type TagsToMatch = BTreeMap<String, Vec<String>>;

/// Why a list of tags is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// Not one equals sign. The text is the original's.
    #[error("malformed tag: {0:?}")]
    Malformed(String),
    /// The JSON form is no object of strings.
    #[error("error decoding tags: {0}")]
    Json(String),
}

/// Parses tags to match, `k=v,k=v2,k2=v3`; several values for one key are alternatives. The empty text is the empty map.
pub fn parse_match(text: &str) -> Result<TagsToMatch, TagsError> {
    let mut tags = TagsToMatch::new();
    for pair in pairs(text) {
        let (key, value) = pair?;
        tags.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Ok(tags)
}

/// Parses tags of an image, `k=v,k2=v2`; the last value of a key stays.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, TagsError> {
    pairs(text)
        .map(|pair| pair.map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect()
}

/// Parses tags from the JSON object in a file; comment lines are allowed.
pub fn parse_json(text: &[u8]) -> Result<BTreeMap<String, String>, TagsError> {
    serde_json::from_slice(&crate::go_json::without_comments(text))
        .map_err(|error| TagsError::Json(error.to_string()))
}

fn pairs(text: &str) -> impl Iterator<Item = Result<(&str, &str), TagsError>> {
    let items = (!text.is_empty()).then(|| text.split(',')).into_iter().flatten();
    items.map(|item| match item.split_once('=') {
        Some((key, value)) if !value.contains('=') => Ok((key, value)),
        _ => Err(TagsError::Malformed(item.to_owned())),
    })
}

/// Whether an image with these tags is one of those asked for: it has each key with one of its values.
pub fn matches(tags: &BTreeMap<String, String>, to_match: &TagsToMatch) -> bool {
    to_match
        .iter()
        .all(|(key, values)| tags.get(key).is_some_and(|value| values.contains(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_key_are_alternatives_and_keys_are_conditions() {
        let to_match = parse_match("os=debian,os=ubuntu,arch=amd64").unwrap();
        for (tags, expected) in [
            ("os=debian,arch=amd64,x=y", true),
            ("os=ubuntu,arch=amd64", true),
            ("os=suse,arch=amd64", false),
            ("os=debian", false),
            ("", false),
        ] {
            assert_eq!(matches(&parse(tags).unwrap(), &to_match), expected, "{tags}");
        }
        assert!(matches(&BTreeMap::new(), &parse_match("").unwrap()));
    }

    #[test]
    fn each_tag_needs_one_equals_sign() {
        for (text, item) in [
            ("a", "a"),
            ("a=b,", ""),
            (",", ""),
            ("a=b,c,d=e", "c"),
            ("a=b=c", "a=b=c"),
        ] {
            let error = parse_match(text).unwrap_err();
            assert_eq!(error.to_string(), format!("malformed tag: {item:?}"));
            assert!(parse(text).is_err());
        }
        assert_eq!(
            parse("a=,=x").unwrap(),
            parse_json(br#"{"a": "", "": "x"}"#).unwrap()
        );
        assert_eq!(parse_json(b"# x\n{\"a\": \"b\"}").unwrap()["a"], "b");
    }
}
