//! Figures of the process, for machines and for people.
//!
//! Two things in one: a registry of paths such as `/image-count`, each with a description, a unit and a closure that
//! gives the value now (old dashboards and scripts read these, `imageserver.md §10.1`), and the recorder behind the
//! `metrics` facade. [`Metrics::prometheus_text`] writes both.
//!
//! Promises: reading a figure never changes it; a figure costs nothing until it is read. Lacks: history.

mod client_certificates;
mod json;
mod pages;
mod process;
mod recorder;
mod registry;
mod text;
mod value;

pub use client_certificates::register_client_certificates;
pub use pages::configure;
pub use process::Process;
pub use registry::{Metrics, Sample};
pub use value::{Bucket, Distribution, Unit, Value};

#[cfg(test)]
#[path = "tests/registry.rs"]
mod tests;
