//! The messages of the `MdbServer` service that tools need (gob.md §13).

use std::collections::BTreeMap;

use image::record;

record! {
    /// Of `ListImages`.
    pub struct ListImagesRequest {}

    /// Of `ListImages`.
    pub struct ListImagesResponse {
        /// Names of images planned for machines.
        pub planned_images: Vec<String>,
        /// Names of images required on machines.
        pub required_images: Vec<String>,
    }

    /// Of `GetMdb`.
    pub struct GetMdbRequest {}

    /// Of `GetMdb`.
    pub struct GetMdbResponse {
        /// Empty for success.
        pub error: String,
        /// The machines.
        pub machines: Vec<Machine>,
    }

    /// A machine in the database.
    pub struct Machine {
        /// Name.
        pub hostname: String,
        /// Which source told of it.
        pub data_source_identifier: String,
        /// Kind of that source.
        pub data_source_type: String,
        /// Address, if known.
        pub ip_address: String,
        /// Place.
        pub location: String,
        /// Image it must have.
        pub required_image: String,
        /// Image it will get.
        pub planned_image: String,
        /// Leave it alone.
        pub disable_updates: bool,
        /// Owner group.
        pub owner_group: String,
        /// Owner groups.
        pub owner_groups: Vec<String>,
        /// Owners.
        pub owner_users: Vec<String>,
        /// Labels.
        pub tags: BTreeMap<String, String>,
        /// What AWS says.
        pub aws_metadata: Option<AwsMetadata>,
    }

    /// What AWS says about a machine.
    pub struct AwsMetadata {
        /// Account number.
        pub account_id: String,
        /// Account name.
        pub account_name: String,
        /// Instance.
        pub instance_id: String,
        /// Region.
        pub region: String,
        /// Labels.
        pub tags: BTreeMap<String, String>,
    }
}
