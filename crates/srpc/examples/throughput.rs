//! Calls per second and bulk bytes per second on loopback: plain, TLS, Unix socket; or only those named.

use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use gob::Gob;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509NameBuilder};
use serde::{Deserialize, Serialize};
use srpc::server::listener;
use srpc::tls::{ClientCredentials, KeyPair, ServerTls, self_signed};
use srpc::{
    Access, Call, Client, Conn, ConnectOptions, MethodError, Policy, Raw, RawError, Registry, RequestReply,
    Server, ServiceBuilder,
};

const CALLS: u32 = 20_000;
const PIECE_BYTES: usize = 1 << 20;
const BULK_BYTES: u64 = 4 << 30;

#[derive(Gob, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Number {
    number: u64,
}

struct Echo;

impl RequestReply for Echo {
    const NAME: &'static str = "Echo";
    type Request = Number;
    type Reply = Number;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn call(&self, _call: &Call, request: Number) -> Result<Number, MethodError> {
        Ok(request)
    }
}

struct Pour;

impl Raw for Pour {
    const NAME: &'static str = "Pour";

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let Number { number } = conn.read_value().await?;
        let piece = vec![7; PIECE_BYTES];
        for _ in 0..number / PIECE_BYTES as u64 {
            conn.write_raw(&piece).await?;
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let pair = client_pair()?;
    let (certificate, key) = self_signed()?;
    let own = X509::from_pem(&pair.0)?;
    let tls = ServerTls::new(&[certificate], &key, &[own], None)?;
    let credentials = ClientCredentials::new(vec![KeyPair::from_pem("bench", &pair.0, &pair.1)?]);
    for (name, tls, credentials, unix_upgrade) in [
        ("plain", None, None, false),
        ("TLS", Some(tls), Some(credentials), false),
        ("Unix", None, None, true),
    ] {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let service = ServiceBuilder::new("Test").request_reply(Echo).raw(Pour);
        let registry = Registry::builder().service(service).build();
        let server = Server::new(registry, tls.map(Arc::new), Policy::default());
        let socket = TcpListener::bind("127.0.0.1:0")?;
        let options = ConnectOptions {
            unix_upgrade,
            ..ConnectOptions::new(socket.local_addr()?.to_string()).with_tls(credentials)
        };
        let _thread = listener::spawn_thread(server, socket)?;
        measure(name, Client::connect(&options).await?).await?;
    }
    Ok(())
}

async fn measure(name: &str, mut client: Client) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..CALLS {
        client.ping().await?;
    }
    let pings = f64::from(CALLS) / start.elapsed().as_secs_f64();
    let start = Instant::now();
    for number in 0..u64::from(CALLS) {
        client.call::<_, Number>("Test.Echo", &Number { number }).await?;
    }
    let calls = f64::from(CALLS) / start.elapsed().as_secs_f64();
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    let mut stream = client.open("Test.Pour").await?;
    stream.write_value(&Number { number: BULK_BYTES }).await?;
    stream.flush().await?;
    let mut left = BULK_BYTES;
    let mut data = Vec::with_capacity(PIECE_BYTES);
    while left > 0 {
        data.clear();
        left -= stream.read_raw_into(&mut data, left).await? as u64;
    }
    stream.finish().await?;
    let megabytes = BULK_BYTES as f64 / 1e6 / start.elapsed().as_secs_f64();
    let cpu = (cpu_seconds() - start_cpu) / (BULK_BYTES as f64 / 1e9);
    println!(
        "{name}: {pings:.0} pings/s, {calls:.0} calls/s, {megabytes:.0} MB/s, {cpu:.2} CPU s/GB both sides"
    );
    Ok(())
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15; the second one, in brackets, may contain anything.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// A client certificate signed by itself, which the server then takes for a CA.
fn client_pair() -> Result<(Vec<u8>, Vec<u8>), openssl::error::ErrorStack> {
    let key = PKey::generate_ed25519()?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "bench")?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    builder.set_pubkey(&key)?;
    builder.sign(&key, MessageDigest::null())?;
    Ok((builder.build().to_pem()?, key.private_key_to_pem_pkcs8()?))
}
