//! The values of all flags the verbs look at, read in one place: a look-up under a wrong name or kind would show at
//! every start of the program, not only in the verb that wants it.

use std::path::PathBuf;
use std::time::Duration;

use flags::Values;

/// What the flags say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `-buildCommitId`: commit or branch of images to find; empty for any.
    pub(crate) build_commit_id: String,
    /// `-buildLog`: file or URL; empty for none.
    pub(crate) build_log: String,
    /// `-certDirectory`: empty for no certificates.
    pub(crate) cert_directory: PathBuf,
    /// `-compress`: gzip.
    pub(crate) compress: bool,
    /// `-computedFiles`: list file; empty for none.
    pub(crate) computed_files: String,
    /// `-computedFilesRoot`: empty for none.
    pub(crate) computed_files_root: PathBuf,
    /// `-copyMtimesFrom`: image; empty for none.
    pub(crate) copy_mtimes_from: String,
    /// `-deleteFilter`: filter file; empty for none.
    pub(crate) delete_filter: String,
    /// `-diffArgs`: for the diff tool.
    pub(crate) diff_args: Vec<String>,
    /// `-dryRun`: delete nothing.
    pub(crate) dry_run: bool,
    /// `-expiresIn`: life time of images; zero for ever.
    pub(crate) expires_in: Duration,
    /// `-filterFile`: empty for none.
    pub(crate) filter_file: String,
    /// `-ignoreExpiring`: leave expiring images out.
    pub(crate) ignore_expiring: bool,
    /// `-ignoreFilters`: compare trees as they are.
    pub(crate) ignore_filters: bool,
    /// `-imageServerHostname`: host.
    pub(crate) image_server_hostname: String,
    /// `-json`: results for programs.
    pub(crate) json: bool,
    /// `-logDatestamps`: messages begin with the time.
    pub(crate) log_datestamps: bool,
    /// `-logSubseconds`: that time with microseconds.
    pub(crate) log_subseconds: bool,
    /// `-logDebugLevel`: -1 for none.
    pub(crate) log_debug_level: i64,
    /// `-masterImageServerHostname`: host; empty if it is the same.
    pub(crate) master_image_server_hostname: String,
    /// `-objectAddInterval`: pause between objects.
    pub(crate) object_add_interval: Duration,
    /// `-requiredPaths`: path:type list.
    pub(crate) required_paths: String,
    /// `-objectCacheDirectory`: refused.
    pub(crate) object_cache_directory: String,
    /// `-srpcProxy`: to connect through.
    pub(crate) proxy: Option<srpc::Proxy>,
    /// `-releaseNotes`: file or URL; empty for none.
    pub(crate) release_notes: String,
    /// `-scanExcludeList`: expressions.
    pub(crate) scan_exclude_list: Vec<String>,
    /// `-scrubRate`: bytes per second; 0 for the server's own.
    pub(crate) scrub_rate: u64,
    /// `-skipFields`: letters.
    pub(crate) skip_fields: String,
    /// `-srpcClientDoNotUseMethodPowers`: ask servers to forget our powers.
    pub(crate) without_method_powers: bool,
    /// `-srpcDefaultConnectTimeout`: for CONNECT and TLS.
    pub(crate) connect_timeout: Duration,
    /// `-srpcDefaultKeepAlivePeriod`: of TCP.
    pub(crate) keep_alive_period: Duration,
    /// `-tagsToMatch`: k=v,....
    pub(crate) tags_to_match: String,
    /// `-timeout`: how long to wait for an image.
    pub(crate) timeout: Duration,
    /// `-imageServerPortNum`: of both servers.
    pub(crate) image_server_port: u16,
}

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// The sentence for the user.
    pub(crate) fn new(values: &Values) -> Result<Options, String> {
        Ok(Options {
            build_commit_id: values.string("buildCommitId").to_owned(),
            build_log: values.string("buildLog").to_owned(),
            cert_directory: values.path("certDirectory"),
            compress: values.boolean("compress"),
            computed_files: values.string("computedFiles").to_owned(),
            computed_files_root: values.path("computedFilesRoot"),
            copy_mtimes_from: values.string("copyMtimesFrom").to_owned(),
            delete_filter: values.string("deleteFilter").to_owned(),
            diff_args: values.list("diffArgs").to_vec(),
            dry_run: values.boolean("dryRun"),
            expires_in: values.duration("expiresIn"),
            filter_file: values.string("filterFile").to_owned(),
            ignore_expiring: values.boolean("ignoreExpiring"),
            ignore_filters: values.boolean("ignoreFilters"),
            image_server_hostname: values.string("imageServerHostname").to_owned(),
            json: values.boolean("json"),
            log_datestamps: values.boolean("logDatestamps"),
            log_subseconds: values.boolean("logSubseconds"),
            log_debug_level: values.integer("logDebugLevel"),
            master_image_server_hostname: values.string("masterImageServerHostname").to_owned(),
            object_add_interval: values.duration("objectAddInterval"),
            required_paths: values.string("requiredPaths").to_owned(),
            object_cache_directory: values.string("objectCacheDirectory").to_owned(),
            proxy: srpc::Proxy::parse(values.string("srpcProxy"))
                .map_err(|e| format!("flag -srpcProxy: {e}"))?,
            release_notes: values.string("releaseNotes").to_owned(),
            scan_exclude_list: values.list("scanExcludeList").to_vec(),
            scrub_rate: values.size("scrubRate"),
            skip_fields: values.string("skipFields").to_owned(),
            without_method_powers: values.boolean("srpcClientDoNotUseMethodPowers"),
            connect_timeout: values.duration("srpcDefaultConnectTimeout"),
            keep_alive_period: values.duration("srpcDefaultKeepAlivePeriod"),
            tags_to_match: values.string("tagsToMatch").to_owned(),
            timeout: values.duration("timeout"),
            image_server_port: values.port("imageServerPortNum")?,
        })
    }
}
