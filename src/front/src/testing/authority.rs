//! A certificate authority that lives as long as a test.

use std::sync::Arc;

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Builder, X509Extension, X509NameBuilder};
use srpc::powers::{METHODS_OID, extension_der};
use srpc::tls::{ClientCredentials, KeyPair, ServerTls};

pub(crate) struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = PKey::generate_ed25519().unwrap();
        let mut builder = begin("test CA", &key);
        builder.set_issuer_name(&name("test CA")).unwrap();
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
            .unwrap();
        builder.sign(&key, MessageDigest::null()).unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    pub(crate) fn server(&self) -> Arc<ServerTls> {
        let (certificate, key) = self.issue("server", &[]);
        Arc::new(
            ServerTls::new(
                &[certificate],
                &key,
                std::slice::from_ref(&self.certificate),
                None,
            )
            .unwrap(),
        )
    }

    pub(crate) fn client(&self, user: &str, methods: &[&str]) -> Arc<ClientCredentials> {
        let (certificate, key) = self.issue(user, methods);
        let (certificate, key) = (
            certificate.to_pem().unwrap(),
            key.private_key_to_pem_pkcs8().unwrap(),
        );
        ClientCredentials::new(vec![KeyPair::from_pem(user, &certificate, &key).unwrap()])
    }

    fn issue(&self, user: &str, methods: &[&str]) -> (X509, PKey<Private>) {
        let key = PKey::generate_ed25519().unwrap();
        let mut builder = begin(user, &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        if !methods.is_empty() {
            let oid = Asn1Object::from_str(METHODS_OID).unwrap();
            let value = Asn1OctetString::new_from_bytes(&extension_der(methods)).unwrap();
            builder
                .append_extension(X509Extension::new_from_der(&oid, false, &value).unwrap())
                .unwrap();
        }
        builder.sign(&self.key, MessageDigest::null()).unwrap();
        (builder.build(), key)
    }
}

fn begin(subject: &str, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(rand_serial())
        .unwrap()
        .to_asn1_integer()
        .unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    builder
}

fn name(common: &str) -> openssl::x509::X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_text("CN", common).unwrap();
    builder.build()
}

fn rand_serial() -> u32 {
    let mut bytes = [0; 4];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    u32::from_be_bytes(bytes) >> 1
}
