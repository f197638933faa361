//! Shell patterns as Go's `path.Match` understands them.

/// A compiled pattern. `*` is any run without `/`, `?` one character other than `/`, `[a-z]` and `[^a-z]` classes, `\` takes the
/// next character for itself. The whole text must match. A malformed pattern matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    tokens: Option<Vec<Token>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Run,
    Any,
    Exactly(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text.chars();
        let tokens = loop {
            match token(&mut rest) {
                Ok(Some(token)) => tokens.push(token),
                Ok(None) => break Some(tokens),
                Err(Malformed) => break None,
            }
        };
        Self {
            text: text.to_owned(),
            tokens,
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern can match anything.
    pub fn is_well_formed(&self) -> bool {
        self.tokens.is_some()
    }

    /// Whether all of `text` matches. Takes at most the product of both lengths in steps.
    pub fn matches(&self, text: &str) -> bool {
        let Some(tokens) = &self.tokens else { return false };
        let (mut at, mut rest) = (0, text);
        // Where to go on with one character more for the last `*`.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            match tokens.get(at) {
                None if rest.is_empty() => return true,
                Some(Token::Run) => {
                    at += 1;
                    retry = Some((at, rest));
                    continue;
                }
                Some(token) => {
                    let mut characters = rest.chars();
                    if characters
                        .next()
                        .is_some_and(|character| token.matches(character))
                    {
                        at += 1;
                        rest = characters.as_str();
                        continue;
                    }
                }
                None => {}
            }
            let Some((behind_run, from)) = retry else {
                return false;
            };
            let mut characters = from.chars();
            if characters.next().is_none_or(|character| character == '/') {
                return false;
            }
            (at, rest) = (behind_run, characters.as_str());
            retry = Some((behind_run, rest));
        }
    }
}

impl Token {
    fn matches(&self, character: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => character != '/',
            Self::Exactly(wanted) => character == *wanted,
            Self::Class { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character))
                    != *negated
            }
        }
    }
}

struct Malformed;

fn token(rest: &mut std::str::Chars<'_>) -> Result<Option<Token>, Malformed> {
    Ok(Some(match rest.next() {
        None => return Ok(None),
        Some('*') => Token::Run,
        Some('?') => Token::Any,
        Some('\\') => Token::Exactly(rest.next().ok_or(Malformed)?),
        Some('[') => class(rest)?,
        Some(character) => Token::Exactly(character),
    }))
}

fn class(rest: &mut std::str::Chars<'_>) -> Result<Token, Malformed> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            return Ok(Token::Class { negated, ranges });
        }
        let low = class_character(rest)?;
        let high = if rest.as_str().starts_with('-') {
            rest.next();
            class_character(rest)?
        } else {
            low
        };
        ranges.push((low, high));
    }
}

fn class_character(rest: &mut std::str::Chars<'_>) -> Result<char, Malformed> {
    match rest.next() {
        None | Some('-' | ']') => Err(Malformed),
        Some('\\') => rest.next().ok_or(Malformed),
        Some(character) => Ok(character),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn method_patterns_match_as_in_certificates() {
        for (pattern, text, expected) in [
            ("*.*", "ImageServer.GetImage", true),
            ("ImageServer.*", "ImageServer.GetImage", true),
            ("ImageServer.*", "ObjectServer.GetObjects", false),
            ("*.Get*", "ImageServer.GetImage", true),
            ("*.Get*", "ImageServer.AddImage", false),
            ("ImageServer.GetImage", "ImageServer.GetImage", true),
            ("ImageServer.GetImage", "ImageServer.GetImageInodes", false),
            ("ImageServer.Get?mage", "ImageServer.GetImage", true),
            ("*.*", "NoDot", false),
            ("*.*", "a/b.c", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    // The cases were put to Go's path.Match.
    #[test]
    fn the_whole_language_is_go_s() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("a*/b", "a/c/b", false),
            ("a?b", "a/b", false),
            ("a[a-z]*", "ab", true),
            ("a[^a-z]", "ab", false),
            ("a[^a-z]", "a5", true),
            ("a[^a-z]", "aé", true),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "x", true),
            ("[a-]", "a", false),
            ("[-a]", "-", false),
            ("[]a]", "]", false),
            ("[]", "a", false),
            ("[^]", "a", false),
            ("[^bc", "a", false),
            ("a[", "a", false),
            ("[a-b-c]", "a", false),
            ("*x", "xxx", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a\\", "a", false),
            ("[é-ö]", "í", true),
            ("?", "é", true),
            ("[^a]", "/", true),
            ("*[^a]", "a/", true),
            ("*[", "x", false),
            ("a*", "a/b", false),
            ("**.*", "A.b", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
