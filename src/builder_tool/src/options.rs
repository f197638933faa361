//! The values of all flags the verbs look at, read in one place: a look-up under a wrong name or kind would show at
//! every start of the program, not only in the verb that wants it.

use std::path::PathBuf;
use std::time::Duration;

use flags::Values;

/// What the flags say.
#[derive(Clone, Debug)]
#[allow(dead_code)] // some are for raw images, which are not built here yet
pub(crate) struct Options {
    /// `-alwaysShowBuildLog`: on standard error, while it grows.
    pub(crate) always_show_build_log: bool,
    pub(crate) cancel_on_disconnect: bool,
    /// `-bindMounts`: directories of this host, for local builds.
    pub(crate) bind_mounts: Vec<String>,
    /// `-certDirectory`: empty for no certificates.
    pub(crate) cert_directory: PathBuf,
    /// `-digraphExcludes`: streams.
    pub(crate) digraph_excludes: Vec<String>,
    /// `-digraphIncludes`: streams.
    pub(crate) digraph_includes: Vec<String>,
    /// `-disableFor`: for disable-*.
    pub(crate) disable_for: Duration,
    /// `-expiresIn`: life time of the image.
    pub(crate) expires_in: Duration,
    /// `-imageFilename`: where the image goes instead of being published; empty to publish it.
    pub(crate) image_filename: PathBuf,
    /// `HOST:PORT` of the image server.
    pub(crate) image_server: String,
    /// `HOST:PORT` of the image builder.
    pub(crate) imaginator: String,
    /// `-json`: results for programs.
    pub(crate) json: bool,
    /// `-maxSourceAge`: of the source image.
    pub(crate) max_source_age: Duration,
    /// `-maximumBuildDuration`: of the commands of a build.
    pub(crate) maximum_build_duration: Duration,
    /// `-mtimesCopyFilterFile`: empty for none.
    pub(crate) mtimes_copy_filter_file: PathBuf,
    /// `-srpcProxy`: to connect through.
    pub(crate) proxy: Option<srpc::Proxy>,
    /// `-rawSize`: bytes.
    pub(crate) raw_size: u64,
    /// `-showFetchLog`: on standard error.
    pub(crate) show_fetch_log: bool,
    /// `-variablesFilename`: empty for none.
    pub(crate) variables_filename: PathBuf,
    /// `-waitForAutoRebuilds`: until they are over.
    pub(crate) wait_for_auto_rebuilds: bool,
    /// `-waitToStartAutoRebuilds`: until running ones are over.
    pub(crate) wait_to_start_auto_rebuilds: bool,
    /// `-srpcClientDoNotUseMethodPowers`: ask servers to forget our powers.
    pub(crate) without_method_powers: bool,
    /// `-srpcDefaultConnectTimeout`: for CONNECT and TLS.
    pub(crate) connect_timeout: Duration,
    /// `-srpcDefaultKeepAlivePeriod`: of TCP.
    pub(crate) keep_alive_period: Duration,
}

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// The sentence for the user.
    pub(crate) fn new(values: &Values) -> Result<Options, String> {
        let server = |host: &str, port: &str| -> Result<String, String> {
            Ok(format!("{}:{}", values.string(host), values.port(port)?))
        };
        Ok(Options {
            always_show_build_log: values.boolean("alwaysShowBuildLog"),
            cancel_on_disconnect: values.boolean("cancelOnDisconnect"),
            bind_mounts: values.list("bindMounts").to_vec(),
            cert_directory: values.path("certDirectory"),
            digraph_excludes: values.list("digraphExcludes").to_vec(),
            digraph_includes: values.list("digraphIncludes").to_vec(),
            disable_for: values.duration("disableFor"),
            expires_in: values.duration("expiresIn"),
            image_filename: values.path("imageFilename"),
            image_server: server("imageServerHostname", "imageServerPortNum")?,
            imaginator: server("imaginatorHostname", "imaginatorPortNum")?,
            json: values.boolean("json"),
            max_source_age: values.duration("maxSourceAge"),
            maximum_build_duration: values.duration("maximumBuildDuration"),
            mtimes_copy_filter_file: values.path("mtimesCopyFilterFile"),
            proxy: srpc::Proxy::parse(values.string("srpcProxy"))
                .map_err(|error| format!("flag -srpcProxy: {error}"))?,
            raw_size: values.size("rawSize"),
            show_fetch_log: values.boolean("showFetchLog"),
            variables_filename: values.path("variablesFilename"),
            wait_for_auto_rebuilds: values.boolean("waitForAutoRebuilds"),
            wait_to_start_auto_rebuilds: values.boolean("waitToStartAutoRebuilds"),
            without_method_powers: values.boolean("srpcClientDoNotUseMethodPowers"),
            connect_timeout: values.duration("srpcDefaultConnectTimeout"),
            keep_alive_period: values.duration("srpcDefaultKeepAlivePeriod"),
        })
    }
}
