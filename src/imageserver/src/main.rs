//! The image server daemon
fn main() {}
