//! Credentials and policy from the flags (`srpc.md §8.1`).

use std::path::PathBuf;
use std::sync::Arc;

use flags::Values;
use srpc::tls::{ClientCredentials, CredentialError, CredentialFiles, Credentials, Reloader, ServerTls};
use srpc::{Policy, Trusted, UnixSocket};

/// Credentials and what keeps them fresh.
pub struct LoadedCredentials {
    /// For the server; none in insecure mode.
    pub server: Option<Arc<ServerTls>>,
    /// For calls to other daemons, as of the start; [`Reloader::current`] has the newest.
    pub client: Option<Arc<ClientCredentials>>,
    /// Reloads them; run it beside the server.
    pub reloader: Arc<Reloader>,
}

/// Loads the credentials the flags name. Blocks on files.
///
/// # Errors
/// What is missing or unreadable, in the words users know: `missing certificate`, `missing CA`.
pub fn load_credentials(values: &Values) -> Result<LoadedCredentials, CredentialError> {
    let files = files(values);
    let credentials = files.load()?;
    let Credentials { server, client } = &credentials;
    let (server, client) = (server.clone(), client.clone());
    Ok(LoadedCredentials {
        server,
        client,
        reloader: Reloader::new(files, credentials),
    })
}

fn files(values: &Values) -> CredentialFiles {
    let optional = |name: &str| {
        Some(values.string(name))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    // A daemon whose table lacks such a flag does not run without credentials.
    let lenient = |name: &str| values.has(name) && values.boolean(name);
    CredentialFiles {
        ca_file: optional("CAfile"),
        identity_ca_file: optional("identityCAfile"),
        cert_file: values.path("certFile"),
        key_file: values.path("keyFile"),
        generate_missing_certificate: lenient("generateMissingWebcert"),
        permit_insecure_mode: lenient("permitInsecureMode"),
        // Whoever answers at that address would become the daemon's identity, so nobody is asked unasked.
        metadata_service: None,
    }
}

/// Limits and trust of the RPC server from the flags.
pub fn policy(values: &Values) -> Policy {
    let names = |name: &str| {
        values
            .list(name)
            .iter()
            .filter(|entry| !entry.is_empty())
            .cloned()
            .collect()
    };
    Policy {
        trusted: Trusted {
            users: names("srpcTrustedUsers"),
            groups: names("srpcTrustedGroups"),
        },
        unix_socket: UnixSocket::parse(values.string("srpcUnixSocketPath")),
        handshake_timeout: values.duration("srpcDefaultTlsHandshakeTimeout"),
        keep_alive_period: values.duration("srpcDefaultKeepAlivePeriod"),
        ..Policy::default()
    }
}
