//! SHA-512 names of objects
