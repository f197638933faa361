//! The image server's flags (`imageserver.md §8`): names, defaults and meaning are those of existing deployments. What all
//! daemons share (port, credentials, SRPC, logs) comes from the front.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::information::Template;
use actors::{Archive, CollectorLimits, Config, ExpirationLimits, RepairSource, Replication, Scrubbing};
use anyhow::Context;
use flags::{Flag, Table, Values};
use front::daemon::{ClientTls, Outgoing};
use image::filter::{CompiledFilter, parse_lines};

/// The port clients expect.
const PORT: u16 = 6971;

const DATA: &str = "data";
const ACCESS: &str = "access";
const REPLICATION: &str = "replication";
const HOUSEKEEPING: &str = "housekeeping";
const DIAGNOSIS: &str = "diagnosis";

/// What the image server's own flags say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) image_dir: PathBuf,
    pub(crate) object_dir: PathBuf,
    pub(crate) allow_public_add_objects: bool,
    pub(crate) allow_public_check_objects: bool,
    pub(crate) allow_public_get_objects: bool,
    pub(crate) allow_unauthenticated_reads: bool,
    pub(crate) information: Template,
    pub(crate) expiration: ExpirationLimits,
    pub(crate) collector: CollectorLimits,
    /// Whom to follow; a master follows nobody.
    pub(crate) upstream: Option<Upstream>,
    /// Nothing is deleted on request.
    pub(crate) archive_mode: bool,
    scrub_rate: u64,
    scrub_interval: std::time::Duration,
    repair_from: Vec<String>,
    outgoing: Outgoing,
}

/// The server this one follows.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// `HOST:PORT`.
    pub(crate) address: String,
    archive: Archive,
    exclude: Option<Arc<CompiledFilter>>,
    include: Option<Arc<CompiledFilter>>,
    delete_percent: u8,
}

/// The whole table.
pub(crate) fn table() -> Table {
    Table::daemon(
        "imageserver",
        "keeps machine images, de-duplicated, and serves them",
    )
    .flags(front::daemon::common_flags("imageserver", PORT))
    .flags(own())
}

fn own() -> Vec<Flag> {
    vec![
        Flag::string(
            "imageDir",
            "/var/lib/imageserver",
            "directory of the images; it must exist",
        )
        .group(DATA),
        Flag::string(
            "objectDir",
            "/var/lib/objectserver",
            "directory of the objects; it must exist",
        )
        .group(DATA),
        Flag::boolean(
            "allowPublicAddObjects",
            false,
            "let every authenticated user call AddObjects",
        )
        .group(ACCESS),
        Flag::boolean(
            "allowPublicCheckObjects",
            false,
            "let every authenticated user call CheckObjects",
        )
        .group(ACCESS),
        Flag::boolean(
            "allowPublicGetObjects",
            false,
            "let every authenticated user call GetObjects",
        )
        .group(ACCESS),
        Flag::boolean(
            "allowUnauthenticatedReads",
            false,
            "open the methods that only read, and the contents of objects, to callers without a certificate",
        )
        .group(ACCESS),
        Flag::boolean(
            "archiveMode",
            false,
            "keep everything the master ever had; without a master, refuse to delete images",
        )
        .group(REPLICATION),
        Flag::boolean(
            "archiveExpiringImages",
            false,
            "in archive mode, take expiring images too",
        )
        .group(REPLICATION),
        Flag::string(
            "imageServerHostname",
            "",
            "host of the image server to replicate; empty makes this a master",
        )
        .group(REPLICATION),
        Flag::unsigned(
            "imageServerPortNum",
            PORT.into(),
            "port of the image server to replicate",
        )
        .group(REPLICATION),
        Flag::unsigned(
            "replicationDeletePercent",
            u64::from(actors::replicator::DELETE_PERCENT),
            "delete nothing if the master's list lacks more than this share of the images here",
        )
        .group(REPLICATION),
        Flag::string(
            "replicationExcludeFilter",
            "",
            "file of expressions: images that match are not replicated",
        )
        .group(REPLICATION),
        Flag::string(
            "replicationIncludeFilter",
            "",
            "file of expressions: only images that match are replicated",
        )
        .group(REPLICATION),
        Flag::duration(
            "maximumExpirationDuration",
            "24h0m0s",
            "furthest expiration ordinary users may set",
        )
        .group(HOUSEKEEPING),
        Flag::duration(
            "maximumExpirationDurationPrivileged",
            "730h0m0s",
            "furthest expiration users with method access may set",
        )
        .group(HOUSEKEEPING),
        Flag::integer(
            "objectServerCleanupStartPercent",
            95,
            "delete unreferenced objects when the file system is this full",
        )
        .group(HOUSEKEEPING),
        Flag::integer("objectServerCleanupStopPercent", 90, "... until it is this full").group(HOUSEKEEPING),
        Flag::size(
            "objectServerCleanupStartSize",
            "",
            "delete unreferenced objects when they take more than this",
        )
        .group(HOUSEKEEPING),
        Flag::size(
            "objectServerCleanupStopSize",
            "",
            "... until they take no more than this",
        )
        .group(HOUSEKEEPING),
        Flag::size(
            "scrubRate",
            "20MiB",
            "bytes read per second when everything stored is read again; 0 for no limit",
        )
        .group(HOUSEKEEPING),
        Flag::duration(
            "scrubInterval",
            "720h0m0s",
            "time from one such pass to the next; 0s for none but those asked for",
        )
        .group(HOUSEKEEPING),
        Flag::list(
            "repairFrom",
            "",
            "HOST:PORT,... of image servers to repair what is damaged from, beside the one replicated",
        )
        .group(HOUSEKEEPING),
        Flag::string(
            "informationDatabaseTemplate",
            "",
            "template of the link from an image to an information database",
        )
        .group(HOUSEKEEPING),
        Flag::boolean(
            "debug",
            false,
            "accepted for existing scripts; see -initialLogDebugLevel",
        )
        .group(DIAGNOSIS),
        Flag::duration(
            "lockCheckInterval",
            "2s",
            "accepted for existing scripts; there are no such locks here",
        )
        .group(DIAGNOSIS),
        Flag::duration(
            "lockLogTimeout",
            "5s",
            "accepted for existing scripts; there are no such locks here",
        )
        .group(DIAGNOSIS),
    ]
}

impl Options {
    /// What the actors are told.
    pub(crate) fn actors_config(&self, client_tls: &ClientTls) -> Config {
        Config {
            replication: self
                .upstream
                .as_ref()
                .map(|upstream| upstream.replication(&self.outgoing, client_tls)),
            scrubbing: self.scrubbing(client_tls),
            image_dir: self.image_dir.clone(),
            object_dir: self.object_dir.clone(),
            expiration: self.expiration,
            collector: self.collector,
            allow_debug_panic: crate::pages::debug::is_allowed(),
            ..Config::default()
        }
    }

    /// Takes what concerns the image server out of all values.
    pub(crate) fn of(values: &Values) -> anyhow::Result<Self> {
        let information = Template::parse(values.string("informationDatabaseTemplate"))
            .context("-informationDatabaseTemplate")?;
        Ok(Self {
            image_dir: values.path("imageDir"),
            object_dir: values.path("objectDir"),
            allow_public_add_objects: values.boolean("allowPublicAddObjects"),
            allow_public_check_objects: values.boolean("allowPublicCheckObjects"),
            allow_public_get_objects: values.boolean("allowPublicGetObjects"),
            allow_unauthenticated_reads: values.boolean("allowUnauthenticatedReads"),
            information,
            expiration: ExpirationLimits {
                ordinary: values.duration("maximumExpirationDuration"),
                privileged: values.duration("maximumExpirationDurationPrivileged"),
            },
            collector: collector(values),
            upstream: Upstream::of(values)?,
            archive_mode: values.boolean("archiveMode"),
            scrub_rate: values.size("scrubRate"),
            scrub_interval: values.duration("scrubInterval"),
            repair_from: repair_from(values)?,
            outgoing: Outgoing::of(values).map_err(anyhow::Error::msg)?,
        })
    }

    fn scrubbing(&self, client_tls: &ClientTls) -> Scrubbing {
        let sources = self.repair_from.iter().map(|address| RepairSource {
            name: address.clone(),
            connect: self.outgoing.to(address, client_tls),
        });
        Scrubbing {
            rate_bytes: self.scrub_rate,
            interval: self.scrub_interval,
            sources: sources.collect(),
            ..Scrubbing::default()
        }
    }
}

/// A port may be left out.
fn repair_from(values: &Values) -> anyhow::Result<Vec<String>> {
    let with_port = |address: &String| -> anyhow::Result<String> {
        let Some((host, port)) = address.rsplit_once(':') else {
            return Ok(format!("{address}:{PORT}"));
        };
        let port: u16 = port
            .parse()
            .with_context(|| format!("-repairFrom={address}: give HOST:PORT"))?;
        Ok(format!("{host}:{port}"))
    };
    values.list("repairFrom").iter().map(with_port).collect()
}

impl Upstream {
    /// Blocks on the filters' files.
    fn of(values: &Values) -> anyhow::Result<Option<Self>> {
        let host = values.string("imageServerHostname");
        if host.is_empty() {
            return Ok(None);
        }
        let port = values.port("imageServerPortNum").map_err(anyhow::Error::msg)?;
        let archive = match (
            values.boolean("archiveMode"),
            values.boolean("archiveExpiringImages"),
        ) {
            (false, _) => Archive::Off,
            (true, false) => Archive::Lasting,
            (true, true) => Archive::All,
        };
        Ok(Some(Self {
            address: format!("{host}:{port}"),
            archive,
            exclude: filter(values, "replicationExcludeFilter")?,
            include: filter(values, "replicationIncludeFilter")?,
            delete_percent: u8::try_from(values.unsigned("replicationDeletePercent").min(100)).unwrap_or(100),
        }))
    }

    fn replication(&self, outgoing: &Outgoing, client_tls: &ClientTls) -> Replication {
        let connect = outgoing.to(&self.address, client_tls);
        Replication {
            archive: self.archive,
            exclude: self.exclude.clone(),
            include: self.include.clone(),
            delete_percent: self.delete_percent,
            ..Replication::new(self.address.clone(), move || connect())
        }
    }
}

/// The filter in the file that a flag names, if it names one.
fn filter(values: &Values, flag: &str) -> anyhow::Result<Option<Arc<CompiledFilter>>> {
    let path = values.string(flag);
    if path.is_empty() {
        return Ok(None);
    }
    let read = |path: &Path| -> anyhow::Result<CompiledFilter> {
        Ok(CompiledFilter::new(&parse_lines(&std::fs::read(path)?))?)
    };
    let filter = read(Path::new(path)).with_context(|| format!("-{flag}={path}"))?;
    Ok(Some(Arc::new(filter)))
}

/// The percentages are clamped, and the lower one is made lower (`imageserver.md §6.8`).
fn collector(values: &Values) -> CollectorLimits {
    let percent = |name| values.integer(name).clamp(1, 99).unsigned_abs();
    let start_percent = percent("objectServerCleanupStartPercent").max(2);
    let stop_percent = percent("objectServerCleanupStopPercent").min(start_percent - 1);
    CollectorLimits {
        start_percent,
        stop_percent,
        start_bytes: values.size("objectServerCleanupStartSize"),
        stop_bytes: values.size("objectServerCleanupStopSize"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_port_is_the_well_known_one_unless_told_otherwise() {
        for (arguments, port) in [(vec![], 6971), (vec!["-portNum=7000".to_owned()], 7000)] {
            let values = super::table().parse(arguments).or_leave();
            assert_eq!(values.port("portNum").unwrap(), port);
        }
    }
}
