//! The plain-text pages below `/_goSRPC_/` (srpc.md §9).

use std::process::Command;
use std::sync::OnceLock;

use crate::registry::Registry;

/// One of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The host's fully qualified name.
    GetHostname,
    /// All methods.
    ListMethods,
    /// The public ones.
    ListPublicMethods,
}

impl Page {
    /// The page at this path.
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/_goSRPC_/getHostname" => Some(Self::GetHostname),
            "/_goSRPC_/listMethods" => Some(Self::ListMethods),
            "/_goSRPC_/listPublicMethods" => Some(Self::ListPublicMethods),
            _ => None,
        }
    }

    /// The text of the page; `Err` goes with status 500.
    pub fn text(self, registry: &Registry) -> Result<String, String> {
        match self {
            Self::GetHostname => host_name().map(|name| format!("{name}\n")),
            Self::ListMethods => Ok(lines(&registry.method_names())),
            Self::ListPublicMethods => Ok(lines(&registry.public_method_names())),
        }
    }
}

/// The fully qualified host name: what `hostname -f` prints, else the kernel's. Looked up once; the first time may block
/// for as long as name resolution does.
pub fn host_name() -> Result<String, String> {
    static NAME: OnceLock<Result<String, String>> = OnceLock::new();
    NAME.get_or_init(|| {
        let command = Command::new("hostname")
            .arg("-f")
            .output()
            .ok()
            .filter(|output| output.status.success());
        if let Some(name) = command.and_then(|output| String::from_utf8(output.stdout).ok())
            && !name.trim().is_empty()
        {
            return Ok(name.trim().to_owned());
        }
        let kernel = rustix::system::uname();
        kernel
            .nodename()
            .to_str()
            .map(str::to_owned)
            .map_err(|error| error.to_string())
    })
    .clone()
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}
