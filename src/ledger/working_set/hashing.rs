//! How the rows of a batch are hashed.
//!
//! Most keys are numbers that the ledger counts, and the maps live as long as a batch, so that the
//! standard library's defence against chosen keys is not needed: it took most of the time of a
//! look-up. Texts that callers choose are few in a batch.

use std::hash::{BuildHasherDefault, Hasher};

/// A map of a batch.
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Mixes each number into all bits of the hash.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mixer(u64);

/// 2 to the 64th divided by the golden ratio, and odd.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        let (low, high) = (self.0.rotate_left(5) ^ value).carrying_mul(FACTOR, 0);
        self.0 = low ^ high;
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    /// Keys that follow each other, and keys that differ in their upper bits alone, differ in the
    /// bits that choose a place of a map and in those that are compared there.
    #[test]
    fn counted_keys_are_spread() {
        let build = BuildHasherDefault::<Mixer>::default();
        for shift in [0, 8, 16, 32, 48] {
            let hashes = (1..=1_000_i64).map(|key| build.hash_one((key << shift,)));
            let (low, high): (HashSet<_>, HashSet<_>) =
                hashes.map(|hash| (hash & 0x3ff, hash >> 57)).unzip();
            assert!(low.len() > 550, "{shift}: {}", low.len());
            assert!(high.len() > 120, "{shift}: {}", high.len());
        }
        assert_ne!(build.hash_one("a"), build.hash_one("b"));
        assert_ne!(build.hash_one("12345678"), build.hash_one("12345679"));
        assert_ne!(build.hash_one(1_u8), build.hash_one(2_u8));
        assert_ne!(build.hash_one(1_usize), build.hash_one(2_usize));
    }
}
