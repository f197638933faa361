//! ECDSA keys in the form of `BEGIN OPENSSH PRIVATE KEY`.
//!
//! Read here since `ssh-key` takes only scalars as long as their curve is: OpenSSH leaves leading zeros out, so one key of 256
//! of P-256 and P-384, and one of four of P-521, was refused.

use crate::signature::SignatureError;
use crate::signature::signing_key::take;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The key; `None` if the text is something else: another kind of key, an encrypted one, or none at all.
///
/// # Errors
/// OpenSSL refuses it.
pub(super) fn parse(text: &str) -> Result<Option<PKey<Private>>, SignatureError> {
    let Some((curve, point, scalar)) = decode(text).as_deref().and_then(parts) else {
        return Ok(None);
    };
    let group = EcGroup::from_curve_name(curve)?;
    let mut context = BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, &point, &mut context)?;
    let key = EcKey::from_private_components(&group, BigNum::from_slice(&scalar)?.as_ref(), &point)?;
    key.check_key()?;
    Ok(Some(PKey::from_ec_key(key)?))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (_, body) = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let (body, _) = body.split_once("-----END OPENSSH PRIVATE KEY-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    openssl::base64::decode_block(&body).ok()
}

/// Curve, public point and scalar of a key file.
fn parts(bytes: &[u8]) -> Option<(Nid, Vec<u8>, Vec<u8>)> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let (cipher, _derivation, _options) = (part(&mut rest)?, part(&mut rest)?, part(&mut rest)?);
    let (count, behind) = rest.split_first_chunk::<4>()?;
    if cipher != b"none" || u32::from_be_bytes(*count) != 1 {
        return None;
    }
    rest = behind;
    let (_public, mut secret) = (part(&mut rest)?, part(&mut rest)?);
    // Twice the same number, which tells a wrong pass phrase.
    let (check, behind) = secret.split_first_chunk::<8>()?;
    if check[..4] != check[4..] {
        return None;
    }
    secret = behind;
    let kind = part(&mut secret)?;
    let (name, point, scalar) = (part(&mut secret)?, part(&mut secret)?, part(&mut secret)?);
    let curve = match (kind, name) {
        (b"ecdsa-sha2-nistp256", b"nistp256") => Nid::X9_62_PRIME256V1,
        (b"ecdsa-sha2-nistp384", b"nistp384") => Nid::SECP384R1,
        (b"ecdsa-sha2-nistp521", b"nistp521") => Nid::SECP521R1,
        _ => return None,
    };
    Some((curve, point.to_vec(), scalar.to_vec()))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    take(rest).ok()
}
