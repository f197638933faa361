//! Bytes nobody can guess or compress.

/// Fills `target` from the system's random generator.
pub(crate) fn fill(target: &mut [u8]) -> std::io::Result<()> {
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, target)
}
