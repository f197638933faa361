//! All flags (`imagetool.md §2`) and what can be wrong with them beyond their syntax.

use std::time::Duration;

use flags::{Flag, Table};

use crate::options::Options;
use crate::{inputs, typed_name, verbs};

/// Shorter lives are mistakes.
const MIN_EXPIRATION: Duration = Duration::from_secs(15 * 60);

const SCAN_EXCLUDE: &str = "/data/.*,/home/.*,/tmp/.*,/var/log/.*,/var/mail/.*,/var/spool/.*,/var/tmp/.*";

const SKIP_FIELDS: &[&str] = &[
    "m: mode",
    "l: number of links",
    "u: UID",
    "g: GID",
    "s: size/rdev",
    "t: mtime",
    "n: name",
    "d: data",
];

/// The command line of the program.
pub(crate) fn table() -> Table {
    Table::tool(
        "imagetool",
        "looks at, adds, fetches and manages the images of an image server",
    )
    .flags(connection())
    .flags(selection())
    .flags(adding())
    .flags(showing())
    .flags(fetching())
    .flags(raw_images())
    .flags(elsewhere())
    .flags(general())
    .verbs(verbs::all())
    .note(
        "Image types (X:NAME; without a type i: is assumed)",
        typed_name::HELP,
    )
    .note("Letters of -skipFields", SKIP_FIELDS)
}

/// What makes wrong use although each flag is right by itself.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let expires_in = options.expires_in;
    if !expires_in.is_zero() && expires_in < MIN_EXPIRATION {
        return Err(format!(
            "Minimum expiration: {}",
            human::go_duration(MIN_EXPIRATION)
        ));
    }
    image::required_paths::parse(&options.required_paths).map_err(|e| {
        format!(
            "invalid value {:?} for flag -requiredPaths: {e}",
            options.required_paths
        )
    })?;
    // Going on without them would do something else than what was asked for.
    if !options.object_cache_directory.is_empty() {
        return Err("flag -objectCacheDirectory: this build has no object cache yet".to_owned());
    }
    let filter_file = options.filter_file.as_str();
    // Standard input can be read once only, and the verb will want it.
    if !filter_file.is_empty() && filter_file != "-" {
        inputs::filter(filter_file).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn connection() -> Vec<Flag> {
    vec![
        Flag::string("imageServerHostname", "localhost", "host of the image server").key(),
        Flag::unsigned("imageServerPortNum", 6971, "port of the image server").key(),
        Flag::string(
            "masterImageServerHostname",
            "",
            "host of the master image server, if it is another one",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("connection"))
    .chain([flags::shared::certificates_of_tool()])
    .chain(flags::shared::rpc())
    .collect()
}

fn selection() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "ignoreExpiring",
            false,
            "leave expiring images out when finding and listing",
        ),
        Flag::string(
            "tagsToMatch",
            "",
            "only images with these tags: k=v,k=v2,k2=v3 (same key: any value)",
        ),
        Flag::string(
            "buildCommitId",
            "",
            "only images of this commit or branch, when finding the latest",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("which images"))
    .collect()
}

fn adding() -> Vec<Flag> {
    vec![
        Flag::duration(
            "expiresIn",
            "0s",
            "life time of the image, at least 15m; 0 is for ever",
        )
        .key(),
        Flag::string(
            "requiredPaths",
            image::required_paths::DEFAULT,
            "path:type list that an image must have",
        ),
        Flag::string("buildLog", "", "file or URL with the build log"),
        Flag::string("releaseNotes", "", "file or URL with release notes"),
        Flag::string("computedFiles", "", "file with the list of computed files"),
        Flag::string(
            "copyMtimesFrom",
            "",
            "image to take modification times of unchanged files from",
        ),
        Flag::string(
            "deleteFilter",
            "",
            "filter file used instead of the images' own, for addi and diff",
        ),
        Flag::duration("objectAddInterval", "0s", "pause between two objects").rare(),
        Flag::size(
            "scrubRate",
            "",
            "bytes per second for scrub; empty for the server's own rate",
        )
        .rare(),
    ]
    .into_iter()
    .map(|flag| flag.group("adding"))
    .collect()
}

fn showing() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "json",
            false,
            "print results as JSON; lists with one object a line",
        )
        .key(),
        Flag::string(
            "filterFile",
            "",
            "filter file for show, diff and scanning of directories",
        ),
        Flag::string("skipFields", "", "fields left out of listings, for show and diff"),
        Flag::boolean("ignoreFilters", false, "compare trees as they are"),
        Flag::list("diffArgs", "", "arguments for the diff tool"),
    ]
    .into_iter()
    .map(|flag| flag.group("showing and comparing"))
    .collect()
}

fn fetching() -> Vec<Flag> {
    vec![
        Flag::duration("timeout", "0s", "how long to wait for an image to appear"),
        Flag::boolean("compress", false, "compress tar output with gzip"),
        Flag::string(
            "computedFilesRoot",
            "",
            "directory with the content of computed files",
        ),
        Flag::string("objectCacheDirectory", "", "not in this build yet").rare(),
        Flag::size("objectCacheSize", "10GiB", "not in this build yet").rare(),
        Flag::list(
            "scanExcludeList",
            SCAN_EXCLUDE,
            "expressions left out by scan-filtered-files",
        )
        .rare(),
    ]
    .into_iter()
    .map(|flag| flag.group("fetching"))
    .collect()
}

fn raw_images() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "allocateBlocks",
            false,
            "allocate blocks (raw images: not in this build yet)",
        ),
        Flag::string(
            "extraKernelOptions",
            "",
            "options for the kernel (raw images: not in this build yet)",
        ),
        Flag::string(
            "extraPartitionsFilename",
            "",
            "file with further partitions (raw images: not in this build yet)",
        ),
        Flag::boolean(
            "makeBootable",
            true,
            "install a boot loader (raw images: not in this build yet)",
        ),
        Flag::size(
            "minBytes",
            "4MiB",
            "smallest size of the root file system (raw images: not in this build yet)",
        ),
        Flag::size(
            "minFreeBytes",
            "4MiB",
            "free space in it (raw images: not in this build yet)",
        ),
        Flag::string(
            "overlayDirectory",
            "",
            "files laid over the image (raw images: not in this build yet)",
        ),
        Flag::string(
            "rootLabel",
            "",
            "label of the root file system (raw images: not in this build yet)",
        ),
        Flag::unsigned(
            "roundupPower",
            24,
            "power of 2 the size is rounded up to (raw images: not in this build yet)",
        ),
        Flag::string(
            "tableType",
            "msdos",
            "partition table (raw images: not in this build yet)",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("raw images (not in this build yet)").rare())
    .collect()
}

fn elsewhere() -> Vec<Flag> {
    vec![
        Flag::string(
            "fleetManagerHostname",
            "",
            "host of the fleet manager (not in this build yet)",
        ),
        Flag::unsigned("fleetManagerPortNum", 6977, "its port (not in this build yet)"),
        Flag::string(
            "hypervisorHostname",
            "",
            "host of the hypervisor (not in this build yet)",
        ),
        Flag::unsigned("hypervisorPortNum", 6976, "its port (not in this build yet)"),
        Flag::string(
            "mdbServerHostname",
            "localhost",
            "host of the machine database (not in this build yet)",
        ),
        Flag::unsigned("mdbServerPortNum", 6973, "its port (not in this build yet)"),
        Flag::boolean(
            "runTriggers",
            false,
            "run triggers when patching / (not in this build yet)",
        ),
    ]
    .into_iter()
    .map(|flag| flag.group("other services (not in this build yet)").rare())
    .collect()
}

fn general() -> Vec<Flag> {
    vec![
        Flag::boolean("dryRun", false, "say what would be deleted, and delete nothing"),
        Flag::boolean("debug", false, "accepted, without effect").rare(),
        Flag::string("cpuProfileFilename", "", "accepted, without effect").rare(),
    ]
    .into_iter()
    .map(|flag| flag.group("general"))
    .chain(flags::shared::log_of_tool())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        match table().parse(arguments.iter().map(ToString::to_string)) {
            flags::Outcome::Run(values) => Options::new(&values).unwrap(),
            flags::Outcome::Exit(exit) => panic!("{}", exit.text),
        }
    }

    #[test]
    fn short_lives_and_unreadable_filters_are_wrong_use() {
        assert_eq!(
            check(&options(&["-expiresIn=10m", "list"])),
            Err("Minimum expiration: 15m0s".to_owned())
        );
        assert_eq!(check(&options(&["-expiresIn=15m", "list"])), Ok(()));
        let error = check(&options(&["-filterFile=/nonexistent", "list"])).unwrap_err();
        assert_eq!(error, "open /nonexistent: no such file or directory");
    }

    #[test]
    fn tags_are_read_as_they_are_written() {
        let session = crate::session::Session::new(options(&["-tagsToMatch=a=b,a=c,d=e", "list"]));
        let tags = session.selection("").unwrap().tags;
        assert_eq!(tags["a"], ["b", "c"]);
        assert_eq!(tags["d"], ["e"]);
    }

    #[test]
    fn every_command_of_the_original_is_known() {
        let known: Vec<&str> = table().all_verbs().iter().map(flags::Verb::name).collect();
        let original = "add addi addrep adds analyse-file-system bulk-addrep change-image-expiration check \
            check-directory chown copy copy-filtered-files delete delunrefobj diff diff-build-logs diff-files \
            diff-filters diff-package-lists diff-triggers estimate-usage find-latest-image get get-archive-data \
            get-build-log get-file-in-image get-image-expiration get-image-updates \
            get-object-statistics-for-images get-package-list get-replication-master import-fs-tree list list-mdb \
            list-not-in-mdb listdirs listunrefobj make-raw-image match-triggers merge-filters merge-triggers mkdir \
            patch-directory restore-from-file rmdir run-command-in-image-chroot save-to-file scan-filtered-files \
            show show-bad-computed-files show-bad-image-subs show-computed-file-subs show-filter show-inode \
            show-metadata show-triggers showunrefobj tar test-download-speed trace-inode-history unpack-fs-tree wait";
        for verb in original.split_whitespace() {
            assert!(known.contains(&verb), "{verb}");
        }
    }

    #[test]
    fn every_flag_of_the_original_is_known_with_its_default() {
        let original = "allocateBlocks=false buildCommitId= buildLog= compress=false computedFiles= \
            computedFilesRoot= copyMtimesFrom= cpuProfileFilename= debug=false deleteFilter= diffArgs= expiresIn=0s \
            extraKernelOptions= extraPartitionsFilename= filterFile= fleetManagerHostname= fleetManagerPortNum=6977 \
            hypervisorHostname= hypervisorPortNum=6976 ignoreExpiring=false ignoreFilters=false \
            imageServerHostname=localhost imageServerPortNum=6971 logDatestamps=false logDebugLevel=-1 \
            logSubseconds=false makeBootable=true masterImageServerHostname= mdbServerHostname=localhost \
            mdbServerPortNum=6973 minBytes=4MiB minFreeBytes=4MiB objectAddInterval=0s objectCacheDirectory= \
            objectCacheSize=10GiB overlayDirectory= releaseNotes= \
            requiredPaths=/etc:d,/etc/passwd:f,/usr:d,/usr/bin:d rootLabel= roundupPower=24 runTriggers=false \
            scanExcludeList=/data/.*,/home/.*,/tmp/.*,/var/log/.*,/var/mail/.*,/var/spool/.*,/var/tmp/.* skipFields= \
            srpcClientDoNotUseMethodPowers=false srpcDefaultConnectTimeout=15s srpcDefaultKeepAlivePeriod=5m0s \
            srpcDefaultTlsHandshakeTimeout=1m0s srpcProxy= srpcTrustVmOwners=true srpcTrustedGroups= \
            srpcTrustedUsers= tableType=msdos tagsToMatch= timeout=0s";
        let table = table();
        for (name, default) in original
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            let flag = table.find(name).unwrap_or_else(|| panic!("no flag {name}"));
            assert_eq!(flag.default_text(), default, "{name}");
        }
        for name in ["certDirectory", "srpcUnixSocketPath"] {
            assert!(table.find(name).is_some(), "{name}");
        }
    }
}
