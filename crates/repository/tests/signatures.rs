//! Signatures of both sides, with keys in the form of OpenSSH that OpenSSL made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::dsa::Dsa;
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use proptest::prelude::*;
use repository::signature::{
    Algorithm, KeyTable, Policy, SignedRequest, SigningKey, User, authenticate, authorization, of_agent,
    signing_string,
};
use repository::{ApiError, dates};
use std::time::{Duration, SystemTime};

const POLICY: Policy = Policy { accept_sha1: true };

/// A private key file and the line of its public half.
struct Pair {
    private: String,
    public: String,
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut text = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    text.extend_from_slice(bytes);
    text
}

/// A positive number of any length, as SSH has it.
fn number(bytes: &[u8]) -> Vec<u8> {
    let bytes: Vec<u8> = bytes.iter().copied().skip_while(|&byte| byte == 0).collect();
    match bytes.first() {
        Some(&first) if first >= 0x80 => string(&[&[0], &bytes[..]].concat()),
        _ => string(&bytes),
    }
}

fn pair(kind: &str, public: &[u8], private: &[u8]) -> Pair {
    let blob = [string(kind.as_bytes()), public.to_vec()].concat();
    let mut secret = [
        &[1, 2, 3, 4, 1, 2, 3, 4],
        &string(kind.as_bytes())[..],
        private,
        &string(b"test"),
    ]
    .concat();
    let padding = (8 - secret.len() % 8) % 8;
    secret.extend((1..=padding).map(|byte| byte as u8));
    let parts = [
        b"openssh-key-v1\0".to_vec(),
        string(b"none"),
        string(b"none"),
        string(b""),
        1_u32.to_be_bytes().to_vec(),
        string(&blob),
        string(&secret),
    ];
    let text = openssl::base64::encode_block(&parts.concat());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(70)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let private = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        lines.join("\n")
    );
    Pair {
        private,
        public: format!("{kind} {} test", openssl::base64::encode_block(&blob)),
    }
}

fn rsa() -> Pair {
    let key = Rsa::generate(2048).unwrap();
    let (n, e, d) = (
        number(&key.n().to_vec()),
        number(&key.e().to_vec()),
        number(&key.d().to_vec()),
    );
    let of = |part: Option<&BigNumRef>| number(&part.unwrap().to_vec());
    let private = [n.clone(), e.clone(), d, of(key.iqmp()), of(key.p()), of(key.q())].concat();
    pair("ssh-rsa", &[e, n].concat(), &private)
}

fn ecdsa(nid: Nid, name: &str) -> Pair {
    let group = EcGroup::from_curve_name(nid).unwrap();
    ecdsa_of(nid, name, EcKey::generate(&group).unwrap().private_key())
}

fn ecdsa_of(nid: Nid, name: &str, scalar: &BigNumRef) -> Pair {
    let group = EcGroup::from_curve_name(nid).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let mut point = EcPoint::new(&group).unwrap();
    point.mul_generator2(&group, scalar, &mut context).unwrap();
    let point = point
        .to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut context)
        .unwrap();
    let public = [string(name.as_bytes()), string(&point)].concat();
    let private = [public.clone(), number(&scalar.to_vec())].concat();
    pair(&format!("ecdsa-sha2-{name}"), &public, &private)
}

fn ed25519() -> Pair {
    let key = PKey::generate_ed25519().unwrap();
    let (public, seed) = (key.raw_public_key().unwrap(), key.raw_private_key().unwrap());
    let private = [string(&public), string(&[seed, public.clone()].concat())].concat();
    pair("ssh-ed25519", &string(&public), &private)
}

fn table(public: &str) -> KeyTable {
    let mut table = KeyTable::default();
    table.add_file("joe", &format!("# a comment\n\n{public}\r\n"));
    assert!(table.problems().is_empty(), "{:?}", table.problems());
    table
}

fn now() -> SystemTime {
    dates::parse("2026-11-22T12:00:00Z").unwrap()
}

/// Asks with these headers.
fn ask(
    header: &str,
    headers: &[(&str, &str)],
    keys: &KeyTable,
    now: SystemTime,
    policy: &Policy,
) -> Result<User, ApiError> {
    let find = |name: &str| {
        headers
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let request = SignedRequest {
        method: "POST",
        url: "/images?action=x",
        header: &find,
    };
    authenticate(Some(header), &request, keys, now, policy)
}

/// What a client sends who signs these headers.
fn signed(key: &SigningKey, key_id: &str, names: &[&str], headers: &[(&str, &str)]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let find = |name: &str| {
        headers
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let request = SignedRequest {
        method: "POST",
        url: "/images?action=x",
        header: &find,
    };
    let text = signing_string(&request, &names).unwrap();
    authorization(
        key_id,
        key.algorithm(),
        &names,
        &key.sign(text.as_bytes()).unwrap(),
    )
}

#[test]
fn whoever_has_the_key_is_let_in_and_nobody_else() {
    let date = dates::http(now());
    let headers = [("date", date.as_str())];
    let pairs = [
        (rsa(), Algorithm::RsaSha256),
        (ecdsa(Nid::X9_62_PRIME256V1, "nistp256"), Algorithm::EcdsaSha256),
        (ecdsa(Nid::SECP384R1, "nistp384"), Algorithm::EcdsaSha384),
        (ecdsa(Nid::SECP521R1, "nistp521"), Algorithm::EcdsaSha512),
        (ed25519(), Algorithm::Ed25519),
    ];
    let stranger = table(&ed25519().public);
    for (pair, algorithm) in &pairs {
        let key = SigningKey::parse(&pair.private).unwrap();
        assert_eq!(key.algorithm(), *algorithm);
        let keys = table(&pair.public);
        let header = signed(&key, "joe", &["date"], &headers);
        let user = ask(&header, &headers, &keys, now(), &POLICY).unwrap();
        assert_eq!(
            (user.name.as_str(), user.fingerprint.as_str()),
            ("joe", key.public().fingerprint())
        );
        let named = signed(
            &key,
            &format!("/joe/keys/{}", key.public().fingerprint()),
            &["date"],
            &headers,
        );
        assert!(ask(&named, &headers, &keys, now(), &POLICY).is_ok());
        for (header, keys) in [
            (header.clone(), &stranger),
            (signed(&key, "jim", &["date"], &headers), &keys),
            (signed(&key, "/joe/keys/SHA256:x", &["date"], &headers), &keys),
            (header.replace("signature=\"", "signature=\"AAAA"), &keys),
        ] {
            let error = ask(&header, &headers, keys, now(), &POLICY).unwrap_err();
            assert_eq!((error.status(), error.message()), (401, "Unauthorized"));
        }
    }
}

#[test]
fn an_ecdsa_key_whose_number_is_short_is_a_key_like_others() {
    let curves = [
        (Nid::X9_62_PRIME256V1, "nistp256", 32),
        (Nid::SECP384R1, "nistp384", 48),
        (Nid::SECP521R1, "nistp521", 66),
    ];
    for (nid, name, length) in curves {
        for lacking in [1, 2, length - 1] {
            let scalar = BigNum::from_slice(&vec![0x5a; length - lacking]).unwrap();
            let pair = ecdsa_of(nid, name, &scalar);
            let key = SigningKey::parse(&pair.private).unwrap();
            let signature = key.sign(b"text").unwrap();
            assert!(key.public().verifies(key.algorithm(), b"text", &signature));
            assert!(pair.public.starts_with(&format!("ecdsa-sha2-{name} ")));
            let other = SigningKey::parse(&ecdsa_of(nid, name, &BigNum::from_u32(77).unwrap()).private);
            assert!(
                !other
                    .unwrap()
                    .public()
                    .verifies(key.algorithm(), b"text", &signature)
            );
        }
    }
}

#[test]
fn more_than_the_date_can_be_signed_and_counts() {
    let pair = ed25519();
    let (key, keys) = (SigningKey::parse(&pair.private).unwrap(), table(&pair.public));
    let date = dates::http(now());
    let headers = [("x-date", date.as_str()), ("host", "a.example")];
    let names = ["x-date", "(request-target)", "request-line", "host"];
    let header = signed(&key, "joe", &names, &headers);
    assert!(header.contains("headers=\"x-date (request-target) request-line host\""));
    assert!(ask(&header, &headers, &keys, now(), &POLICY).is_ok());
    let other = [("x-date", date.as_str()), ("host", "b.example")];
    assert_eq!(
        ask(&header, &other, &keys, now(), &POLICY).unwrap_err().message(),
        "Unauthorized"
    );
}

#[test]
fn what_is_wrong_is_told_as_the_original_tells_it() {
    let pair = ed25519();
    let (key, keys) = (SigningKey::parse(&pair.private).unwrap(), table(&pair.public));
    let date = dates::http(now());
    let headers = [("date", date.as_str()), ("host", "x")];
    let message = |header: &str, headers: &[(&str, &str)], at: SystemTime| {
        ask(header, headers, &keys, at, &Policy { accept_sha1: false })
            .unwrap_err()
            .message()
            .to_owned()
    };
    let good = signed(&key, "joe", &["date"], &headers);
    let with = |algorithm: &str| good.replace("ed25519-sha512", algorithm);
    let refused =
        |name: &str| format!("Unauthorized (\"{name}\" is not a supported http-signature signing algorithm)");
    let cases = [
        (
            message(&with("hmac-sha256"), &headers, now()),
            refused("HMAC-SHA256"),
        ),
        (message(&with("RSA-SHA1"), &headers, now()), refused("RSA-SHA1")),
        (
            message(&with("rsa-md5"), &headers, now()),
            "rsa-md5 is not supported".to_owned(),
        ),
        (
            message(&good, &[], now()),
            "date was not in the request".to_owned(),
        ),
        (
            message(&good, &[("date", "not a date")], now()),
            "the date of the request is no date".to_owned(),
        ),
        (
            message(&signed(&key, "joe", &["host"], &headers), &headers, now()),
            "date was not a signed header".to_owned(),
        ),
        (
            message(&good, &headers, now() + Duration::from_millis(400_206)),
            "clock skew of 400.206s was greater than 300s".to_owned(),
        ),
        (
            message(&good, &headers, now() - Duration::from_secs(301)),
            "clock skew of 301s was greater than 300s".to_owned(),
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
    assert!(ask(&good, &headers, &keys, now() + Duration::from_secs(300), &POLICY).is_ok());
}

#[test]
fn old_clients_are_let_in_unless_it_is_switched_off() {
    let dsa = Dsa::generate(1024).unwrap();
    let parts = [dsa.p(), dsa.q(), dsa.g(), dsa.pub_key()].map(|part| number(&part.to_vec()));
    let public = pair("ssh-dss", &parts.concat(), &[]).public;
    let key = PKey::from_dsa(dsa).unwrap();
    let date = dates::http(now());
    let headers = [("date", date.as_str())];
    let mut signer = Signer::new(MessageDigest::sha1(), &key).unwrap();
    let signature = signer
        .sign_oneshot_to_vec(format!("date: {date}").as_bytes())
        .unwrap();
    let header = authorization("joe", Algorithm::DsaSha1, &["date".to_owned()], &signature);
    assert!(ask(&header, &headers, &table(&public), now(), &POLICY).is_ok());
    assert!(
        ask(
            &header,
            &headers,
            &table(&public),
            now(),
            &Policy { accept_sha1: false }
        )
        .is_err()
    );
}

#[test]
fn a_signature_of_an_agent_is_taken() {
    let pair = ecdsa(Nid::X9_62_PRIME256V1, "nistp256");
    let key = SigningKey::parse(&pair.private).unwrap();
    let text = b"date: x";
    let der = key.sign(text).unwrap();
    let parts = openssl::ecdsa::EcdsaSig::from_der(&der).unwrap();
    let blob = [number(&parts.r().to_vec()), number(&parts.s().to_vec())].concat();
    let agents = [string(b"ecdsa-sha2-nistp256"), string(&blob)].concat();
    let (algorithm, signature) = of_agent(&agents).unwrap();
    assert_eq!(algorithm, Algorithm::EcdsaSha256);
    assert!(key.public().verifies(algorithm, text, &signature));
    for end in 0..agents.len() {
        assert!(of_agent(&agents[..end]).is_err());
    }
}

#[test]
fn a_bad_line_is_told_and_the_others_count() {
    let mut table = KeyTable::default();
    table.add_file("joe", &format!("ssh-rsa AAAA\n{}\nnonsense\n", ed25519().public));
    let lines: Vec<usize> = table.problems().iter().map(|problem| problem.line).collect();
    assert_eq!(
        (lines, table.keys("joe").len(), table.keys("jim").len()),
        (vec![1, 3], 1, 0)
    );
}

#[test]
fn a_key_is_known_by_both_its_fingerprints() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f x";
    let key = repository::signature::PublicKey::parse(line).unwrap();
    assert!(key.fingerprint().starts_with("SHA256:"));
    let blob = openssl::base64::decode_block(line.split(' ').nth(1).unwrap()).unwrap();
    let md5 = openssl::hash::hash(MessageDigest::md5(), &blob).unwrap();
    let md5: Vec<String> = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    let md5 = md5.join(":");
    assert!(key.has_fingerprint(&md5) && key.has_fingerprint(&format!("MD5:{md5}")));
    assert!(!key.has_fingerprint("SHA256:") && !key.has_fingerprint(""));
}

proptest! {
    #[test]
    fn no_header_lets_anybody_in_or_makes_it_panic(
        key_id in "[a-z/]{0,12}",
        algorithm in "(rsa|dsa|ecdsa|ed25519|hmac)-(sha1|sha256|sha512)",
        signature in "[A-Za-z0-9+/=]{0,200}",
        rest in ".{0,40}",
    ) {
        let keys = KeyTable::default();
        let date = dates::http(now());
        let headers = [("date", date.as_str())];
        let header = format!("Signature keyId=\"{key_id}\",algorithm=\"{algorithm}\",signature=\"{signature}\"{rest}");
        prop_assert!(ask(&header, &headers, &keys, now(), &POLICY).is_err());
    }

    #[test]
    fn no_key_file_makes_it_panic(text in "(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]{0,200}( .{0,20})?") {
        let mut table = KeyTable::default();
        table.add_file("joe", &text);
    }
}
