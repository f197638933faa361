//! The verbs of a tool: arguments, counts, help.

/// How many arguments a verb takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// At least this many.
    pub least: usize,
    /// At most this many; `None` is any number.
    pub most: Option<usize>,
}

impl Arity {
    /// Whether `count` arguments are right.
    pub fn admits(self, count: usize) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }

    /// `4`, `2 to 3`, `at least 3`.
    pub fn words(self) -> String {
        match self.most {
            Some(most) if most == self.least => most.to_string(),
            Some(most) => format!("{} to {most}", self.least),
            None => format!("at least {}", self.least),
        }
    }
}

/// One argument as the usage shows it: `name`, `[outfile]`, `layerimage...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The name without brackets or dots.
    pub name: &'static str,
    /// In brackets: may be left out.
    pub optional: bool,
    /// With three dots: one or more.
    pub repeated: bool,
}

impl Argument {
    fn read(text: &'static str) -> Self {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (optional, text) = (inner.is_some(), inner.unwrap_or(text));
        let stripped = text.strip_suffix("...");
        Self {
            name: stripped.unwrap_or(text),
            optional,
            repeated: stripped.is_some(),
        }
    }
}

/// What is special about a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Goes to the master server when one is named (`imagetool.md §4`, M).
    Master,
    /// Talks to no server.
    Local,
    /// Needs root.
    Root,
    /// Destroys something.
    Destroys,
    /// Seldom used: left out of the short help.
    Rare,
}

/// A verb.
#[derive(Clone, Debug)]
pub struct Verb {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) help: &'static str,
    pub(crate) group: &'static str,
    pub(crate) marks: Vec<Mark>,
    pub(crate) examples: &'static [&'static str],
}

impl Verb {
    /// A verb; `arguments` as the usage shows them, for example `name imagefile [outfile]` or `name layerimage...`.
    pub fn new(name: &'static str, arguments: &'static str, help: &'static str) -> Self {
        Self {
            name,
            arguments,
            help,
            group: "",
            marks: Vec::new(),
            examples: &[],
        }
    }

    /// The heading it stands under in the help.
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Adds a mark.
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// Worked examples, each a command line and, behind ` # `, what it does.
    pub fn examples(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The line of help.
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// Whether it has a mark.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    /// Its arguments.
    pub fn arguments(&self) -> impl Iterator<Item = Argument> + use<> {
        self.arguments.split_whitespace().map(Argument::read)
    }

    /// How many arguments it takes.
    pub fn arity(&self) -> Arity {
        let least = self.arguments().filter(|argument| !argument.optional).count();
        let count = self.arguments().count();
        let open = self.arguments().any(|argument| argument.repeated);
        Arity {
            least,
            most: (!open).then_some(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arity(arguments: &'static str) -> (usize, Option<usize>) {
        let arity = Verb::new("v", arguments, "").arity();
        (arity.least, arity.most)
    }

    #[test]
    fn counts_follow_from_the_text_of_the_arguments() {
        assert_eq!(arity(""), (0, Some(0)));
        assert_eq!(arity("name imagefile filterfile triggerfile"), (4, Some(4)));
        assert_eq!(arity("name [outfile]"), (1, Some(2)));
        assert_eq!(arity("layerimage..."), (1, None));
        assert_eq!(arity("name baseimage layerimage..."), (3, None));
        assert!(
            Arity {
                least: 1,
                most: Some(2)
            }
            .admits(2)
        );
        assert!(
            !Arity {
                least: 1,
                most: Some(2)
            }
            .admits(3)
        );
        assert!(!Arity { least: 3, most: None }.admits(2));
    }
}
