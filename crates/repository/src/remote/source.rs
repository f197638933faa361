//! Addresses of repositories.

use crate::http::Parameters;
use std::borrow::Cow;

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

/// An address as it may be shown and logged: without a user and his password, and of its query the channel alone, since what else is
/// there may be a secret.
pub fn without_secrets(address: &str) -> String {
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let mut shown = match address.split_once("://") {
        None => address.to_owned(),
        Some((scheme, rest)) => {
            let end = rest.find(['/', '\\', '#']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
    };
    if let Some(channel) = Parameters::parse(query).get_nonempty("channel") {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("channel", &channel);
        shown += &format!("?{}", query.finish());
    }
    shown
}

/// The same for a path with a query that may have such an address as its `source`.
pub fn request_without_secrets(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?').filter(|(_, query)| query.contains("source")) else {
        return Cow::Borrowed(url);
    };
    let parts = query.split('&').map(|part| {
        let mut pair = form_urlencoded::parse(part.as_bytes());
        match pair.next() {
            Some((name, address)) if name == "source" => {
                let mut shown = form_urlencoded::Serializer::new(String::new());
                shown.append_pair("source", &without_secrets(&address));
                Cow::Owned(shown.finish())
            }
            _ => Cow::Borrowed(part),
        }
    });
    let parts: Vec<Cow<'_, str>> = parts.collect();
    Cow::Owned(format!("{path}?{}", parts.join("&")))
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

    #[test]
    fn what_is_shown_of_an_address_has_no_secret() {
        for (address, shown) in [
            ("http://127.0.0.1:18081", "http://127.0.0.1:18081"),
            ("https://h?channel=dev", "https://h?channel=dev"),
            (
                "https://me:pass%40word@h:1/b/?channel=dev&token=x",
                "https://h:1/b/?channel=dev",
            ),
            ("https://me:p@ss@h", "https://h"),
            ("https://h/@me", "https://h/@me"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
        let url = "/images/X?action=import&source=https%3A%2F%2Fme%3Apw%40h%2F&channel=dev";
        assert_eq!(
            request_without_secrets(url),
            "/images/X?action=import&source=https%3A%2F%2Fh%2F&channel=dev"
        );
        for other in ["/images?name=a@b", "/images?x=source&y=me@h", "/ping"] {
            assert_eq!(request_without_secrets(other), other);
        }
    }
}
