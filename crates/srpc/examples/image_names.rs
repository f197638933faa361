//! A server that knows a few image names and nothing else; `imagetool list` and `imagetool check` can talk to it.
//!
//! `image_names ADDRESS [CA.pem cert.pem key.pem]`: without certificates everybody may call everything.

use std::error::Error;

use gob::Gob;
use serde::{Deserialize, Serialize};
use srpc::server::listener;
use srpc::tls::CredentialFiles;
use srpc::{
    Access, Call, Conn, MethodError, Policy, Raw, RawError, Registry, RequestReply, Server, ServiceBuilder,
};

const NAMES: [&str; 2] = ["base/v1", "base/v2"];

#[derive(Gob, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckImageRequest {
    image_name: String,
}

#[derive(Gob, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckImageResponse {
    image_exists: bool,
}

struct CheckImage;

impl RequestReply for CheckImage {
    const NAME: &'static str = "CheckImage";
    type Request = CheckImageRequest;
    type Reply = CheckImageResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn call(&self, call: &Call, request: CheckImageRequest) -> Result<CheckImageResponse, MethodError> {
        println!(
            "CheckImage {:?} by {:?}",
            request.image_name, call.caller.username
        );
        Ok(CheckImageResponse {
            image_exists: NAMES.contains(&request.image_name.as_str()),
        })
    }
}

/// The fields that choose images are left out: whatever the caller sends in them is passed over.
#[derive(Gob, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListSelectedImagesRequest {
    directory_name: String,
}

struct ListSelectedImages;

impl Raw for ListSelectedImages {
    const NAME: &'static str = "ListSelectedImages";

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: ListSelectedImagesRequest = conn.read_prompt_value().await?;
        println!(
            "ListSelectedImages by {:?} through {}",
            call.caller.username,
            conn.transport_kind()
        );
        for name in NAMES
            .iter()
            .filter(|name| name.starts_with(&request.directory_name))
        {
            conn.write_line(name).await?;
        }
        conn.write_line("").await?;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, files @ ..] = arguments.as_slice() else {
        return Err("usage: image_names ADDRESS [CA.pem cert.pem key.pem]".into());
    };
    let mut credential_files = CredentialFiles::usual_for("image_names");
    if let [ca, cert, key] = files {
        credential_files.ca_file = Some(ca.into());
        credential_files.cert_file = cert.into();
        credential_files.key_file = key.into();
    } else {
        credential_files.ca_file = None;
        credential_files.permit_insecure_mode = true;
        credential_files.generate_missing_certificate = true;
    }
    let credentials = credential_files.load()?;
    let service = ServiceBuilder::new("ImageServer")
        .request_reply(CheckImage)
        .raw(ListSelectedImages);
    let registry = Registry::builder().service(service).build();
    let server = Server::new(registry, credentials.server, Policy::default());
    let thread = listener::spawn_thread(server, std::net::TcpListener::bind(address)?)?;
    println!("listening on {address}");
    thread.join().map_err(|_| "the server's thread panicked".into())
}
