//! The flags all daemons have (`imageserver.md §8`).

use flags::Flag;

/// All of them, for a daemon that listens on `port`.
pub fn common_flags(program: &str, port: u16) -> Vec<Flag> {
    let mut flags = vec![port_flag(port), listen_address_flag()];
    flags.extend(credential_flags(program));
    flags.extend(srpc_flags());
    flags.extend(log_flags(program));
    flags
}

/// `-portNum`.
pub fn port_flag(port: u16) -> Flag {
    Flag::unsigned("portNum", port.into(), "port to listen on for pages and RPC").group("listening")
}

fn listen_address_flag() -> Flag {
    Flag::string("listenAddress", "", "IP address to listen on; empty for all").group("listening")
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
    .collect()
}

/// How the RPC transport behaves, as server and as client.
pub fn srpc_flags() -> Vec<Flag> {
    let socket = format!("@SRPC.{}", std::process::id());
    vec![
        Flag::boolean(
            "srpcClientDoNotUseMethodPowers",
            false,
            "connect to servers without method powers",
        )
        .rare(),
        Flag::duration("srpcDefaultConnectTimeout", "15s", "how long connecting may take"),
        Flag::duration("srpcDefaultKeepAlivePeriod", "5m0s", "period of TCP keep-alive"),
        Flag::duration(
            "srpcDefaultTlsHandshakeTimeout",
            "1m0s",
            "how long a TLS handshake may take",
        ),
        Flag::string("srpcProxy", "", "proxy to connect through").rare(),
        Flag::boolean(
            "srpcTrustVmOwners",
            true,
            "owners of the SmallStack VM this runs on may call everything",
        )
        .rare(),
        Flag::list("srpcTrustedGroups", "", "groups that may call everything"),
        Flag::list("srpcTrustedUsers", "", "users that may call everything"),
        Flag::string(
            "srpcUnixSocketPath",
            socket,
            "socket for callers on this host; @ for the abstract namespace, empty for none",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("rpc"))
    .collect()
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
