//! The configuration of the image repository: the one it begins with, and what is asked of another one.

use super::UpArgs;
use super::home::Home;
use crate::exit::WrongUse;
use anyhow::Context;
use repository::configuration::Configuration;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Port of a configuration that is made here, if no other is asked for.
const PORT: u16 = 8080;

/// Where the configuration is, and the port it names.
pub(super) struct ImageRepository {
    pub(super) configuration: PathBuf,
    pub(super) port: u16,
}

impl ImageRepository {
    /// Makes the configuration if it is not there; afterwards it is the operator's.
    pub(super) fn prepare(args: &UpArgs, home: &Home) -> anyhow::Result<Self> {
        let directory = home.image_repository();
        let path = match &args.imgapi_configuration {
            Some(path) => std::path::absolute(path)?,
            None => directory.join("imgapi.config.json"),
        };
        if args.imgapi_configuration.is_none() && !path.exists() {
            let text = format!("{:#}\n", first_configuration(args, &directory));
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let read = Configuration::read(&text).with_context(|| path.display().to_string())?;
        let port = read.settings().port;
        match args.imgapi_port {
            Some(asked) if asked != port => Err(WrongUse(format!(
                "--imgapi-port={asked}: {} says {port}; change it there",
                path.display()
            ))
            .into()),
            _ => Ok(Self {
                configuration: path,
                port,
            }),
        }
    }
}

fn first_configuration(args: &UpArgs, directory: &Path) -> serde_json::Value {
    let at = |name: &str| directory.join(name).display().to_string();
    let mut configuration = json!({
        "mode": "public",
        "serverName": "imagewright",
        "port": args.imgapi_port.unwrap_or(PORT),
        // Whoever reaches it may change everything: the keys of people are what the operator brings.
        "authType": "none",
        "address": "127.0.0.1",
        "baseDir": at("data"),
        "certDirectory": at("ssl"),
        "channels": [
            { "name": "dev", "description": "every image, as it is made", "default": true },
            { "name": "release", "description": "images to be used" },
        ],
        "imageServer": format!("localhost:{}", args.imageserver_port),
    });
    if !args.no_imaginator {
        configuration["imaginator"] = json!(format!("localhost:{}", args.imaginator_port));
    }
    configuration
}
