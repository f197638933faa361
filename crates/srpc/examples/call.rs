//! Calls an imageserver: makes a directory and lists the images.
//!
//! `call ADDRESS DIRECTORY [CERTIFICATE_DIRECTORY]`

use std::error::Error;
use std::path::Path;

use gob::Gob;
use serde::{Deserialize, Serialize};
use srpc::tls::load_directory;
use srpc::{Client, ConnectOptions};

const LINE_MAX_BYTES: usize = 4096;

#[derive(Gob, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MakeDirectoryRequest {
    directory_name: String,
    make_all: bool,
}

#[derive(Gob, Serialize, Deserialize)]
struct MakeDirectoryResponse {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, directory_name, certificates @ ..] = arguments.as_slice() else {
        return Err("usage: call ADDRESS DIRECTORY [CERTIFICATE_DIRECTORY]".into());
    };
    let tls = match certificates.first() {
        Some(directory) => load_directory(Path::new(directory))?,
        None => None,
    };
    let mut client = Client::connect(&ConnectOptions::new(address).with_tls(tls)).await?;
    println!(
        "connected through {}",
        client.transport_kind().unwrap_or("nothing")
    );
    let request = MakeDirectoryRequest {
        directory_name: directory_name.clone(),
        make_all: true,
    };
    match client
        .call::<_, MakeDirectoryResponse>("ImageServer.MakeDirectory", &request)
        .await
    {
        Ok(MakeDirectoryResponse {}) => println!("made {directory_name}"),
        Err(error) => println!("MakeDirectory: {error}"),
    }
    let mut stream = client.open("ImageServer.ListImages").await?;
    while let Some(name) = stream
        .read_line(LINE_MAX_BYTES)
        .await?
        .filter(|name| !name.is_empty())
    {
        println!("{name}");
    }
    stream.finish().await?;
    client.ping().await?;
    client.close().await;
    Ok(())
}
