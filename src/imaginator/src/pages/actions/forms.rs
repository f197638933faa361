//! The forms themselves.

use super::Visitor;
use crate::pages::context::Context;
use front::page::escape;

/// A value a form sends.
pub(in crate::pages) enum Field {
    /// Nobody sees it.
    Hidden(&'static str, String),
    /// Chosen from values with their words; the first is chosen.
    Choice(&'static str, &'static str, Vec<(String, String)>),
    /// Written; may be empty.
    Text(&'static str, &'static str),
}

/// What changes something.
pub(in crate::pages) struct Button {
    /// What is on it.
    pub(in crate::pages) label: &'static str,
    /// Where its form posts to.
    pub(in crate::pages) path: &'static str,
    /// The method of the service that does the same.
    pub(in crate::pages) method: &'static str,
    /// What its form sends.
    pub(in crate::pages) fields: Vec<Field>,
    /// The command that does the same.
    pub(in crate::pages) command: String,
}

impl Button {
    /// Ready to be pressed for who has given a token, else with the command and a field for a token.
    pub(in crate::pages) fn html(&self, context: &Context<'_>) -> String {
        let (path, label) = (self.path, escape(self.label));
        let fields: String = self.fields.iter().map(Field::html).collect();
        let visitor = &context.visitor;
        if visitor.may(context.shared, self.method).is_some() {
            let proof = visitor.proof();
            return format!(
                "<form class=\"act\" method=\"post\" action=\"{path}\">{fields}\
                 <input type=\"hidden\" name=\"proof\" value=\"{proof}\"><button>{label}</button></form>"
            );
        }
        let command = escape(&self.command);
        format!(
            "<details class=\"act\"><summary>{label}…</summary><div><p>From the command line:</p>\
             <pre><code data-copy=\"{command}\">{command}</code></pre>\
             <form method=\"post\" action=\"{path}\"><p>Or here, with a token from <code>builder-tool get-page-token</code>:</p>\
             <p>{fields} <label>token <input type=\"password\" name=\"token\" required autocomplete=\"off\"></label> \
             <button>{label}</button></p></form></div></details>"
        )
    }
}

impl Field {
    fn html(&self) -> String {
        match self {
            Self::Hidden(name, value) => {
                format!(
                    "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                    escape(value)
                )
            }
            Self::Choice(name, label, values) => {
                let option = |(value, word): &(String, String)| {
                    format!("<option value=\"{}\">{}</option>", escape(value), escape(word))
                };
                let options: String = values.iter().map(option).collect();
                format!("<label>{label} <select name=\"{name}\">{options}</select></label> ")
            }
            Self::Text(name, label) => {
                format!("<label>{label} <input name=\"{name}\" size=\"12\" autocomplete=\"off\"></label> ")
            }
        }
    }
}

/// Who gave a token, and the way to take it back; nothing if nobody did.
pub(in crate::pages) fn who(context: &Context<'_>) -> String {
    let methods = [
        "BuildImage",
        "CancelBuild",
        "StartAutoBuilds",
        "DisableAutoBuilds",
        "DisableBuildRequests",
    ];
    let visitor: &Visitor = &context.visitor;
    let Some(username) = methods
        .iter()
        .find_map(|method| visitor.may(context.shared, method))
    else {
        return String::new();
    };
    format!(
        "<form class=\"act\" method=\"post\" action=\"/forgetToken\">You act as <b>{}</b>. <button>forget the token</button></form>",
        escape(&username)
    )
}
