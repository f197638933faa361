//! The messages of the `FileGenerator` service that tools need (gob.md §13).

use image::record;

record! {
    /// Of `ListGenerators`.
    pub struct ListGeneratorsRequest {}

    /// Of `ListGenerators`.
    pub struct ListGeneratorsResponse {
        /// Paths for which there is a generator.
        pub pathnames: Vec<String>,
    }
}
