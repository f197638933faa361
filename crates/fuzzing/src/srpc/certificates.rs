//! What certificates say, and the patterns in them.

use srpc::fuzzing;
use srpc::powers::{CertificateClaims, Pattern, Powers, extension_der};

use crate::input::Input;

/// Steps a comparison may take, so that it never is what takes long.
const COMPARED_BYTES_MAX: usize = 256;

/// A certificate, or an extension's value.
pub(super) fn claims(input: Input<'_>) {
    let der = input.rest();
    if let Ok(claims) = CertificateClaims::from_der(der) {
        let powers = Powers::new(&claims.methods);
        let _ = powers.permit("ImageServer.GetImage");
        assert_eq!(powers.patterns().len(), claims.methods.len());
        // Two certificates of ours must be able to say the same.
        assert_eq!(
            fuzzing::extension_strings(&extension_der(&claims.groups)),
            Ok(claims.groups)
        );
    }
    if let Ok(strings) = fuzzing::extension_strings(der) {
        assert_eq!(fuzzing::extension_strings(&extension_der(&strings)), Ok(strings));
    }
}

/// A pattern and a text, with a zero byte between them.
pub(super) fn pattern(input: Input<'_>) {
    let text = String::from_utf8_lossy(input.rest()).into_owned();
    let (pattern, text) = text.split_once('\0').unwrap_or((&text, ""));
    let compiled = Pattern::new(pattern);
    let matches = compiled.matches(text);
    assert_eq!(compiled.as_str(), pattern);
    assert!(compiled.is_well_formed() || !matches);
    if !pattern.contains(['[', '\\']) && pattern.len() + text.len() <= COMPARED_BYTES_MAX {
        assert_eq!(matches, obvious_match(pattern, text), "{pattern:?} {text:?}");
    }
}

/// The textbook's table for patterns of `*` and `?`.
fn obvious_match(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        if wanted == '*' {
            for at in 0..=text.len() {
                next[at] = reachable[at] || at > 0 && next[at - 1] && text[at - 1] != '/';
            }
        } else {
            for at in 0..text.len() {
                let fits = if wanted == '?' {
                    text[at] != '/'
                } else {
                    text[at] == wanted
                };
                next[at + 1] = reachable[at] && fits;
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}
