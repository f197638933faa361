//! A certificate authority for tests.

use std::sync::Arc;

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name, X509NameBuilder};
use srpc::powers::{GROUPS_OID, METHODS_OID, extension_der};
use srpc::tls::{ClientCredentials, KeyPair, ServerTls};

pub struct Authority {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// What goes into a certificate.
#[derive(Clone)]
pub struct Wanted<'a> {
    pub name: &'a str,
    pub methods: &'a [&'a str],
    pub groups: &'a [&'a str],
    /// Valid from and until, in seconds from now.
    pub validity: (i64, i64),
    pub for_servers_only: bool,
    /// Does not say what it is for.
    pub without_usage: bool,
    /// Replaces the value of the methods extension.
    pub raw_methods: Option<&'a [u8]>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            name: "",
            methods: &[],
            groups: &[],
            validity: (-3600, 86400),
            for_servers_only: false,
            without_usage: false,
            raw_methods: None,
        }
    }
}

pub fn user<'a>(name: &'a str, methods: &'a [&'a str]) -> Wanted<'a> {
    Wanted {
        name,
        methods,
        ..Wanted::default()
    }
}

pub struct Issued {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Issued {
    pub fn certificate_pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub fn pair(&self) -> KeyPair {
        KeyPair::from_pem("test", &self.certificate_pem(), &self.key_pem()).unwrap()
    }

    pub fn credentials(&self) -> Arc<ClientCredentials> {
        ClientCredentials::new(vec![self.pair()])
    }
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::with_claims(name, &[], &[])
    }

    /// With permitted methods and groups of its own.
    pub fn with_claims(name: &str, methods: &[&str], groups: &[&str]) -> Self {
        let key = new_key();
        let subject = common_name(name);
        let mut builder = start(&subject, &subject, &key, (-86400, 10 * 86400));
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
            .unwrap();
        for (oid, strings) in [(METHODS_OID, methods), (GROUPS_OID, groups)] {
            if !strings.is_empty() {
                builder
                    .append_extension(extension(oid, &extension_der(strings)))
                    .unwrap();
            }
        }
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    pub fn issue(&self, wanted: &Wanted<'_>) -> Issued {
        let key = new_key();
        let subject = common_name(wanted.name);
        let mut builder = start(&subject, self.certificate.subject_name(), &key, wanted.validity);
        let mut usage = ExtendedKeyUsage::new();
        if wanted.for_servers_only {
            usage.server_auth()
        } else {
            usage.client_auth()
        };
        if !wanted.without_usage {
            builder.append_extension(usage.build().unwrap()).unwrap();
        }
        if let Some(raw) = wanted.raw_methods {
            builder.append_extension(extension(METHODS_OID, raw)).unwrap();
        } else if !wanted.methods.is_empty() {
            builder
                .append_extension(extension(METHODS_OID, &extension_der(wanted.methods)))
                .unwrap();
        }
        if !wanted.groups.is_empty() {
            builder
                .append_extension(extension(GROUPS_OID, &extension_der(wanted.groups)))
                .unwrap();
        }
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        Issued {
            certificate: builder.build(),
            key,
        }
    }

    pub fn server_tls(&self) -> ServerTls {
        let (certificate, key) = srpc::tls::self_signed().unwrap();
        ServerTls::new(
            &[certificate],
            &key,
            std::slice::from_ref(&self.certificate),
            None,
        )
        .unwrap()
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn common_name(name: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    if !name.is_empty() {
        builder.append_entry_by_text("CN", name).unwrap();
    }
    builder.build()
}

fn start(
    subject: &X509Name,
    issuer: &openssl::x509::X509NameRef,
    key: &PKey<Private>,
    (from, until): (i64, i64),
) -> X509Builder {
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial
        .pseudo_rand(100, openssl::bn::MsbOption::ONE, false)
        .unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(now + from).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(now + until).unwrap())
        .unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn extension(oid: &str, value: &[u8]) -> X509Extension {
    let oid = Asn1Object::from_str(oid).unwrap();
    let value = Asn1OctetString::new_from_bytes(value).unwrap();
    X509Extension::new_from_der(&oid, false, &value).unwrap()
}
