//! Parameters of the query string (imgapi.md §3).

use crate::error::{ApiError, Result};
use crate::json::{Value, compact};
use crate::uuid::Uuid;

/// Parameters that are looked at, at most; further ones are dropped, as the original drops them.
pub const MAXIMUM_PARAMETERS: usize = 1000;

/// The parameters in their order; dots are part of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads what stands behind the question mark.
    pub fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).take(MAXIMUM_PARAMETERS);
        Self {
            pairs: pairs
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// All values of one.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.iter()
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .collect()
    }

    /// The value of one; a repeated one is the texts joined by commas, as a list is in JavaScript.
    pub fn get(&self, name: &str) -> Option<String> {
        let all = self.all(name);
        (!all.is_empty()).then(|| all.join(","))
    }

    /// The same, without empty texts: those count as absent.
    pub fn get_nonempty(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether it is given more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.all(name).len() > 1
    }

    /// A value as JSON: a text, or a list of texts.
    pub fn json(&self, name: &str) -> String {
        let all = self.all(name);
        match all.as_slice() {
            [one] => compact(&Value::from(*one)),
            list => compact(&Value::from(list.to_vec())),
        }
    }

    /// `true` or `false`; `None` if absent or empty.
    ///
    /// # Errors
    /// Anything else.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.get_nonempty(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                let message = format!("invalid value for \"{name}\" param: \"{other}\" is not a boolean");
                Err(ApiError::invalid_parameter(name, "Invalid", message))
            }
        }
    }

    /// `account`: on whose behalf a trusted caller acts; `None` for an operator (imgapi.md §7).
    ///
    /// # Errors
    /// It is no UUID.
    pub fn account(&self) -> Result<Option<Uuid>> {
        let Some(text) = self.get_nonempty("account") else {
            return Ok(None);
        };
        let invalid = || {
            let message = format!("invalid \"account\": not a UUID: \"{text}\"");
            ApiError::invalid_parameter("account", "Invalid", message)
        };
        Uuid::parse(&text).map(Some).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_parameter_is_a_list() {
        let parameters = Parameters::parse("state=active&tag.role=db%20x&state=all&empty=&flag");
        assert_eq!(parameters.get("state").as_deref(), Some("active,all"));
        assert_eq!(parameters.json("state"), r#"["active","all"]"#);
        assert_eq!(parameters.json("tag.role"), r#""db x""#);
        assert_eq!(parameters.get_nonempty("empty"), None);
        assert_eq!(parameters.get("flag").as_deref(), Some(""));
    }

    #[test]
    fn a_boolean_is_true_or_false() {
        let parameters = Parameters::parse("a=true&b=false&c=True&d=");
        assert_eq!(parameters.boolean("a"), Ok(Some(true)));
        assert_eq!(parameters.boolean("b"), Ok(Some(false)));
        assert_eq!(parameters.boolean("d"), Ok(None));
        let error = parameters.boolean("c").unwrap_err();
        assert_eq!(
            error.message(),
            "invalid value for \"c\" param: \"True\" is not a boolean"
        );
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in ".*") {
            let parameters = Parameters::parse(&query);
            for (name, _) in parameters.iter() {
                prop_assert!(parameters.get(name).is_some());
                let _ = parameters.boolean(name);
            }
        }
    }
}
