//! See `fuzzing::gob`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::gob(data));
