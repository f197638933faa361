//! Everything for one host: certificates, checks
fn main() {}
