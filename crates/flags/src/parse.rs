//! Reading a command line as Go's flag package does.

use crate::{Exit, Flag, FlagFile, Kind, Origin, Outcome, Table, Value, Values, files, nearest};

impl Table {
    /// Reads arguments (without the program's name), without any flag files.
    pub fn parse(&self, arguments: impl IntoIterator<Item = String>) -> Outcome {
        self.parse_after(&[], arguments)
    }

    /// Reads flag files in their order, then arguments (without the program's name).
    pub fn parse_after(&self, files: &[FlagFile], arguments: impl IntoIterator<Item = String>) -> Outcome {
        match self.try_parse(files, arguments.into_iter().collect()) {
            Ok(values) => Outcome::Run(values),
            Err(exit) => Outcome::Exit(exit),
        }
    }

    /// Reads flag files, then this process's arguments. Prints and ends the process when that is what was asked for.
    pub fn parse_process(&self, files: &[FlagFile]) -> Values {
        self.print_document_if_asked();
        let mut arguments = Vec::new();
        for argument in std::env::args_os().skip(1) {
            match argument.into_string() {
                Ok(argument) => arguments.push(argument),
                Err(argument) => {
                    Exit::wrong_use(format!("argument is not valid UTF-8: {argument:?}\n")).leave()
                }
            }
        }
        self.parse_after(files, arguments).or_leave()
    }

    fn try_parse(&self, files: &[FlagFile], arguments: Vec<String>) -> Result<Values, Exit> {
        let mut values = self.defaults()?;
        for file in files {
            files::preload(self, file, &mut values)?;
        }
        let mut arguments = arguments.into_iter().peekable();
        while let Some(argument) = arguments.next_if(|argument| is_flag(argument)) {
            if argument == "--" {
                break;
            }
            self.one_flag(&argument, &mut arguments, &mut values)?;
        }
        values.arguments = arguments.collect();
        if values.boolean("version") {
            return Err(Exit {
                code: 0,
                text: self.version.lines(&self.program),
            });
        }
        Ok(values)
    }

    fn one_flag(
        &self,
        argument: &str,
        rest: &mut impl Iterator<Item = String>,
        values: &mut Values,
    ) -> Result<(), Exit> {
        let word = argument.strip_prefix("--").unwrap_or(&argument[1..]);
        if word.is_empty() || word.starts_with(['-', '=']) {
            return Err(self.wrong_flag(format!("bad flag syntax: {argument}\n")));
        }
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let Some(flag) = self.find(name) else {
            return Err(self.unknown_flag(argument, name));
        };
        let value = self.flag_value(flag, name, given, rest)?;
        values.set(flag, value, Origin::CommandLine);
        Ok(())
    }

    fn flag_value(
        &self,
        flag: &Flag,
        name: &str,
        given: Option<String>,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<Value, Exit> {
        if flag.kind == Kind::Boolean {
            let text = given.as_deref().unwrap_or("true");
            return flag.read(text).map_err(|error| {
                self.wrong_flag(format!("invalid boolean value {text:?} for -{name}: {error}\n"))
            });
        }
        let Some(text) = given.or_else(|| rest.next()) else {
            return Err(self.wrong_flag(format!("flag needs an argument: -{name}\n")));
        };
        flag.read(&text)
            .map_err(|error| self.wrong_flag(format!("invalid value {text:?} for flag -{name}: {error}\n")))
    }

    fn unknown_flag(&self, argument: &str, name: &str) -> Exit {
        match name {
            // Only `-h` is short: it is what people type who want to see something at once.
            "h" if self.is_tool && !argument.starts_with("--") => Exit {
                code: 0,
                text: self.short_help(),
            },
            "h" | "help" if self.is_tool => Exit {
                code: 0,
                text: self.long_help(),
            },
            "h" | "help" => Exit {
                code: 0,
                text: self.usage(),
            },
            _ => self.wrong_flag(format!(
                "flag provided but not defined: -{name}\n{}",
                self.near(name)
            )),
        }
    }

    fn near(&self, name: &str) -> String {
        let spellings: Vec<String> = self.flags.iter().map(Flag::hyphenated).collect();
        let known = self
            .flags
            .iter()
            .map(|flag| flag.name)
            .chain(spellings.iter().map(String::as_str));
        nearest(name, known)
            .map(|near| format!("try: -{near}\n"))
            .unwrap_or_default()
    }

    /// Wrong use: the line, then the usage.
    fn wrong_flag(&self, line: String) -> Exit {
        let usage = if self.is_tool {
            self.short_help()
        } else {
            self.usage()
        };
        Exit::wrong_use(line + &usage)
    }
}

/// Go's rule: at least two characters, the first a hyphen.
fn is_flag(argument: &str) -> bool {
    argument.len() >= 2 && argument.starts_with('-')
}

#[cfg(test)]
#[path = "tests/parse.rs"]
mod tests;
