//! The flags all daemons have (`imageserver.md §8`).

use std::net::IpAddr;

use flags::{Flag, Values};

/// All of them, for a daemon that listens on `port` and may, if told so, run without credentials.
pub fn common_flags(program: &str, port: u16) -> Vec<Flag> {
    let mut all = strict_common_flags(program, port);
    all.extend(lenient_flags());
    all
}

/// All of them, for a daemon that does not run without a CA and a certificate.
pub fn strict_common_flags(program: &str, port: u16) -> Vec<Flag> {
    let mut all = vec![port_flag(port), listen_address_flag()];
    all.extend(credential_flags(program));
    all.extend(flags::shared::rpc());
    all.extend(log_flags(program));
    all
}

/// `-portNum`.
pub fn port_flag(port: u16) -> Flag {
    Flag::unsigned("portNum", port.into(), "port to listen on for pages and RPC").group("listening")
}

fn listen_address_flag() -> Flag {
    Flag::string("listenAddress", "", "IP address to listen on; empty for all").group("listening")
}

/// What `-listenAddress` says; nothing for all addresses.
///
/// # Errors
/// No IP address, as a text for the operator.
pub fn listen_address(values: &Values) -> Result<Option<IpAddr>, String> {
    let text = values.string("listenAddress");
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse().map(Some);
    parsed.map_err(|error| format!("-listenAddress={text}: {error}: give an IP address, or nothing for all"))
}

/// Where certificate, key and CAs are.
pub fn credential_flags(program: &str) -> Vec<Flag> {
    let own = |name: &str| format!("/etc/ssl/{program}/{name}");
    vec![
        Flag::string(
            "CAfile",
            "/etc/ssl/CA.pem",
            "file with the roots of trust for identity and methods",
        )
        .spelled("ca-file"),
        Flag::string(
            "identityCAfile",
            "/etc/ssl/IdentityCA.pem",
            "file with the roots of trust for identity only",
        )
        .spelled("identity-ca-file"),
        Flag::string("certFile", own("cert.pem"), "file with the certificate"),
        Flag::string("keyFile", own("key.pem"), "file with the key of the certificate"),
    ]
    .into_iter()
    .map(|flag| flag.group("credentials"))
    .collect()
}

/// What lets a daemon run although credentials are missing.
fn lenient_flags() -> impl Iterator<Item = Flag> {
    [
        Flag::boolean(
            "generateMissingWebcert",
            false,
            "make up a certificate when there is none",
        ),
        Flag::boolean(
            "permitInsecureMode",
            false,
            "without a CA run without TLS: everybody may do everything",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("credentials"))
}

/// How the log is kept.
pub fn log_flags(program: &str) -> Vec<Flag> {
    vec![
        Flag::boolean("alsoLogToStderr", false, "write the log to standard error too"),
        Flag::duration(
            "idleMarkTimeout",
            "0s",
            "silence after which MARK is written to the log",
        ),
        Flag::integer(
            "initialLogDebugLevel",
            -1,
            "debug level at the start; -1 for none",
        ),
        Flag::boolean("logAtStartup", true, "log a line with the version at the start"),
        Flag::unsigned("logbufLines", 1024, "lines of the log kept in memory"),
        Flag::string(
            "logDir",
            format!("/var/log/{program}"),
            "directory of the log files; empty for none",
        ),
        Flag::size(
            "logFileMaxSize",
            "10MiB",
            "size after which a new log file is begun",
        ),
        Flag::size(
            "logQuota",
            "100MiB",
            "size of all log files after which the oldest are deleted",
        ),
        Flag::boolean("logSubseconds", false, "microseconds in the log"),
    ]
    .into_iter()
    .map(|flag| flag.group("log"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the original's usage that have our flags, without the help.
    const ORIGINAL: &[(&str, &str, &str)] = &[
        ("CAfile", "string", "/etc/ssl/CA.pem"),
        ("alsoLogToStderr", "", "false"),
        ("certFile", "string", "/etc/ssl/imageserver/cert.pem"),
        ("generateMissingWebcert", "", "false"),
        ("identityCAfile", "string", "/etc/ssl/IdentityCA.pem"),
        ("idleMarkTimeout", "duration", "0s"),
        ("initialLogDebugLevel", "int", "-1"),
        ("keyFile", "string", "/etc/ssl/imageserver/key.pem"),
        ("logAtStartup", "", "true"),
        ("logDir", "string", "/var/log/imageserver"),
        ("logFileMaxSize", "value", "10MiB"),
        ("logQuota", "value", "100MiB"),
        ("logSubseconds", "", "false"),
        ("logbufLines", "uint", "1024"),
        ("permitInsecureMode", "", "false"),
        ("portNum", "uint", "6971"),
        ("srpcClientDoNotUseMethodPowers", "", "false"),
        ("srpcDefaultConnectTimeout", "duration", "15s"),
        ("srpcDefaultKeepAlivePeriod", "duration", "5m0s"),
        ("srpcDefaultTlsHandshakeTimeout", "duration", "1m0s"),
        ("srpcProxy", "string", ""),
        ("srpcTrustVmOwners", "", "true"),
        ("srpcTrustedGroups", "value", ""),
        ("srpcTrustedUsers", "value", ""),
    ];

    #[test]
    fn the_common_flags_have_the_names_kinds_and_defaults_of_the_original() {
        let all = common_flags("imageserver", 6971);
        for (name, word, default) in ORIGINAL {
            let flag = all
                .iter()
                .find(|flag| flag.name() == *name)
                .unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(
                (flag.kind().word(), flag.default_text()),
                (*word, *default),
                "{name}"
            );
        }
        let ours = ["listenAddress", "srpcUnixSocketPath"];
        for flag in &all {
            let is_known =
                ORIGINAL.iter().any(|(name, _, _)| *name == flag.name()) || ours.contains(&flag.name());
            assert!(is_known, "{} is new: is that meant?", flag.name());
        }
        flags::command(&flags::Table::daemon("imageserver", "").flags(all)).debug_assert();
    }
}
