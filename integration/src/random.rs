//! Random choices that can be made again: every test prints its seed, and takes it back from the environment.

use std::time::{SystemTime, UNIX_EPOCH};

/// Environment variable with the seed of the tests that choose at random.
pub const SEED_VARIABLE: &str = "IMAGEWRIGHT_FAULT_SEED";

/// SplitMix64: small, good enough to choose with, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// With the seed of the environment, else with that of the clock; `test` is named in the line that tells it.
    pub fn for_test(test: &str) -> Self {
        let given = std::env::var(SEED_VARIABLE)
            .ok()
            .and_then(|text| text.parse().ok());
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_nanos() as u64);
        let seed = given.unwrap_or(clock);
        println!("{test}: {SEED_VARIABLE}={seed}");
        Self(seed)
    }

    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own, for another thread.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % (end.max(1) as u64)) as usize
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// How often a test does its work: the environment variable `variable`, else the short form.
pub fn rounds(variable: &str, short: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let (mut left, mut right) = (Random::new(7), Random::new(7));
        assert_eq!(left.bytes(100), right.bytes(100));
        assert_eq!(left.below(1000), right.below(1000));
        assert_ne!(Random::new(8).bytes(100), Random::new(7).bytes(100));
    }
}
