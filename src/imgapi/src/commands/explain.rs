//! `imgapi config --explain`: where each value comes from, what becomes of a change, what means nothing here.

use std::fmt::Write;

use actors::repository_settings::BASE_VARIABLE;
use repository::configuration::{Configuration, KEYS, Meaning, Origin};
use repository::json::{self, Value};

/// A paragraph for each key, or for one.
///
/// # Errors
/// There is no such key.
pub(super) fn explain(configuration: &Configuration, key: Option<&str>) -> Result<String, String> {
    let censored = configuration.censored();
    let mut text = String::new();
    let mut count = 0;
    let given = configuration.merged().keys().map(String::as_str);
    let unknown = given.filter(|name| KEYS.iter().all(|known| known.name != *name));
    let names = KEYS.iter().map(|known| known.name).chain(unknown);
    for name in names.filter(|name| key.is_none_or(|key| key == *name)) {
        paragraph(&mut text, configuration, &censored, name);
        count += 1;
    }
    match (count, key) {
        (0, Some(key)) => Err(format!("no property {key} found")),
        _ => Ok(text),
    }
}

// Writing to a String cannot fail.
fn paragraph(text: &mut String, configuration: &Configuration, censored: &Value, name: &str) {
    let value = censored.get(name).map(json::compact);
    let _ = writeln!(text, "{name}: {}", value.as_deref().unwrap_or("not given"));
    if value.is_some() {
        let _ = writeln!(text, "    from    {}", origin(configuration, name));
    }
    let known = KEYS.iter().find(|known| known.name == name);
    let effect = match known.map(|known| known.meaning) {
        Some(Meaning::Live) => "a change takes effect at once",
        Some(Meaning::AtStart) => "a change restarts the server",
        Some(Meaning::Nothing) => "means nothing here; it may stay",
        None => "is not known; it is kept and means nothing",
    };
    let _ = writeln!(text, "    effect  {effect}");
    if let Some(known) = known {
        let _ = writeln!(text, "    about   {}", known.purpose);
    }
    text.push('\n');
}

fn origin(configuration: &Configuration, name: &str) -> String {
    let is_from_environment =
        name == "baseDir" && std::env::var_os(BASE_VARIABLE).is_some_and(|value| !value.is_empty());
    if is_from_environment {
        return format!("the environment, {BASE_VARIABLE}");
    }
    match configuration.origin(name) {
        Origin::Default => "the defaults".to_owned(),
        Origin::Computed => "computed".to_owned(),
        Origin::File if name == "manta" => "the instance file; rootDir is computed".to_owned(),
        Origin::File => "the instance file".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_tells_its_origin_and_secrets_stay_secret() {
        let text = r#"{"port": 81, "moray": {"host": "h"}, "ufds": {"bindPassword": "secret1"}, "mine": 1}"#;
        let configuration = Configuration::read(text).unwrap();
        let all = explain(&configuration, None).unwrap();
        assert!(!all.contains("secret1"), "{all}");
        let of = |key| explain(&configuration, Some(key)).unwrap();
        assert!(
            of("port").contains("port: 81\n    from    the instance file\n    effect  a change restarts")
        );
        assert!(of("maxSockets").contains("the defaults"));
        assert!(of("moray").contains("means nothing here"));
        assert!(of("mine").contains("is not known"));
        assert!(of("tlsPort").contains("not given"));
        assert!(explain(&configuration, Some("bogus")).is_err());
    }
}
