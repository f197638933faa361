//! The definition of one flag.

use crate::{Value, ValueError};

/// What values a flag takes. The words in usage texts are those of Go's flag package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// `-x`, `-x=true`, `-x=0`; never `-x true`.
    Boolean,
    /// Signed integer of 64 bits in Go's syntax (`10`, `0x1f`, `1_000`).
    Integer,
    /// Unsigned integer of 64 bits.
    Unsigned,
    /// Go duration such as `24h0m0s`, not negative.
    Duration,
    /// Bytes with an optional suffix, such as `10MiB`.
    Size,
    /// Comma separated texts.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The word Go prints behind the flag's name; empty for booleans.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Boolean => "",
            Kind::Integer => "int",
            Kind::Unsigned => "uint",
            Kind::Duration => "duration",
            Kind::Size | Kind::List | Kind::Choice(_) => "value",
        }
    }
}

/// How prominently a flag is shown. All but `Hidden` are in the full usage text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prominence {
    /// One of the handful people need: in the short help of tools.
    Key,
    /// In the full usage.
    Ordinary,
    /// In the full usage, last in its group.
    Rare,
    /// Accepted, shown nowhere.
    Hidden,
}

/// A further condition on a flag's text, with the reason as Go would print it after `invalid value "x" for flag -f: `.
pub(crate) type Check = fn(&str) -> Result<(), String>;

/// One flag: its Go name, its kind, its default as text, one line of help.
#[derive(Clone, Debug)]
pub struct Flag {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: String,
    pub(crate) documented: Option<&'static str>,
    pub(crate) help: &'static str,
    pub(crate) group: &'static str,
    pub(crate) prominence: Prominence,
    pub(crate) spelling: Option<&'static str>,
    pub(crate) check: Option<Check>,
}

impl Flag {
    fn new(name: &'static str, kind: Kind, default: impl Into<String>, help: &'static str) -> Self {
        let default = default.into();
        Self {
            name,
            kind,
            default,
            documented: None,
            help,
            group: "",
            prominence: Prominence::Ordinary,
            spelling: None,
            check: None,
        }
    }

    /// A flag with any text as its value.
    pub fn string(name: &'static str, default: impl Into<String>, help: &'static str) -> Self {
        Self::new(name, Kind::Text, default, help)
    }

    /// A boolean flag.
    pub fn boolean(name: &'static str, default: bool, help: &'static str) -> Self {
        Self::new(name, Kind::Boolean, default.to_string(), help)
    }

    /// A signed integer.
    pub fn integer(name: &'static str, default: i64, help: &'static str) -> Self {
        Self::new(name, Kind::Integer, default.to_string(), help)
    }

    /// An unsigned integer.
    pub fn unsigned(name: &'static str, default: u64, help: &'static str) -> Self {
        Self::new(name, Kind::Unsigned, default.to_string(), help)
    }

    /// A duration; `default` in Go's canonical text (`5m0s`), as it is shown in the usage.
    pub fn duration(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Duration, default, help)
    }

    /// A number of bytes; `default` such as `10MiB`, empty for none.
    pub fn size(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Size, default, help)
    }

    /// A comma separated list; `default` in the same form.
    pub fn list(name: &'static str, default: impl Into<String>, help: &'static str) -> Self {
        Self::new(name, Kind::List, default, help)
    }

    /// One of `words`.
    pub fn choice(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self::new(name, Kind::Choice(words), default, help)
    }

    /// The heading this flag stands under in the long help and the man page.
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Shows the flag in the short help of a tool.
    pub fn key(mut self) -> Self {
        self.prominence = Prominence::Key;
        self
    }

    /// Lists the flag last in its group.
    pub fn rare(mut self) -> Self {
        self.prominence = Prominence::Rare;
        self
    }

    /// Accepts the flag without showing it.
    pub fn hidden(mut self) -> Self {
        self.prominence = Prominence::Hidden;
        self
    }

    /// The hyphenated spelling where the rule of [`Flag::hyphenated`] gives an ugly one.
    pub fn spelled(mut self, hyphenated: &'static str) -> Self {
        self.spelling = Some(hyphenated);
        self
    }

    /// What the man page tells as the default, where the real one depends on the process or the user.
    pub fn documented(mut self, default: &'static str) -> Self {
        self.documented = Some(default);
        self
    }

    /// A further condition on the text.
    pub fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// The Go name, such as `imageDir`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What values it takes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The default as text.
    pub fn default_text(&self) -> &str {
        &self.default
    }

    /// The default as documentation tells it: the same on every machine.
    pub(crate) fn documented_default(&self) -> &str {
        self.documented.unwrap_or(&self.default)
    }

    /// The line of help.
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// How prominently it is shown.
    pub fn prominence(&self) -> Prominence {
        self.prominence
    }

    /// The spelling people expect after `--`: `imageDir` is `image-dir`. A run of capitals is one word with what
    /// follows it (`CAfile` would be `cafile`, so that flag has a spelling of its own).
    pub fn hyphenated(&self) -> String {
        if let Some(spelling) = self.spelling {
            return spelling.to_owned();
        }
        let mut text = String::with_capacity(self.name.len() + 4);
        let mut previous_was_lower = false;
        for character in self.name.chars() {
            if character.is_ascii_uppercase() && previous_was_lower {
                text.push('-');
            }
            previous_was_lower = !character.is_ascii_uppercase();
            text.push(character.to_ascii_lowercase());
        }
        text
    }

    /// Reads a value of this flag.
    ///
    /// # Errors
    /// [`ValueError`] with the text Go prints.
    pub fn read(&self, text: &str) -> Result<Value, ValueError> {
        if let Some(check) = self.check {
            check(text).map_err(ValueError::Refused)?;
        }
        Value::read(self.kind, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_becomes_hyphens() {
        let spelled = |name| Flag::string(name, "", "").hyphenated();
        assert_eq!(spelled("imageDir"), "image-dir");
        assert_eq!(
            spelled("srpcDefaultTlsHandshakeTimeout"),
            "srpc-default-tls-handshake-timeout"
        );
        assert_eq!(spelled("logbufLines"), "logbuf-lines");
        assert_eq!(spelled("debug"), "debug");
        assert_eq!(
            Flag::string("CAfile", "", "").spelled("ca-file").hyphenated(),
            "ca-file"
        );
    }
}
