//! The other side: signing.

use crate::signature::algorithm::Algorithm;
use crate::signature::public_key::number;
use crate::signature::{PublicKey, SignatureError, openssh_ecdsa, pem};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ecdsa::EcdsaSig;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::sign::Signer;
use ssh_key::private::{KeypairData, RsaKeypair};

/// A private key in a file.
pub struct SigningKey {
    key: PKey<Private>,
    algorithm: Algorithm,
    public: PublicKey,
}

impl SigningKey {
    /// Of the text of a key file as `ssh-keygen` writes it, today or in former days.
    ///
    /// # Errors
    /// It is none, is encrypted, or of a kind that signs nothing here.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let read_here = match pem::is_one(text) {
            true => Some(pem::parse(text)?),
            false => openssh_ecdsa::parse(text)?.map(pem::with_public).transpose()?,
        };
        if let Some((algorithm, key, public)) = read_here {
            return Ok(Self {
                key,
                algorithm,
                public,
            });
        }
        let parsed = ssh_key::PrivateKey::from_openssh(text)?;
        if parsed.is_encrypted() {
            return Err(SignatureError::Encrypted);
        }
        let public = PublicKey::parse(&parsed.public_key().to_openssh()?)?;
        let (algorithm, key) = match parsed.key_data() {
            KeypairData::Rsa(pair) => (Algorithm::RsaSha256, rsa(pair)?),
            KeypairData::Ed25519(pair) => {
                let seed = pair.private.to_bytes();
                (
                    Algorithm::Ed25519,
                    PKey::private_key_from_raw_bytes(&seed, Id::ED25519)?,
                )
            }
            _ => return Err(SignatureError::Unsupported(parsed.algorithm().to_string())),
        };
        Ok(Self {
            key,
            algorithm,
            public,
        })
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a text.
    ///
    /// # Errors
    /// OpenSSL fails.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let mut signer = match self.algorithm.digest() {
            Some(digest) => Signer::new(digest, &self.key)?,
            None => Signer::new_without_digest(&self.key)?,
        };
        Ok(signer.sign_oneshot_to_vec(text)?)
    }
}

/// The value of the `Authorization` header; `headers` are named unless only `date` is signed, as by the original's clients.
pub fn authorization(key_id: &str, algorithm: Algorithm, headers: &[String], signature: &[u8]) -> String {
    let signature = openssl::base64::encode_block(signature);
    let headers = match headers {
        [one] if one == "date" => String::new(),
        headers => format!(",headers=\"{}\"", headers.join(" ")),
    };
    format!(
        "Signature keyId=\"{key_id}\",algorithm=\"{}\"{headers},signature=\"{signature}\"",
        algorithm.name()
    )
}

/// A signature of an SSH agent (a name and a blob, each with its length) in the form that is sent.
///
/// # Errors
/// It is none, or of a kind that is not used.
pub fn of_agent(signature: &[u8]) -> Result<(Algorithm, Vec<u8>), SignatureError> {
    let mut rest = signature;
    let name = take(&mut rest)?;
    let blob = take(&mut rest)?;
    let algorithm = match name {
        b"ssh-rsa" => Algorithm::RsaSha1,
        b"rsa-sha2-256" => Algorithm::RsaSha256,
        b"rsa-sha2-512" => Algorithm::RsaSha512,
        b"ssh-ed25519" => Algorithm::Ed25519,
        b"ecdsa-sha2-nistp256" => Algorithm::EcdsaSha256,
        b"ecdsa-sha2-nistp384" => Algorithm::EcdsaSha384,
        b"ecdsa-sha2-nistp521" => Algorithm::EcdsaSha512,
        name => {
            return Err(SignatureError::Unsupported(
                String::from_utf8_lossy(name).into_owned(),
            ));
        }
    };
    if !name.starts_with(b"ecdsa") {
        return Ok((algorithm, blob.to_vec()));
    }
    let mut rest = blob;
    let (r, s) = (
        BigNum::from_slice(take(&mut rest)?)?,
        BigNum::from_slice(take(&mut rest)?)?,
    );
    Ok((algorithm, EcdsaSig::from_private_components(r, s)?.to_der()?))
}

/// The next part with its length before it.
pub(super) fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], SignatureError> {
    let (length, behind) = rest
        .split_first_chunk::<4>()
        .ok_or(SignatureError::AgentSignature)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (part, behind) = behind
        .split_at_checked(length)
        .ok_or(SignatureError::AgentSignature)?;
    *rest = behind;
    Ok(part)
}

fn rsa(pair: &RsaKeypair) -> Result<PKey<Private>, SignatureError> {
    let (n, e) = (number(&pair.public.n)?, number(&pair.public.e)?);
    let (p, q, d) = (
        number(&pair.private.p)?,
        number(&pair.private.q)?,
        number(&pair.private.d)?,
    );
    let mut context = BigNumContext::new()?;
    let mut exponent = |prime: &BigNum| {
        let mut less_one = BigNum::from_slice(&prime.to_vec())?;
        less_one.sub_word(1)?;
        let mut exponent = BigNum::new()?;
        exponent.nnmod(&d, &less_one, &mut context)?;
        Ok::<_, openssl::error::ErrorStack>(exponent)
    };
    let (dmp1, dmq1) = (exponent(&p)?, exponent(&q)?);
    let iqmp = number(&pair.private.iqmp)?;
    let key = RsaPrivateKeyBuilder::new(n, e, d)?
        .set_factors(p, q)?
        .set_crt_params(dmp1, dmq1, iqmp)?
        .build();
    Ok(PKey::from_rsa(key)?)
}
