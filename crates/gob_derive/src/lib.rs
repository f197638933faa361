//! The derive macro of crate gob.
