//! Query strings: named values, and the raw names older links carry (`/showImage?NAME`).

use std::borrow::Cow;

/// What a page is asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Html,
    /// Lines for scripts.
    Text,
    /// JSON.
    Json,
    /// Comma separated values.
    Csv,
}

/// A query string, undecoded.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// What is behind the `?`.
    pub fn new(query: &'a str) -> Self {
        Self(query)
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.0
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (pair, None),
            })
    }

    /// The first value of this name, decoded; empty for a name without a value.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.pairs()
            .find(|(known, _)| decode(known) == name)
            .map(|(_, value)| decode(value.unwrap_or_default()))
    }

    /// The first value of this name as bytes, decoded: for names of files, which need not be UTF-8.
    pub fn bytes(self, name: &str) -> Option<Vec<u8>> {
        self.pairs()
            .find(|(known, _)| decode(known) == name)
            .map(|(_, value)| percent_decode_bytes(&value.unwrap_or_default().replace('+', " ")))
    }

    /// All values of this name, decoded.
    pub fn all(self, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        self.pairs()
            .filter(move |(known, _)| decode(known) == name)
            .map(|(_, value)| decode(value.unwrap_or_default()))
    }

    /// Whether the first value of this name is this.
    pub fn is(self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|known| known == value)
    }

    /// Whether the name is there, with a value or without.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The form asked for with `output=`; HTML when it names none.
    pub fn output(self) -> Output {
        match self.get("output").as_deref() {
            Some("text") => Output::Text,
            Some("json") => Output::Json,
            Some("csv") => Output::Csv,
            _ => Output::Html,
        }
    }

    /// The name before the first `&`, percent signs decoded: the whole raw query of older links. A plus sign stays, names
    /// hold them.
    pub fn raw_name(self) -> Cow<'a, str> {
        percent_decode(self.0.split('&').next().unwrap_or_default())
    }
}

/// Form decoding: plus signs are spaces.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        Cow::Owned(percent_decode(&text.replace('+', " ")).into_owned())
    } else {
        percent_decode(text)
    }
}

/// `%41` is `A`; what is no such escape stays as it is, and bytes that are not UTF-8 become replacement characters.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&percent_decode_bytes(text)).into_owned())
}

fn percent_decode_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        match escaped(bytes.get(index..index + 3)) {
            Some(value) => {
                decoded.push(value);
                index += 3;
            }
            None => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    decoded
}

/// A value as part of a query string: what would change its meaning on the way is escaped, the rest stays readable.
pub fn encode(value: impl AsRef<[u8]>) -> String {
    let mut out = String::with_capacity(value.as_ref().len());
    for &byte in value.as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'/' | b':' | b'@' | b',' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn escaped(bytes: Option<&[u8]>) -> Option<u8> {
    let [b'%', high, low] = bytes? else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_values_are_decoded() {
        let query = Query::new("a=1%202+3&b&output=json&a=x&%63=y");
        assert_eq!(query.get("a").as_deref(), Some("1 2 3"));
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1 2 3", "x"]);
        assert_eq!((query.has("b"), query.has("z")), (true, false));
        assert_eq!(query.get("c").as_deref(), Some("y"));
        assert_eq!(query.output(), Output::Json);
        assert_eq!(Query::new("output=xml").output(), Output::Html);
    }

    #[test]
    fn any_bytes_survive_a_query_string() {
        let every: Vec<u8> = (0..=255).collect();
        let query = format!("a=b&path={}&c", encode(&every));
        assert_eq!(Query::new(&query).bytes("path"), Some(every));
        assert_eq!(
            Query::new("path=a+b%2B").bytes("path").as_deref(),
            Some(&b"a b+"[..])
        );
    }

    #[test]
    fn older_links_carry_the_name_raw() {
        assert_eq!(
            Query::new("base/2026-11-22:07&output=text").raw_name(),
            "base/2026-11-22:07"
        );
        assert_eq!(Query::new("c++%2Fx").raw_name(), "c++/x");
        assert_eq!(Query::new("100%").raw_name(), "100%");
        assert_eq!(Query::new("%ff%zz").raw_name(), "\u{fffd}%zz");
        assert_eq!(Query::new("").raw_name(), "");
    }
}
