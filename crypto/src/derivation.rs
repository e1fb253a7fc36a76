//! Every BLAKE3 derivation context of this crate, in one place so that no two can be equal.
//!
//! A context is a constant of the program; what varies goes into the key material. Parts of fixed length come first, so
//! that the concatenation of the material is unambiguous.

use zeroize::Zeroize;

/// Position of a node on the ring, from its public key.
pub(crate) const NODE_LOCATION: &str = "warren 2026 node location v1";
/// Routing key of a content block, from its sealed bytes.
pub(crate) const CONTENT_ROUTING_KEY: &str = "warren 2026 content routing key v1";
/// Convergent file key, from the hash of the content.
pub(crate) const CONVERGENT_FILE_KEY: &str = "warren 2026 convergent file key v1";
/// Digest of a layout's canonical bytes.
pub(crate) const LAYOUT: &str = "warren 2026 content layout v1";
/// Encryption key and nonce key of a content block, from file key, layout and index.
pub(crate) const CONTENT_BLOCK_KEYS: &str = "warren 2026 content block keys v1";
/// Document value D, from the subspace's public key, its crypto key and the document's name.
pub(crate) const SIGNED_DOCUMENT: &str = "warren 2026 signed document v1";
/// Blinding scalar t, from D.
pub(crate) const SIGNED_BLINDING: &str = "warren 2026 signed document blinding v1";
/// Nonce prefix of a document's signatures, from the subspace's seed and D.
pub(crate) const SIGNED_NONCE_PREFIX: &str = "warren 2026 signed document nonce prefix v1";
/// Routing key of a signed block, from the blinded public key.
pub(crate) const SIGNED_ROUTING_KEY: &str = "warren 2026 signed routing key v1";
/// Encryption key and nonce key of a signed block, from the crypto key and D.
pub(crate) const SIGNED_BLOCK_KEYS: &str = "warren 2026 signed block keys v1";
/// What the blinded key signs, from nonce, ciphertext and tag.
pub(crate) const SIGNED_BLOCK_DIGEST: &str = "warren 2026 signed block digest v1";
/// What enters the memory-hard function, from the phrase of a keyword key.
pub(crate) const KEYWORD_PHRASE: &str = "warren 2026 keyword phrase v1";
/// Keys of one hop of a circuit and the proof of the relay, from the shared secrets and the transcript of their agreement.
pub(crate) const ONION_HANDSHAKE: &str = "warren 2026 onion handshake v1";

/// 32 bytes derived from the concatenation of `parts` under `context`.
pub(crate) fn derive(context: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    derive_bytes(context, parts)
}

/// As [`derive()`], with any length of output.
pub(crate) fn derive_bytes<const N: usize>(context: &'static str, parts: &[&[u8]]) -> [u8; N] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    let mut output = [0; N];
    let mut reader = hasher.finalize_xof();
    reader.fill(&mut output);
    reader.zeroize();
    hasher.zeroize();
    output
}

/// Splits 64 derived bytes into the key that encrypts and the key that makes the nonce.
pub(crate) fn split_keys(keys: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (encryption, nonce) = keys.split_first_chunk::<32>().expect("64 bytes hold 32");
    (
        encryption,
        nonce.first_chunk().expect("64 bytes hold two times 32"),
    )
}

/// A ring position in [0, 1): the first 53 bits of `bytes` as a fraction, the most that an `f64` keeps exactly.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits fit the mantissa of an f64"
)]
pub(crate) fn fraction(bytes: &[u8; 32]) -> f64 {
    let head = bytes.first_chunk::<8>().expect("32 bytes hold 8");
    (u64::from_be_bytes(*head) >> 11) as f64 / (1_u64 << 53) as f64
}
