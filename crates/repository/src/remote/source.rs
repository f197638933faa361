//! Addresses of repositories.

use crate::http::Parameters;

/// A repository as users name it: an address that may carry `?channel=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Address without a slash at the end and without a query.
    pub base: String,
    /// Channel asked for.
    pub channel: Option<String>,
}

impl Source {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let host = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"));
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/'))
            || !is_plain
            || address.contains('#')
        {
            return Err(format!("invalid source {text:?}, must be an http: or https: URL"));
        }
        let channel = Parameters::parse(query).get_nonempty("channel");
        Ok(Self {
            base: address.trim_end_matches('/').to_owned(),
            channel,
        })
    }

    /// The address of a path such as `/images/UUID`, with the channel; `more` are parameters already in their form.
    pub fn url(&self, path: &str, more: &[(&str, &str)]) -> String {
        let channel = self.channel.iter().map(|channel| ("channel", channel.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(channel.chain(more.iter().copied()));
        match query.finish() {
            query if query.is_empty() => format!("{}{path}", self.base),
            query => format!("{}{path}?{query}", self.base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_carry_a_channel() {
        let source = Source::parse("https://updates.example.com/base/?channel=dev").unwrap();
        assert_eq!(
            source.url("/images/x", &[]),
            "https://updates.example.com/base/images/x?channel=dev"
        );
        assert_eq!(
            source.url("/images", &[("name", "a b")]),
            "https://updates.example.com/base/images?channel=dev&name=a+b"
        );
        assert_eq!(
            Source::parse("http://h").unwrap().url("/ping", &[]),
            "http://h/ping"
        );
        for text in [
            "",
            "h",
            "ftp://h",
            "http://",
            "http:///x",
            "http://h x",
            "http://h#x",
        ] {
            assert!(Source::parse(text).is_err(), "{text:?}");
        }
    }
}
