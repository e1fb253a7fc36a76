//! One datagram under one key: `ciphertext || tag (16) || nonce (12)`, AES-256-GCM.
//!
//! The keys come from the *acceptor's* identity alone, one for each direction, so both ends know them before the first packet
//! and nobody who does not know that identity can tell a datagram from noise or make one that opens. They are no
//! secret between the two: confidentiality and authentication are TLS's, inside. `docs/TRANSPORT.md` has the reasons.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use crypto::NodeId;

/// Length of the random nonce that ends every datagram.
pub(crate) const NONCE_LEN: usize = 12;
/// Length of the authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes that sealing adds to a packet.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

const TO_ACCEPTOR: &str = "warren link 2026-11 datagram from dialler to acceptor";
const FROM_ACCEPTOR: &str = "warren link 2026-11 datagram from acceptor to dialler";

/// Seals and opens the datagrams of one direction towards or from one acceptor.
pub(crate) struct DatagramKey(LessSafeKey);

/// The two keys of the connections that one node accepts.
#[derive(Debug)]
pub(crate) struct AcceptorKeys {
    /// For what diallers send to that node.
    pub(crate) to_acceptor: DatagramKey,
    /// For what that node answers.
    pub(crate) from_acceptor: DatagramKey,
}

impl AcceptorKeys {
    pub(crate) fn of(acceptor: &NodeId) -> Self {
        Self {
            to_acceptor: DatagramKey::derive(TO_ACCEPTOR, acceptor),
            from_acceptor: DatagramKey::derive(FROM_ACCEPTOR, acceptor),
        }
    }
}

impl DatagramKey {
    fn derive(context: &str, acceptor: &NodeId) -> Self {
        let key = blake3::derive_key(context, acceptor.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &key)
            .expect("a BLAKE3 key has the 32 bytes that AES-256 takes");
        Self(LessSafeKey::new(key))
    }

    /// Appends the sealed form of `packet` to `out`. The nonce must be fresh random bytes.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_LEN], packet: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(packet);
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut out[start..],
            )
            .expect("a datagram is far below the length limit of AES-GCM");
        out.extend_from_slice(tag.as_ref());
        out.extend_from_slice(&nonce);
    }

    /// Opens `datagram` into the head of `packet` and returns the packet's length; `None` when it was not sealed
    /// under this key. `packet` must be at least as long as `datagram`.
    pub(crate) fn open(&self, datagram: &[u8], packet: &mut [u8]) -> Option<usize> {
        let (rest, nonce) = datagram.split_last_chunk::<NONCE_LEN>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0
            .open_separate_gather(
                nonce,
                Aad::empty(),
                ciphertext,
                tag,
                &mut packet[..ciphertext.len()],
            )
            .ok()?;
        Some(ciphertext.len())
    }
}

impl fmt::Debug for DatagramKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatagramKey([redacted])")
    }
}

/// The nonce of a sealed datagram, which identifies it for [`ReplayFilter`](super::replay::ReplayFilter).
pub(crate) fn nonce_of(datagram: &[u8]) -> Option<&[u8; NONCE_LEN]> {
    datagram.last_chunk::<NONCE_LEN>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Identity;
    use proptest::prelude::*;

    fn keys(seed: u8) -> AcceptorKeys {
        AcceptorKeys::of(&Identity::from_seed(&[seed; 32]).id())
    }

    fn sealed(key: &DatagramKey, packet: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        key.seal([7; NONCE_LEN], packet, &mut out);
        out
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_any_flipped_bit_does_not(packet in prop::collection::vec(any::<u8>(), 0..300), bit in any::<prop::sample::Index>()) {
            let key = keys(1).to_acceptor;
            let mut datagram = sealed(&key, &packet);
            prop_assert_eq!(datagram.len(), packet.len() + OVERHEAD);
            let mut opened = vec![0; datagram.len()];
            prop_assert_eq!(key.open(&datagram, &mut opened), Some(packet.len()));
            prop_assert_eq!(&opened[..packet.len()], &packet[..]);
            let bit = bit.index(datagram.len() * 8);
            datagram[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.open(&datagram, &mut opened), None);
        }

        #[test]
        fn arbitrary_bytes_do_not_open(datagram in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut packet = vec![0; datagram.len()];
            prop_assert_eq!(keys(1).to_acceptor.open(&datagram, &mut packet), None);
        }
    }

    #[test]
    fn neither_another_identity_nor_the_other_direction_opens_a_datagram() {
        let datagram = sealed(&keys(1).to_acceptor, b"packet");
        let mut packet = vec![0; datagram.len()];
        assert_eq!(keys(2).to_acceptor.open(&datagram, &mut packet), None);
        assert_eq!(keys(1).from_acceptor.open(&datagram, &mut packet), None);
    }
}
