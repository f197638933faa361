//! The methods of the daemons, and what calling them takes (imageserver.md §1.1, §5).

use srpc::powers::Powers;

/// What a caller needs for a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A name: any certificate will do, and the method decides further.
    Name,
    /// A power in the certificate (or trust configured on the server).
    Power,
    /// A power, unless the server was started with the flag.
    PowerUnlessFlag(&'static str),
}

/// One service and its methods.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) methods: &'static [(&'static str, Needs)],
}

use Needs::{Name, Power, PowerUnlessFlag};

/// The services of the daemons that speak SRPC.
pub(crate) const SERVICES: &[Service] = &[
    Service {
        name: "ImageServer",
        methods: &[
            ("AddImage", Power),
            ("AddImageTrusted", Power),
            ("ChangeImageExpiration", Name),
            ("CheckDirectory", Name),
            ("CheckImage", Name),
            ("ChownDirectory", Name),
            ("DeleteDirectory", Power),
            ("DeleteImage", Name),
            ("DeleteUnreferencedObjects", Power),
            ("FindLatestImage", Name),
            ("GetFilteredImageUpdates", Name),
            ("GetImage", Name),
            ("GetImageArchive", Name),
            ("GetImageComputedFiles", Name),
            ("GetImageExpiration", Name),
            ("GetImageInodes", Name),
            ("GetImageUpdates", Name),
            ("GetImageUsageEstimate", Name),
            ("GetObjectStatisticsForImages", Name),
            ("GetReplicationMaster", Name),
            ("ImportTree", Power),
            ("ListDirectories", Name),
            ("ListImages", Name),
            ("ListSelectedImages", Name),
            ("ListUnreferencedObjects", Name),
            ("MakeDirectory", Power),
            ("RestoreImageFromArchive", Power),
        ],
    },
    Service {
        name: "ObjectServer",
        methods: &[
            ("AddObjects", PowerUnlessFlag("-allowPublicAddObjects")),
            ("CheckObjects", PowerUnlessFlag("-allowPublicCheckObjects")),
            ("GetObjects", PowerUnlessFlag("-allowPublicGetObjects")),
            ("ImportObjects", PowerUnlessFlag("-allowPublicAddObjects")),
            ("TestBandwidth", Power),
        ],
    },
    Service {
        name: "Logger",
        methods: &[
            ("Debug", Power),
            ("GetStackTrace", Power),
            ("Print", Power),
            ("SetDebugLevel", Power),
            ("Watch", Power),
        ],
    },
];

/// The methods of a service that the powers grant, by name.
pub(crate) fn granted(service: &Service, powers: &Powers) -> Vec<&'static str> {
    let allowed = |method: &str| powers.permit(&format!("{}.{method}", service.name));
    service
        .methods
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| allowed(name))
        .collect()
}

/// Does the pattern grant any method in the table?
pub(crate) fn grants_anything(pattern: &str) -> bool {
    let powers = Powers::new([pattern]);
    SERVICES
        .iter()
        .any(|service| !granted(service, &powers).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_grant_what_they_name_and_no_more() {
        let patterns = Powers::new(["ImageServer.Add*", "Logger.*"]);
        assert_eq!(granted(&SERVICES[0], &patterns), ["AddImage", "AddImageTrusted"]);
        assert!(granted(&SERVICES[1], &patterns).is_empty());
        assert_eq!(granted(&SERVICES[2], &patterns).len(), 5);
        assert!(!grants_anything("Subd.*"));
    }
}
