//! Flags that daemons and tools have in common (`imageserver.md §8`, `imagetool.md §2`).

use crate::Flag;

/// How the RPC transport behaves, as server and as client.
pub fn rpc() -> Vec<Flag> {
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
        Flag::string(
            "srpcProxy",
            "",
            "proxy to connect through: socks5://HOST:PORT, also socks4, socks4a",
        )
        .rare(),
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
        )
        .documented("@SRPC.PID"),
    ]
    .into_iter()
    .map(|flag| flag.group("rpc"))
    .collect()
}

/// What a tool says on standard error.
pub fn log_of_tool() -> Vec<Flag> {
    vec![
        Flag::boolean("logDatestamps", false, "prefix messages with the time"),
        Flag::integer("logDebugLevel", -1, "debug level of messages; -1 for none").key(),
        Flag::boolean("logSubseconds", false, "microseconds in the times of messages"),
    ]
    .into_iter()
    .map(|flag| flag.group("messages"))
    .collect()
}

/// Where a tool finds its certificates: `.ssl` in the home (`srpc.md §8.2`).
pub fn certificates_of_tool() -> Flag {
    let home = std::env::var("HOME").unwrap_or_default();
    let directory = if home.is_empty() {
        String::new()
    } else {
        format!("{home}/.ssl")
    };
    Flag::string(
        "certDirectory",
        directory,
        "directory of your certificates and keys",
    )
    .documented("~/.ssl")
    .group("rpc")
    .key()
}
