//! Man page and completions, printed by the program itself, so that packages need nothing but the program.

use crate::{Shell, Table, complete, man};

/// What `--print-completion=` takes.
const SHELLS: &[(&str, Shell)] = &[("bash", Shell::Bash), ("fish", Shell::Fish), ("zsh", Shell::Zsh)];

impl Table {
    /// Prints the man page or a completion script to standard output and ends the process, if `--print-man-page` or
    /// `--print-completion=SHELL` is all that the command line says. A daemon asks this before it refuses to run as root:
    /// packages are built as root.
    pub fn print_document_if_asked(&self) {
        let mut arguments = std::env::args().skip(1);
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            return;
        };
        if let Some(document) = self.document(&argument) {
            print!("{document}");
            std::process::exit(0);
        }
    }

    /// The document an argument asks for.
    fn document(&self, argument: &str) -> Option<String> {
        if argument == "--print-man-page" {
            return Some(man(self));
        }
        let shell = argument.strip_prefix("--print-completion=")?;
        let (_, shell) = SHELLS.iter().find(|(name, _)| *name == shell)?;
        Some(complete(self, *shell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_printed_when_asked_for_by_name_only() {
        let table = Table::daemon("imageserver", "serves images");
        assert!(
            table
                .document("--print-man-page")
                .unwrap()
                .contains(".TH imageserver 8")
        );
        for (name, _) in SHELLS {
            let script = table.document(&format!("--print-completion={name}")).unwrap();
            assert!(script.contains("imageserver"), "{script}");
        }
        for argument in ["--print-completion=sh", "--print-completion", "-h", ""] {
            assert_eq!(table.document(argument), None, "{argument}");
        }
    }
}
