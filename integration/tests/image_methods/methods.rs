//! Which methods there are, and who may call them.

use super::*;

/// Every method but the built-in ones; P: public, U: open without a certificate where `-allowUnauthenticatedReads`
/// says so (`imageserver.md §1.1`).
const METHODS: &[(&str, &str)] = &[
    ("ImageServer.AddImage", ""),
    ("ImageServer.AddImageTrusted", ""),
    ("ImageServer.ChangeImageExpiration", "P"),
    ("ImageServer.CheckDirectory", "PU"),
    ("ImageServer.CheckImage", "PU"),
    ("ImageServer.ChownDirectory", "P"),
    ("ImageServer.DeleteDirectory", ""),
    ("ImageServer.DeleteImage", "P"),
    ("ImageServer.DeleteUnreferencedObjects", ""),
    ("ImageServer.FindLatestImage", "PU"),
    ("ImageServer.GetFilteredImageUpdates", "PU"),
    ("ImageServer.GetImage", "PU"),
    ("ImageServer.GetImageArchive", "PU"),
    ("ImageServer.GetImageComputedFiles", "PU"),
    ("ImageServer.GetImageExpiration", "PU"),
    ("ImageServer.GetImageInodes", "PU"),
    ("ImageServer.GetImageUpdates", "PU"),
    ("ImageServer.GetImageUsageEstimate", "PU"),
    ("ImageServer.GetObjectStatisticsForImages", "PU"),
    ("ImageServer.GetReplicationMaster", "PU"),
    ("ImageServer.ImportTree", ""),
    ("ImageServer.ListDamaged", "PU"),
    ("ImageServer.ListDirectories", "PU"),
    ("ImageServer.ListImages", "PU"),
    ("ImageServer.ListSelectedImages", "PU"),
    ("ImageServer.ListUnreferencedObjects", "PU"),
    ("ImageServer.MakeDirectory", ""),
    ("ImageServer.RestoreImageFromArchive", ""),
    ("ImageServer.Scrub", ""),
    ("ImageServer.ScrubStatus", ""),
    ("Logger.Debug", ""),
    ("Logger.GetStackTrace", ""),
    ("Logger.Print", ""),
    ("Logger.SetDebugLevel", ""),
    ("Logger.Watch", ""),
    ("ObjectServer.AddObjects", ""),
    ("ObjectServer.CheckObjects", "U"),
    ("ObjectServer.GetObjects", "U"),
    ("ObjectServer.ImportObjects", ""),
    ("ObjectServer.TestBandwidth", ""),
];

fn listed(server: &ImageServer, page: &str) -> Vec<String> {
    let (status, text) = server.page(&format!("/_goSRPC_/{page}")).unwrap();
    assert_eq!(status, 200);
    text.lines()
        .filter(|line| !line.starts_with('.'))
        .map(str::to_owned)
        .collect()
}

fn with(letter: char) -> Vec<String> {
    let chosen = METHODS.iter().filter(|(_, class)| class.contains(letter));
    chosen.map(|(method, _)| (*method).to_owned()).collect()
}

#[test]
fn there_are_the_specified_methods_and_each_is_open_to_whom_it_should_be() {
    let closed = Secured::new(&[]).unwrap();
    let all: Vec<String> = METHODS.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(listed(&closed.server, "listMethods"), all);
    assert_eq!(listed(&closed.server, "listPublicMethods"), with('P'));

    let open = Secured::new(&["-allowUnauthenticatedReads"]).unwrap();
    for (method, class) in METHODS {
        let mut stream = connect(open.server.address()).unwrap();
        let request = format!("{method}\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        stream.get_mut().shutdown(Shutdown::Write).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let expected = if class.contains('U') {
            "\n"
        } else {
            "access to method denied\n"
        };
        assert_eq!(line, expected, "{method}");
    }
}

#[test]
fn object_methods_are_public_where_a_flag_says_so() {
    let stage = Secured::new(&[
        "-allowPublicAddObjects",
        "-allowPublicCheckObjects=true",
        "-allowPublicGetObjects",
    ])
    .unwrap();
    let mut expected = with('P');
    for method in ["AddObjects", "CheckObjects", "GetObjects", "ImportObjects"] {
        expected.push(format!("ObjectServer.{method}"));
    }
    assert_eq!(listed(&stage.server, "listPublicMethods"), expected);
}

#[test]
fn members_of_trusted_groups_may_call_everything() {
    let stage = Secured::new(&["-srpcTrustedGroups=none,operators"]).unwrap();
    for (user, group) in [("olga", "operators"), ("otto", "others")] {
        stage
            .identity
            .issue(
                user,
                &["--identity", "--groups", group],
                &stage.certificates(user),
            )
            .unwrap();
    }
    stage.tool("olga").must(&["mkdir", "by-olga"]).unwrap();
    let refused = stage.tool("otto").run(&["mkdir", "by-otto"]).unwrap();
    assert!(refused.err.contains("access to method denied"), "{refused:?}");
}
