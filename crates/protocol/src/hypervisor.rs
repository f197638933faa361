//! The messages of the `Hypervisor` service that tools need (gob.md §13).

use image::{FileSystem, Filter, record};

record! {
    /// Of `ScanVmRoot`.
    pub struct ScanVmRootRequest {
        /// Address of the machine, 4 or 16 bytes.
        pub ip_address: Vec<u8>,
        /// Paths to leave out.
        pub filter: Option<Filter>,
    }

    /// Of `ScanVmRoot`.
    pub struct ScanVmRootResponse {
        /// Empty for success.
        pub error: String,
        /// The tree.
        pub file_system: Option<FileSystem>,
    }
}
