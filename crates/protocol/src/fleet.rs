//! The messages of the `FleetManager` service that tools need (gob.md §13).

use image::record;

record! {
    /// Of `GetHypervisorForVM`.
    pub struct GetHypervisorForVmRequest {
        /// Address of the machine, 4 or 16 bytes.
        pub ip_address: Vec<u8>,
    }

    /// Of `GetHypervisorForVM`.
    pub struct GetHypervisorForVmResponse {
        /// `HOST:PORT`.
        pub hypervisor_address: String,
        /// Empty for success.
        pub error: String,
    }
}
