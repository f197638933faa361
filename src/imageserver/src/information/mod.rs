//! The link from an image into somebody's information database: `-informationDatabaseTemplate` expanded with the image's
//! metadata (`imageserver.md §3.10`).
//!
//! Existing deployments write this flag in Go's text template language. What links are made of is supported: text, fields
//! (`{{.Name}}`, `{{.Tags.owner}}`), `index`, `urlquery`, `html`, `if`/`else`/`end` and the trimming dashes. Everything else is
//! refused when the daemon starts, naming the action, so that a template never fails later in front of a user.

mod expand;
mod parse;

use serde_json::Value;

/// A template that was understood, ready to be expanded for any image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    nodes: Vec<Node>,
}

/// Why a template was refused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(crate) enum TemplateError {
    /// An action that is not one of the supported ones.
    #[error("unsupported action {{{{{0}}}}}: use fields (.Name), index, urlquery, html, if, else and end")]
    Unsupported(String),
    /// `{{` without `}}`.
    #[error("an action is not closed: add the missing \"}}}}\"")]
    Unclosed,
    /// `if` without `end`, or `end`/`else` without `if`.
    #[error("\"if\" and \"end\" do not match")]
    Unbalanced,
    /// More nested `if`s than [`parse::MAX_DEPTH`].
    #[error("\"if\" is nested too deeply")]
    TooDeep,
}

/// One piece of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Print(Expression),
    If {
        condition: Expression,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

/// What stands between the braces.
#[derive(Clone, Debug, PartialEq)]
struct Expression {
    escape: Escape,
    /// Names from the image down: `[]` is the image itself, `["Tags", "owner"]` a tag.
    path: Vec<String>,
}

/// How the value is made fit for where it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Escape {
    None,
    Html,
    UrlQuery,
}

impl Template {
    /// Understands `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self {
            nodes: parse::parse(text)?,
        })
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The link for an image: `metadata` is the image as JSON without its file system, `name` its name. An empty template
    /// gives an empty link.
    pub(crate) fn expand(&self, name: &str, metadata: &Value) -> String {
        let mut out = String::new();
        expand::expand(&self.nodes, name, metadata, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn expand(text: &str) -> String {
        let image = json!({"BuildBranch": "main", "CreatedBy": "", "OwnerUsers": ["a", "b"], "Tags": {"owner": "x&y z"}, "Packages": null});
        Template::parse(text).unwrap().expand("dir/image one", &image)
    }

    #[test]
    fn fields_tags_and_the_name_are_filled_in() {
        assert_eq!(
            expand("http://db/{{.Name}}?b={{ .BuildBranch }}"),
            "http://db/dir/image one?b=main"
        );
        assert_eq!(
            expand("{{.Tags.owner}}|{{index .Tags \"owner\"}}|{{.Tags.none}}|{{.OwnerUsers}}"),
            "x&y z|x&y z||[a b]"
        );
    }

    #[test]
    fn values_can_be_escaped_for_a_query_or_for_html() {
        assert_eq!(
            expand("{{urlquery .Tags.owner}} {{.Tags.owner | html}}"),
            "x%26y+z x&amp;y z"
        );
    }

    #[test]
    fn a_condition_holds_when_the_value_is_not_empty() {
        assert_eq!(
            expand("{{if .CreatedBy}}by {{.CreatedBy}}{{else}}nobody{{end}}"),
            "nobody"
        );
        assert_eq!(
            expand("{{if .BuildBranch}}{{if .CreatedBy}}x{{end}}y{{end}}"),
            "y"
        );
    }

    #[test]
    fn dashes_trim_the_space_around_an_action() {
        assert_eq!(expand("a  {{- .BuildBranch -}}\n b"), "amainb");
    }

    #[test]
    fn what_is_not_understood_is_refused_at_once() {
        assert!(matches!(
            Template::parse("{{range .Packages}}x{{end}}"),
            Err(TemplateError::Unsupported(_))
        ));
        assert_eq!(Template::parse("{{.Name"), Err(TemplateError::Unclosed));
        assert_eq!(Template::parse("{{if .Name}}"), Err(TemplateError::Unbalanced));
        assert_eq!(Template::parse("{{end}}"), Err(TemplateError::Unbalanced));
        assert_eq!(
            Template::parse(&"{{if .Name}}".repeat(1000)),
            Err(TemplateError::TooDeep)
        );
    }
}
