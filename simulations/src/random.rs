//! One seed, split by purpose.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A generator for one purpose of a run. Streams of different purposes are independent, so that drawing more for one
/// changes nothing in another.
#[must_use]
pub fn rng_for(seed: u64, purpose: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(seed_for(seed, purpose))
}

/// The 32-byte seed of one purpose of a run.
pub(crate) fn seed_for(seed: u64, purpose: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("warren simulation 2026 seed");
    hasher.update(&seed.to_le_bytes());
    hasher.update(purpose.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Random-looking bits that `bits` decide (the finisher of `SplitMix64`): for draws that are made again each time they are
/// needed instead of being remembered.
pub(crate) const fn mix(bits: u64) -> u64 {
    let mut mixed = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
