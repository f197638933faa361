//! Finds where a JSON value ends, looking at each byte once however the value arrives in pieces.

/// State of the search for the end of one value. It checks brackets and strings only; whether it is JSON is found out by the
/// parser afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanner {
    /// Bytes looked at so far.
    seen_bytes: usize,
    kind: Kind,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Where the value ends, once that is known: asked again, the answer is the same.
    end: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    NotStarted,
    Brackets,
    Text,
    Word,
}

/// How far the search got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// The value is the input up to here.
    End(usize),
    /// The value goes on.
    More,
    /// No value starts with this character.
    NoValue(char),
}

impl Scanner {
    /// Goes on with the same input and more of it.
    pub(crate) fn scan(&mut self, input: &[u8]) -> Scan {
        while self.end.is_none() {
            let Some(&byte) = input.get(self.seen_bytes) else {
                return Scan::More;
            };
            match self.step(byte) {
                Step::Go => self.seen_bytes += 1,
                Step::EndBehind => self.end = Some(self.seen_bytes + 1),
                Step::EndBefore => self.end = Some(self.seen_bytes),
                Step::NoValue => return Scan::NoValue(first_character(&input[self.seen_bytes..])),
            }
        }
        self.end.map_or(Scan::More, Scan::End)
    }

    /// Whether anything but white space was seen.
    pub(crate) fn has_started(&self) -> bool {
        self.kind != Kind::NotStarted
    }

    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            return self.step_in_string(byte);
        }
        match self.kind {
            Kind::NotStarted => self.start(byte),
            Kind::Word if b" \t\r\n,:]}".contains(&byte) => Step::EndBefore,
            Kind::Word | Kind::Text => Step::Go,
            Kind::Brackets => match byte {
                b'"' => {
                    self.in_string = true;
                    Step::Go
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    Step::Go
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        Step::EndBehind
                    } else {
                        Step::Go
                    }
                }
                _ => Step::Go,
            },
        }
    }

    fn step_in_string(&mut self, byte: u8) -> Step {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            if self.kind == Kind::Text {
                return Step::EndBehind;
            }
        }
        Step::Go
    }

    fn start(&mut self, byte: u8) -> Step {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Step::Go,
            b'{' | b'[' => {
                self.kind = Kind::Brackets;
                self.depth = 1;
            }
            b'"' => {
                self.kind = Kind::Text;
                self.in_string = true;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.kind = Kind::Word,
            _ => return Step::NoValue,
        }
        Step::Go
    }
}

enum Step {
    Go,
    EndBehind,
    EndBefore,
    NoValue,
}

fn first_character(input: &[u8]) -> char {
    let start = &input[..input.len().min(4)];
    String::from_utf8_lossy(start)
        .chars()
        .next()
        .unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::{Scan, Scanner};

    fn ends(input: &str) -> Scan {
        let whole = Scanner::default().scan(input.as_bytes());
        let mut scanner = Scanner::default();
        let mut piecewise = Scan::More;
        for end in 0..=input.len() {
            piecewise = scanner.scan(&input.as_bytes()[..end]);
            if piecewise != Scan::More {
                break;
            }
        }
        assert_eq!(whole, piecewise, "{input:?}");
        assert_eq!(scanner.scan(input.as_bytes()), whole, "{input:?} asked again");
        whole
    }

    #[test]
    fn the_end_of_each_kind_of_value_is_found() {
        assert_eq!(ends("{\"a\":[1,{\"b\":\"}\\\"]\"}]}\nrest"), Scan::End(22));
        assert_eq!(ends(" \n[]"), Scan::End(4));
        assert_eq!(ends("\"a\\\\\"x"), Scan::End(5));
        assert_eq!(ends("123\n"), Scan::End(3));
        assert_eq!(ends("null\n"), Scan::End(4));
    }

    #[test]
    fn an_unfinished_value_goes_on() {
        for input in ["", " ", "{", "{\"a\":1", "\"x\\\"", "12", "[\"]"] {
            assert_eq!(ends(input), Scan::More, "{input:?}");
        }
    }

    #[test]
    fn what_cannot_start_a_value_is_named() {
        assert_eq!(ends("xyz"), Scan::NoValue('x'));
        assert_eq!(Scanner::default().scan("é".as_bytes()), Scan::NoValue('é'));
    }
}
