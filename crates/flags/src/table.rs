//! The table of a program: its flags, its verbs, what the help says besides.

use std::collections::BTreeMap;

use crate::{Exit, Flag, Mark, Origin, Value, Values, Verb, Version, nearest};

/// A closing section of the full usage, for example the types of image names.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Its heading.
    pub heading: &'static str,
    /// Its lines.
    pub lines: &'static [&'static str],
}

/// Everything a program's command line may hold.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) program: String,
    pub(crate) about: &'static str,
    pub(crate) is_tool: bool,
    pub(crate) flags: Vec<Flag>,
    pub(crate) verbs: Vec<Verb>,
    pub(crate) notes: Vec<Note>,
    pub(crate) version: Version,
}

impl Table {
    fn new(program: impl Into<String>, about: &'static str, is_tool: bool) -> Self {
        let version = Flag::boolean("version", false, "print version information and exit").group("general");
        Self {
            program: program.into(),
            about,
            is_tool,
            flags: vec![version],
            verbs: Vec::new(),
            notes: Vec::new(),
            version: Version::of_build(),
        }
    }

    /// A daemon: `-h` lists every flag. `about` completes "NAME: ...".
    pub fn daemon(program: impl Into<String>, about: &'static str) -> Self {
        Self::new(program, about, false)
    }

    /// A tool with verbs: `-h` fits a screen, `--help` and `-help` tell everything.
    pub fn tool(program: impl Into<String>, about: &'static str) -> Self {
        Self::new(program, about, true)
    }

    /// Adds a flag.
    pub fn flag(mut self, flag: Flag) -> Self {
        self.flags.push(flag);
        self
    }

    /// Adds flags.
    pub fn flags(mut self, flags: impl IntoIterator<Item = Flag>) -> Self {
        self.flags.extend(flags);
        self
    }

    /// Adds a verb.
    pub fn verb(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Adds verbs.
    pub fn verbs(mut self, verbs: impl IntoIterator<Item = Verb>) -> Self {
        self.verbs.extend(verbs);
        self
    }

    /// Adds a closing section to the full usage.
    pub fn note(mut self, heading: &'static str, lines: &'static [&'static str]) -> Self {
        self.notes.push(Note { heading, lines });
        self
    }

    /// The program's name.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What was built.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// All flags, in the order they were added.
    pub fn all_flags(&self) -> &[Flag] {
        &self.flags
    }

    /// All verbs, in the order they were added.
    pub fn all_verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// The flag of this Go name or hyphenated spelling.
    pub fn find(&self, name: &str) -> Option<&Flag> {
        self.flags
            .iter()
            .find(|flag| flag.name == name)
            .or_else(|| self.flags.iter().find(|flag| flag.hyphenated() == name))
    }

    /// The verb the arguments behind the flags ask for, and its own arguments, their number checked.
    ///
    /// # Errors
    /// What to print when there is no verb, an unknown one, or a wrong number of arguments; status 2.
    pub fn verb_of<'v>(&self, values: &'v Values) -> Result<(&Verb, &'v [String]), Exit> {
        let Some((name, arguments)) = values.arguments.split_first() else {
            return Err(Exit::wrong_use(self.short_help()));
        };
        let Some(verb) = self.verbs.iter().find(|verb| verb.name == name) else {
            return Err(Exit::wrong_use(self.unknown_verb(name)));
        };
        if !verb.arity().admits(arguments.len()) {
            return Err(Exit::wrong_use(self.wrong_count(verb, arguments.len())));
        }
        Ok((verb, arguments))
    }

    fn unknown_verb(&self, name: &str) -> String {
        let mut text = format!("error: unknown command: {name:?}\n");
        let known = self.verbs.iter().map(|verb| verb.name);
        match nearest(name, known) {
            Some(near) => text += &format!("try: {} {near}\n", self.program),
            None => text += &format!("try: {} -h\n", self.program),
        }
        text
    }

    fn wrong_count(&self, verb: &Verb, given: usize) -> String {
        let program = &self.program;
        let needed = verb.arity().words();
        let usage = format!("{program} [flags...] {} {}", verb.name, verb.arguments);
        format!(
            "error: {}: wrong number of arguments: {given} given, {needed} needed\nusage: {}\n",
            verb.name,
            usage.trim_end()
        )
    }

    /// The verbs the short help names.
    pub(crate) fn common_verbs(&self) -> impl Iterator<Item = &Verb> {
        self.verbs.iter().filter(|verb| !verb.is(Mark::Rare))
    }

    /// The values of all flags before anything is read.
    ///
    /// A default that its own kind refuses is a mistake in the program; it shows as an exit with the flag's name.
    pub(crate) fn defaults(&self) -> Result<Values, Exit> {
        let mut values = BTreeMap::new();
        for flag in &self.flags {
            let value = Value::read(flag.kind, &flag.default).map_err(|error| {
                let text = format!(
                    "flag -{} has a bad default {:?}: {error}\n",
                    flag.name, flag.default
                );
                Exit::wrong_use(text)
            })?;
            if values.insert(flag.name, (value, Origin::Default)).is_some() {
                return Err(Exit::wrong_use(format!("flag redefined: {}\n", flag.name)));
            }
        }
        Ok(Values {
            values,
            arguments: Vec::new(),
        })
    }
}
