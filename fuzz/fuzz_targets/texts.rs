//! See `fuzzing::texts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::texts(data));
