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
