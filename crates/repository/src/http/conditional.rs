//! Conditional requests (imgapi.md §3.3).

use crate::dates;
use crate::error::{ApiError, Code};
use std::time::{Duration, SystemTime};

/// The headers of a request that state conditions, as they came; several of one name are joined by commas.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions<'a> {
    /// `If-Match`
    pub if_match: Option<&'a str>,
    /// `If-None-Match`
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`
    pub if_modified_since: Option<&'a str>,
    /// `If-Unmodified-Since`
    pub if_unmodified_since: Option<&'a str>,
}

/// What the conditions are about.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<'a> {
    /// Entity tag of the manifest, which messages name.
    pub etag: &'a str,
    /// SHA-1 of the file or icon, where one is asked for: the original compares the manifest's tag only, with which its
    /// own answers' tags never match.
    pub content: Option<&'a str>,
    /// When the file or icon was uploaded.
    pub modified: Option<SystemTime>,
}

/// What comes of conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They hold: go on.
    Go,
    /// 304, without a body.
    NotModified,
    /// 412.
    Failed(ApiError),
}

impl Conditions<'_> {
    /// Whether the conditions hold; `is_read` for GET.
    pub fn check(&self, tagged: &Tagged<'_>, is_read: bool) -> Outcome {
        let failed = |message: String| Outcome::Failed(ApiError::new(Code::PreconditionFailed, message));
        if let Some(list) = self.if_match
            && matching(list, tagged).is_none()
        {
            return failed(format!("if-match '{list}' didn't match etag '{}'", tagged.etag));
        }
        if let Some(list) = self.if_none_match
            && let Some(tag) = matching(list, tagged)
        {
            if is_read {
                return Outcome::NotModified;
            }
            return failed(format!("if-none-match '{tag}' matched etag '{}'", tagged.etag));
        }
        let Some(modified) = tagged.modified.map(whole_seconds) else {
            return Outcome::Go;
        };
        let since = |header: Option<&str>| header.and_then(dates::parse);
        if is_read && since(self.if_modified_since).is_some_and(|since| modified <= since) {
            return Outcome::NotModified;
        }
        if since(self.if_unmodified_since).is_some_and(|since| modified > since) {
            let header = self.if_unmodified_since.unwrap_or_default();
            return failed(format!(
                "object was modified at '{}'; if-unmodified-since '{header}'",
                dates::http(modified)
            ));
        }
        Outcome::Go
    }
}

/// Headers have no parts of seconds.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The first tag of a list that matches.
fn matching<'a>(list: &'a str, tagged: &Tagged<'_>) -> Option<&'a str> {
    list.split(',')
        .map(bare)
        .find(|tag| *tag == "*" || *tag == tagged.etag || Some(*tag) == tagged.content)
}

/// Without the mark of weakness and quotes.
fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGGED: Tagged<'_> = Tagged {
        etag: "abc",
        content: Some("def"),
        modified: None,
    };

    #[test]
    fn tags_match_quoted_weak_and_in_lists() {
        for list in ["abc", "\"abc\"", "W/\"abc\"", "x, abc", "*", "def"] {
            let conditions = Conditions {
                if_none_match: Some(list),
                ..Conditions::default()
            };
            assert_eq!(conditions.check(&TAGGED, true), Outcome::NotModified, "{list}");
            let conditions = Conditions {
                if_match: Some(list),
                ..Conditions::default()
            };
            assert_eq!(conditions.check(&TAGGED, true), Outcome::Go, "{list}");
        }
        let conditions = Conditions {
            if_none_match: Some("x"),
            ..Conditions::default()
        };
        assert_eq!(conditions.check(&TAGGED, true), Outcome::Go);
    }

    #[test]
    fn failures_name_the_tag_of_the_manifest() {
        let message = |conditions: Conditions<'_>| match conditions.check(&TAGGED, false) {
            Outcome::Failed(error) => error.message().to_owned(),
            other => panic!("{other:?}"),
        };
        let conditions = Conditions {
            if_match: Some("zzz"),
            ..Conditions::default()
        };
        assert_eq!(message(conditions), "if-match 'zzz' didn't match etag 'abc'");
        let conditions = Conditions {
            if_none_match: Some("*"),
            ..Conditions::default()
        };
        assert_eq!(message(conditions), "if-none-match '*' matched etag 'abc'");
    }

    #[test]
    fn dates_count_in_whole_seconds_and_for_content_only() {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500_000_000_700);
        let tagged = Tagged {
            modified: Some(modified),
            ..TAGGED
        };
        let header = dates::http(modified);
        let conditions = Conditions {
            if_modified_since: Some(&header),
            ..Conditions::default()
        };
        assert_eq!(conditions.check(&tagged, true), Outcome::NotModified);
        assert_eq!(conditions.check(&TAGGED, true), Outcome::Go);
        let early = dates::http(modified - Duration::from_secs(10));
        let conditions = Conditions {
            if_unmodified_since: Some(&early),
            ..Conditions::default()
        };
        assert!(matches!(conditions.check(&tagged, true), Outcome::Failed(_)));
    }
}
