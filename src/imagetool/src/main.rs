//! The image server's command-line client
fn main() {}
