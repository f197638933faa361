//! `Authorization: Signature …`, key files, signatures of agents.

use repository::dates;
use repository::signature::{KeyTable, Policy, PublicKey, SignedRequest, SigningKey, authenticate, of_agent};

use crate::input::Input;

/// Its private half was never kept.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f x";

/// What kind, then the bytes.
pub fn signature(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 8 {
        0..=4 => header(input),
        5 => {
            let text = String::from_utf8_lossy(input.rest()).into_owned();
            let mut table = KeyTable::default();
            table.add_file("joe", &text);
            let lines = text.lines().count();
            assert!(table.keys("joe").len() + table.problems().len() <= lines);
            for key in table.keys("joe") {
                assert!(key.has_fingerprint(key.fingerprint()));
            }
        }
        6 => {
            let _ = SigningKey::parse(&String::from_utf8_lossy(input.rest()));
        }
        _ => {
            if let (Ok((algorithm, signature)), Ok(key)) = (of_agent(input.rest()), PublicKey::parse(KEY)) {
                assert!(!key.verifies(algorithm, b"text", &signature));
            }
        }
    }
}

/// The header, then the date, with a zero byte between them: nobody gets in whose key there is not.
fn header(mut input: Input<'_>) {
    let header = String::from_utf8_lossy(input.part()).into_owned();
    let date = String::from_utf8_lossy(input.part()).into_owned();
    let mut keys = KeyTable::default();
    keys.add_file("joe", KEY);
    let find = |name: &str| match name {
        "date" if !date.is_empty() => Some(date.clone()),
        "date" => Some("Sun, 22 Nov 2026 12:00:00 GMT".to_owned()),
        "host" => Some("x".to_owned()),
        _ => None,
    };
    let request = SignedRequest {
        method: "GET",
        url: "/ping",
        header: &find,
    };
    let now = dates::parse("2026-11-22T12:00:00Z").unwrap_or(std::time::UNIX_EPOCH);
    let result = authenticate(Some(&header), &request, &keys, now, &Policy { accept_sha1: true });
    let error = result.err().unwrap_or_else(|| panic!("{header:?} got in"));
    assert_eq!(error.status(), 401);
}
