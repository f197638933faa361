//! Every message type says on the wire that it has the fields of the specification (`gob.md` §9 to §12, §14), in the
//! words of a reader of its own.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use gob::Gob;
use image::*;
use integration::golden::gob_value::GobValues;
use protocol::archive::{ImageArchive, SavedObject};
use protocol::image_server::*;
use protocol::imaginator::*;
use protocol::logger::*;
use protocol::object_server::*;

/// What the sender says about the type.
fn fields<T: Gob + Default>() -> String {
    let bytes = gob::to_vec(&T::default());
    let mut values = GobValues::new(&bytes);
    values.next_value().unwrap();
    assert_eq!(values.consumed(), bytes.len());
    values.last_type()
}

macro_rules! same {
    ($($type:ty: $fields:expr;)+) => {
        $(assert_eq!(fields::<$type>(), $fields, stringify!($type));)+
    };
}

#[test]
fn messages_of_the_image_server_have_the_specified_fields() {
    same! {
        AddImageRequest: "ImageName string; Image Image";
        AddImageResponse: "";
        ChangeImageExpirationRequest: "ExpiresAt Time; ImageName string";
        ChangeImageExpirationResponse: "Error string";
        ChangeOwnerRequest: "DirectoryName string; OwnerGroup string";
        ChangeOwnerResponse: "";
        CheckDirectoryRequest: "DirectoryName string";
        CheckDirectoryResponse: "DirectoryExists bool";
        CheckImageRequest: "ImageName string";
        CheckImageResponse: "ImageExists bool";
        DeleteDirectoryRequest: "DirectoryName string";
        DeleteDirectoryResponse: "Error string";
        DeleteImageRequest: "ImageName string";
        DeleteImageResponse: "";
        DeleteUnreferencedObjectsRequest: "Percentage uint; Bytes uint";
        DeleteUnreferencedObjectsResponse: "";
        FindLatestImageRequest: "BuildCommitId string; DirectoryName string; IgnoreExpiringImages bool; \
            TagsToMatch map[string][]string";
        FindLatestImageResponse: "ImageName string; Error string";
        GetImageArchiveRequest: "ImageName string";
        GetImageArchiveResponse: "ArchiveData []byte; Error string; ReplicationMaster string";
        GetImageComputedFilesRequest: "ImageName string";
        GetImageComputedFilesResponse: "ComputedFiles []ComputedFile; ImageExists bool";
        GetImageExpirationRequest: "ImageName string";
        GetImageExpirationResponse: "Error string; ExpiresAt Time";
        GetImageInodesRequest: "Filenames []string; ImageName string";
        GetImageInodesResponse: "Error string; ImageExists bool; InodeNumbers map[string]uint; \
            Inodes map[uint]interface; NumLinks map[uint]uint";
        GetImageRequest: "ImageName string; IgnoreFilesystem bool; IgnoreFilesystemIfExpiring bool; Timeout int";
        GetImageResponse: "Image Image; InformationDatabaseURL string";
        GetImageUsageEstimateRequest: "ImageName string";
        GetImageUsageEstimateResponse: "ImageExists bool; UsageEstimate uint";
        GetFilteredImageUpdatesRequest: "IgnoreExpiring bool";
        GetObjectStatisticsForImagesRequest: "IgnoreMissing bool; ImageNames []string";
        GetObjectStatisticsForImagesResponse: "ComputationTime int; Error string; NumFileInodes uint; \
            NumImages uint; NumObjects uint; TotalFileInodeBytes uint; TotalObjectBytes uint";
        GetReplicationMasterRequest: "";
        GetReplicationMasterResponse: "Error string; ReplicationMaster string";
        ImageUpdate: "Name string; Directory Directory; Operation uint";
        ImportTreeRequest: "DirectoryName string; ExpiresAt Time; TreeUrl string";
        ImportTreeResponse: "FileBytesAdded uint; FileObjectsAdded uint; FilesDownloadTime int; Error string; \
            ImageName string; TreeBytesAdded uint; TreeObjectsAdded uint; TreesDownloadTime int";
        ListSelectedImagesRequest: "DirectoryName string; IgnoreExpiringImages bool; \
            TagsToMatch map[string][]string";
        Object: "Hash [64]uint; Size uint";
        MakeDirectoryRequest: "DirectoryName string; MakeAll bool";
        MakeDirectoryResponse: "";
        RestoreImageFromArchiveRequest: "ExpiresAt Time; ArchiveData []byte";
        RestoreImageFromArchiveResponse: "Error string; ReplicationMaster string";
    }
}

#[test]
fn messages_of_the_object_server_have_the_specified_fields() {
    same! {
        AddObjectRequest: "Length uint; ExpectedHash [64]uint";
        AddObjectResponse: "ErrorString string; Hash [64]uint; Added bool";
        CheckObjectsRequest: "Hashes [][64]uint";
        CheckObjectsResponse: "ObjectSizes []uint";
        GetObjectsRequest: "Exclusive bool; Hashes [][64]uint";
        GetObjectsResponse: "ResponseString string; ObjectSizes []uint";
        ImportObjectsRequest: "BaseRemoteUrl string; Hashes [][64]uint; ObjectSizes []uint";
        ImportObjectsResponse: "BytesAdded uint; Error string; FailedIndex uint; ObjectsAdded uint";
        TestBandwidthRequest: "Duration int; ChunkSize uint; SendToServer bool";
        TestBandwidthResponse: "ServerDuration int";
    }
}

#[test]
fn messages_of_the_logger_have_the_specified_fields() {
    same! {
        DebugRequest: "Args []string; Name string; Level uint";
        DebugResponse: "";
        GetStackTraceRequest: "";
        GetStackTraceResponse: "Data []byte";
        PrintRequest: "Args []string; Name string";
        PrintResponse: "";
        SetDebugLevelRequest: "Name string; Level int";
        SetDebugLevelResponse: "";
        WatchRequest: "DebugLevel int; ExcludeRegex string; IncludeRegex string; Name string";
        WatchResponse: "Error string";
    }
}

/// `EntriesByName` of a directory is a cache of the original's that nobody needs to send.
#[test]
fn images_and_their_parts_have_the_specified_fields() {
    same! {
        Image: "BuildBranch string; BuildCommitId string; BuildGitUrl string; CreatedBy string; CreatedFor string; \
            Filter Filter; FileSystem FileSystem; Triggers Triggers; ReleaseNotes Annotation; BuildLog Annotation; \
            CreatedOn Time; ExpiresAt Time; OwnerGroups []string; OwnerUsers []string; Packages []Package; \
            SourceImage string; Tags map[string]string";
        Annotation: "Object [64]uint; URL string";
        Package: "Name string; Size uint; Version string";
        Directory: "Name string; Metadata DirectoryMetadata";
        DirectoryMetadata: "OwnerGroup string";
        Filter: "FilterLines []string";
        Triggers: "Triggers []Trigger";
        Trigger: "MatchLines []string; Service string; SortName string; DoReboot bool; DoReload bool; \
            HighImpact bool";
        FileSystem: "InodeTable map[uint]interface; NumRegularInodes uint; TotalDataBytes uint; \
            DirectoryCount uint; DirectoryInode DirectoryInode";
        DirectoryInode: "EntryList []DirectoryEntry; Mode uint; Uid uint; Gid uint";
        DirectoryEntry: "Name string; InodeNumber uint";
        RegularInode: "Mode uint; Uid uint; Gid uint; MtimeNanoSeconds int; MtimeSeconds int; Size uint; \
            Hash [64]uint";
        ComputedRegularInode: "Mode uint; Uid uint; Gid uint; Source string";
        SymlinkInode: "Uid uint; Gid uint; Symlink string";
        SpecialInode: "Mode uint; Uid uint; Gid uint; MtimeNanoSeconds int; MtimeSeconds int; Rdev uint";
        ComputedFile: "Filename string; Source string";
        ImageArchive: "ImageName string; Image Image";
        SavedObject: "Hash [64]uint; Length uint";
    }
}

/// One inode of each kind, with every field other than zero.
fn every_kind() -> Vec<(u64, Inode)> {
    let (mode, uid, gid) = (0o100644, 1, 2);
    let (mtime_nano_seconds, mtime_seconds) = (3, -4);
    let regular = RegularInode {
        mode,
        uid,
        gid,
        mtime_nano_seconds,
        mtime_seconds,
        size: 5,
        hash: hash::of(b"12345"),
    };
    let source = "host:1".to_owned();
    let symlink = b"to\xff".as_slice().into();
    let special = SpecialInode {
        mode,
        uid,
        gid,
        mtime_nano_seconds,
        mtime_seconds,
        rdev: 0x801,
    };
    let entry = DirectoryEntry {
        name: "a".into(),
        inode_number: 1,
    };
    let directory = DirectoryInode {
        entry_list: vec![entry],
        mode,
        uid,
        gid,
    };
    vec![
        (1, Inode::Regular(regular)),
        (
            2,
            Inode::ComputedRegular(ComputedRegularInode {
                mode,
                uid,
                gid,
                source,
            }),
        ),
        (3, Inode::Symlink(SymlinkInode { uid, gid, symlink })),
        (4, Inode::Special(special)),
        (5, Inode::Directory(directory)),
    ]
}

#[test]
fn every_kind_of_inode_goes_under_its_registered_name() {
    let file_system = FileSystem {
        inode_table: InodeTable::from(every_kind()),
        ..FileSystem::default()
    };
    let bytes = gob::to_vec(&file_system);
    let value = GobValues::new(&bytes).next_value().unwrap();
    let hash = hash::of(b"12345");
    let numbers: Vec<u8> = hash.as_bytes().to_vec();
    let common = |more: serde_json::Value| {
        let mut all = serde_json::json!({ "Mode": 0o100644, "Uid": 1, "Gid": 2 });
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let times = serde_json::json!({ "MtimeNanoSeconds": 3, "MtimeSeconds": -4 });
    let timed = |name: &str, value: serde_json::Value| {
        let mut all = common(times.clone());
        all[name] = value;
        all
    };
    let mut regular = timed("Size", 5.into());
    regular["Hash"] = serde_json::json!(numbers);
    let expected = serde_json::json!({
        "1": { "*filesystem.RegularInode": regular },
        "2": { "*filesystem.ComputedRegularInode": common(serde_json::json!({ "Source": "host:1" })) },
        "3": { "*filesystem.SymlinkInode": { "Uid": 1, "Gid": 2, "Symlink": "to\u{fffd}" } },
        "4": { "*filesystem.SpecialInode": timed("Rdev", 0x801.into()) },
        "5": { "*filesystem.DirectoryInode":
            common(serde_json::json!({ "EntryList": [{ "Name": "a", "InodeNumber": 1 }] })) },
    });
    assert_eq!(value["InodeTable"], expected);
    let (back, _) = gob::from_slice::<FileSystem>(&bytes, gob::Limits::default()).unwrap();
    assert_eq!(back, file_system);
}

#[test]
fn messages_of_the_image_builder_have_the_specified_fields() {
    same! {
        // The last field is ours: who does not know it leaves it out, or does not read it.
        BuildImageRequest: "DisableRecursiveBuild bool; ExpiresIn int; GitBranch string; MaxSourceAge int; \
            MaximumBuildDuration int; ReturnImage bool; StreamBuildLog bool; StreamName string; \
            Variables map[string]string; CancelOnDisconnect bool";
        BuildImageResponse: "Image Image; ImageName string; BuildLog []byte; ErrorString string; NeedSourceImage bool; \
            SourceImage string; SourceImageBuildVariables map[string]string; SourceImageGitCommitId string";
        DisableAutoBuildsRequest: "DisableFor int";
        DisableAutoBuildsResponse: "DisabledUntil Time; Error string";
        DisableBuildRequestsRequest: "DisableFor int";
        DisableBuildRequestsResponse: "DisabledUntil Time; Error string";
        GetDependenciesRequest: "MaxAge int";
        GetDependenciesResponse: "GetDependenciesResult GetDependenciesResult; Error string";
        GetDependenciesResult: "FetchLog []byte; GeneratedAt Time; LastAttemptAt Time; LastAttemptError string; \
            StreamToSource map[string]string; UnbuildableSources map[string]";
        GetDirectedGraphRequest: "Excludes []string; Includes []string; MaxAge int";
        GetDirectedGraphResponse: "GetDirectedGraphResult GetDirectedGraphResult; Error string";
        GetDirectedGraphResult: "FetchLog []byte; GeneratedAt Time; GraphvizDot []byte; LastAttemptAt Time; \
            LastAttemptError string";
        ReplaceIdleSlavesRequest: "ImmediateGetNew bool";
        ReplaceIdleSlavesResponse: "Error string";
        StartAutoBuildsRequest: "WaitForComplete bool; WaitToStart bool";
        StartAutoBuildsResponse: "Error string";
    }
}
