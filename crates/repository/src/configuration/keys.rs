//! The keys.

/// What becomes of a key here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is used; a change takes effect at once.
    Live,
    /// It is used; a change takes effect with a restart.
    AtStart,
    /// It means nothing on this platform; it may stay.
    Nothing,
}

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub meaning: Meaning,
    /// What it is for, for people.
    pub purpose: &'static str,
}

const fn live(name: &'static str, purpose: &'static str) -> Key {
    Key {
        name,
        meaning: Meaning::Live,
        purpose,
    }
}

const fn start(name: &'static str, purpose: &'static str) -> Key {
    Key {
        name,
        meaning: Meaning::AtStart,
        purpose,
    }
}

const fn nothing(name: &'static str, purpose: &'static str) -> Key {
    Key {
        name,
        meaning: Meaning::Nothing,
        purpose,
    }
}

/// All keys that are known; others are kept and mean nothing.
pub const KEYS: &[Key] = &[
    start("port", "port to listen on"),
    start("address", "address to listen on"),
    live(
        "serverName",
        "the Server header, and the User-Agent towards other repositories",
    ),
    live(
        "logLevel",
        "trace, debug, info, warn, error, fatal, or their numbers",
    ),
    nothing(
        "maxSockets",
        "outgoing connections are bounded by the jobs at work and the uploads in progress",
    ),
    start("mode", "public, private or dc"),
    start("datacenterName", "name of this datacenter"),
    live("serviceName", "label of metrics"),
    live("instanceUuid", "label of metrics"),
    live("serverUuid", "label of metrics"),
    start("adminIp", "address of the metrics in dc mode"),
    live("adminUuid", "account of the administrator"),
    start("channels", "channels of the repository"),
    live(
        "placeholderImageLifespanDays",
        "days after which images that were never made are forgotten",
    ),
    live(
        "allowLocalCreateImageFromVm",
        "whether images may be made without an object store",
    ),
    live(
        "allowInsecure",
        "whether certificates of other repositories are not checked",
    ),
    nothing(
        "minImageCreationPlatform",
        "hosts of the original's virtual machines only",
    ),
    start("authType", "signature or none"),
    live("authKeys", "keys of users"),
    start("databaseType", "local"),
    start("storageTypes", "stores of files; local must be among them"),
    start(
        "manta",
        "the object store; there is none here yet, files are local",
    ),
    nothing("ufds", "the original's directory of users; see users here"),
    nothing("moray", "the original's database"),
    nothing(
        "wfapi",
        "the original's job service; jobs run inside this program",
    ),
    live("imgapiUrlFromDatacenter", "repositories of other datacenters"),
    nothing("cnapi", "the original's compute nodes"),
    nothing("vmapi", "the original's virtual machines"),
    nothing("docker", "the original's docker service"),
    live("httpProxy", "proxy of outgoing calls"),
    nothing(
        "dockerRegistryInsecure",
        "import from docker registries is not offered",
    ),
    nothing("lxdRegistries", "import from LXD registries is not offered"),
    nothing("fluentd_host", "the original's experimental event log"),
    // This program's own.
    start("baseDir", "directory of manifests, files and keys"),
    start("tlsPort", "port to listen on with TLS"),
    live(
        "tlsCertificate",
        "file of the certificate and what it is signed by",
    ),
    live(
        "tlsKey",
        "file of the private key; the certificate's file if it is not given",
    ),
    start(
        "imageServer",
        "HOST:PORT of the image server whose images are published",
    ),
    start(
        "imaginator",
        "HOST:PORT of the image builder that makes images on request",
    ),
    start(
        "certDirectory",
        "directory of the certificates shown to image server and image builder",
    ),
    start(
        "publish",
        "which images of the image server are published by themselves",
    ),
    start(
        "publishOwners",
        "accounts by users and groups of the image server",
    ),
    start("takeIn", "where uploaded images go in the image server"),
    start("buildTargets", "streams to build, by UUID of a machine"),
    live("trustedProxies", "addresses whose X-Forwarded-For is believed"),
    start("metricsAddress", "address of the metrics in every mode"),
    start("metricsPort", "port of the metrics"),
    live("usersFile", "table of users: the directory of users in dc mode"),
    live(
        "acceptSha1Signatures",
        "whether signatures of the oldest clients are accepted",
    ),
    live(
        "hideInactiveImages",
        "whether images that are not active are hidden from those who do not sign",
    ),
    live(
        "sourceHosts",
        "hosts that files and manifests may be fetched from; all if it is not given",
    ),
];
