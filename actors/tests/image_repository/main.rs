//! The image repository on a real directory: changes, starts, kills, full disks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod changes;
mod fixture;
mod full_disk;
mod kills;
mod panics;
#[path = "../common/small_disk.rs"]
mod small_disk;
mod starts;
mod uploads;
