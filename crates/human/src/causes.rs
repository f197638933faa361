//! Errors as people read them.

use std::error::Error;

/// What happened and why, each cause once: some errors tell theirs themselves.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Failure {
        words: &'static str,
        source: Option<Box<Failure>>,
    }

    fn failure(words: &[&'static str]) -> Option<Box<Failure>> {
        let (&words, causes) = words.split_first()?;
        let source = failure(causes);
        Some(Box::new(Failure { words, source }))
    }

    #[test]
    fn each_cause_is_told_once() {
        let told = |words| with_causes(&*failure(words).unwrap());
        assert_eq!(told(&["cannot start"]), "cannot start");
        assert_eq!(
            told(&["cannot start", "file: no such file", "no such file"]),
            "cannot start: file: no such file"
        );
        assert_eq!(told(&["port 1: in use", "in use"]), "port 1: in use");
    }
}
