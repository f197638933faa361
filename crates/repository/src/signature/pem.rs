//! Private keys in the older forms, `BEGIN RSA PRIVATE KEY` and the like, which many users of the original's client still have.

use crate::signature::algorithm::Algorithm;
use crate::signature::{PublicKey, SignatureError};
use openssl::bn::BigNumContext;
use openssl::ec::PointConversionForm;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use ssh_key::Mpint;
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};

/// Whether a text has one of the older forms.
pub(super) fn is_one(text: &str) -> bool {
    text.contains("PRIVATE KEY-----") && !text.contains("BEGIN OPENSSH PRIVATE KEY")
}

/// The key, its public half, the algorithm it signs with.
///
/// # Errors
/// It is none, is encrypted, or of a kind that signs nothing here.
pub(super) fn parse(text: &str) -> Result<(Algorithm, PKey<Private>, PublicKey), SignatureError> {
    if text.contains("ENCRYPTED") {
        // OpenSSL would ask for the pass phrase on the terminal.
        return Err(SignatureError::Encrypted);
    }
    with_public(PKey::private_key_from_pem(text.as_bytes())?)
}

/// A key of OpenSSL's with what it signs with and its public half.
///
/// # Errors
/// It is of a kind that signs nothing here.
pub(super) fn with_public(
    key: PKey<Private>,
) -> Result<(Algorithm, PKey<Private>, PublicKey), SignatureError> {
    let (algorithm, data) = public_data(&key)?;
    let public = PublicKey::parse(&ssh_key::PublicKey::from(data).to_openssh()?)?;
    Ok((algorithm, key, public))
}

fn public_data(key: &PKey<Private>) -> Result<(Algorithm, KeyData), SignatureError> {
    match key.id() {
        Id::RSA => {
            let rsa = key.rsa()?;
            let number = |bytes: Vec<u8>| Mpint::from_positive_bytes(&bytes);
            let data = RsaPublicKey {
                e: number(rsa.e().to_vec())?,
                n: number(rsa.n().to_vec())?,
            };
            Ok((Algorithm::RsaSha256, KeyData::Rsa(data)))
        }
        Id::EC => {
            let ec = key.ec_key()?;
            let algorithm = match ec.group().curve_name() {
                Some(Nid::X9_62_PRIME256V1) => Algorithm::EcdsaSha256,
                Some(Nid::SECP384R1) => Algorithm::EcdsaSha384,
                Some(Nid::SECP521R1) => Algorithm::EcdsaSha512,
                _ => return Err(SignatureError::Unsupported("EC on that curve".to_owned())),
            };
            let form = PointConversionForm::UNCOMPRESSED;
            let mut context = BigNumContext::new()?;
            let point = ec.public_key().to_bytes(ec.group(), form, &mut context)?;
            let data = EcdsaPublicKey::from_sec1_bytes(&point)
                .map_err(|_| SignatureError::Unsupported("EC".to_owned()))?;
            Ok((algorithm, KeyData::Ecdsa(data)))
        }
        Id::ED25519 => {
            let data = Ed25519PublicKey::try_from(key.raw_public_key()?.as_slice())?;
            Ok((Algorithm::Ed25519, KeyData::Ed25519(data)))
        }
        _ => Err(SignatureError::Unsupported("that kind".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use crate::signature::{SignatureError, SigningKey};
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;

    fn signs(pem: &[u8]) {
        let key = SigningKey::parse(std::str::from_utf8(pem).unwrap()).unwrap();
        let signature = key.sign(b"text").unwrap();
        assert!(key.public().verifies(key.algorithm(), b"text", &signature));
        assert!(!key.public().verifies(key.algorithm(), b"Text", &signature));
    }

    #[test]
    fn keys_in_the_older_forms_sign_as_those_in_the_new_one() {
        let rsa = Rsa::generate(2048).unwrap();
        signs(&rsa.private_key_to_pem().unwrap());
        let pkcs8 = |key: PKey<Private>| key.private_key_to_pem_pkcs8().unwrap();
        signs(&pkcs8(PKey::from_rsa(rsa).unwrap()));
        for curve in [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1] {
            let group = EcGroup::from_curve_name(curve).unwrap();
            let key = EcKey::generate(&group).unwrap();
            signs(&key.private_key_to_pem().unwrap());
        }
        signs(&pkcs8(PKey::generate_ed25519().unwrap()));
    }

    #[test]
    fn an_encrypted_one_is_left_to_an_agent_and_nobody_is_asked_for_its_phrase() {
        let rsa = Rsa::generate(2048).unwrap();
        let pem = rsa
            .private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"phrase")
            .unwrap();
        let parsed = SigningKey::parse(std::str::from_utf8(&pem).unwrap());
        assert!(matches!(parsed, Err(SignatureError::Encrypted)));
    }
}
