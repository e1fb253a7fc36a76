mod backward;
mod forward;
mod handshake;
mod vectors;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// A circuit of `hops` hops, and the relays' side of it.
fn circuit(hops: usize, seed: u8) -> (CircuitKeys, Vec<RelayKeys>) {
    let mut rng = rng(seed);
    let (mut keys, mut relays) = (Vec::new(), Vec::new());
    for _ in 0..hops {
        let secret = OnionSecret::generate(&mut rng);
        let (handshake, create) = Handshake::begin(secret.key(), &mut rng);
        let (created, relay) = answer([&secret], &create, &mut rng).unwrap();
        keys.push(handshake.finish(&created).unwrap());
        relays.push(relay);
    }
    let mut keys = keys.into_iter();
    let mut circuit = CircuitKeys::new(keys.next().unwrap());
    for hop in keys {
        circuit.push(hop).unwrap();
    }
    (circuit, relays)
}

/// The number of places, 16 bytes each, at which two cells are equal.
fn equal_places(one: &[u8], other: &[u8]) -> usize {
    one.chunks_exact(16)
        .zip(other.chunks_exact(16))
        .filter(|(one, other)| one == other)
        .count()
}

#[test]
fn sizes_are_as_planned() {
    assert_eq!(CellSize::Control.len(), 2_048);
    assert_eq!(CellSize::Control.payload_max(), 1_852);
    assert_eq!(CellSize::Block.len(), 33_060);
    assert_eq!(CellSize::Block.payload_max(), crate::CONTENT_BLOCK_LEN + 64);
    // A command's head, the key of the next relay, the handshake.
    assert!(CREATE_LEN + 32 + 64 <= CellSize::Control.payload_max());
    assert!(CREATED_LEN + 64 <= CellSize::Control.payload_max());
    assert!(crate::SIGNED_BLOCK_LEN + 64 <= CellSize::Control.payload_max());
    assert!(size_of::<RelayKeys>() < 400);
    for len in [0, 1, 16, 2_047, 2_049, 33_059, 33_061] {
        assert_eq!(CellSize::from_len(len), None);
    }
}

#[test]
fn a_circuit_has_twelve_hops_at_most() {
    let (mut full, _) = circuit(HOPS_MAX, 1);
    let (one, _) = circuit(1, 2);
    let hop = one.into_hops().remove(0);
    assert_eq!(full.push(hop), Err(TooManyHops));
    assert_eq!(full.len(), HOPS_MAX);
}

#[test]
fn keys_and_secrets_do_not_show_in_debug_output() {
    let secret = OnionSecret::from_seed(&[7; 32]);
    let (handshake, create) = Handshake::begin(secret.key(), &mut rng(1));
    let text = format!("{secret:?} {handshake:?}");
    assert_eq!(text.matches("[redacted]").count(), 2);
    let (created, relay) = answer([&secret], &create, &mut rng(2)).unwrap();
    let hop = handshake.finish(&created).unwrap();
    assert_eq!(
        format!("{hop:?} {relay:?}"),
        "HopKeys([redacted]) RelayKeys([redacted])"
    );
}

#[test]
fn whatever_holds_a_secret_wipes_it_when_dropped() {
    // Compiles only as long as the features of the crates that do it are on.
    const fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<cell::SharedKeys>();
    wiped::<ml_kem::ml_kem_768::DecapsulationKey>();
    wiped::<chacha20::ChaChaCore<chacha20::R20, chacha20::variants::Ietf>>();
    wiped::<chacha20poly1305::ChaCha20Poly1305>();
}

#[test]
fn an_onion_key_survives_bytes_and_signs() {
    let secret = OnionSecret::generate(&mut rng(3));
    let key = secret.key();
    assert_eq!(OnionKey::from_bytes(*key.as_bytes()), Ok(key));
    assert_eq!(
        postcard::from_bytes(&postcard::to_allocvec(&key).unwrap()),
        Ok(key)
    );
    assert_eq!(postcard::to_allocvec(&key).unwrap(), key.as_bytes());
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(OnionKey::from_bytes(neutral).is_err());
    assert!(postcard::from_bytes::<OnionKey>(&neutral).is_err());
    let signature = OnionSecret::from_seed(&secret.seed()).sign("list", b"text");
    assert_eq!(key.verify("list", b"text", &signature), Ok(()));
    assert!(key.verify("other", b"text", &signature).is_err());
    assert!(key.verify("list", b"test", &signature).is_err());
}

proptest::proptest! {
    #[test]
    fn what_an_opened_cell_holds_is_a_payload_or_an_error(
        size in size(),
        len: u32,
        text in proptest::collection::vec(0_u8.., 0..64),
        at in 0_usize..33_060,
    ) {
        let mut cell = vec![0; size.len()];
        cell[..4].copy_from_slice(&len.to_le_bytes());
        let at = at.min(size.len() - text.len());
        cell[at..at + text.len()].copy_from_slice(&text);
        if let Ok(payload) = payload(&cell) {
            proptest::prop_assert!(payload.len() <= size.payload_max());
            let unused = &cell[4 + payload.len()..4 + size.payload_max()];
            proptest::prop_assert!(unused.iter().all(|byte| *byte == 0));
        }
        proptest::prop_assert!(payload(&text).is_err());
    }
}

#[test]
fn a_length_beyond_the_cell_or_a_stray_byte_in_the_padding_is_refused() {
    let size = CellSize::Control;
    let mut cell = vec![0; size.len()];
    assert_eq!(payload(&cell), Ok([].as_slice()));
    let max = u32::try_from(size.payload_max()).unwrap();
    for (len, good) in [(max, true), (max + 1, false), (u32::MAX, false)] {
        cell[..4].copy_from_slice(&len.to_le_bytes());
        assert_eq!(payload(&cell).is_ok(), good);
    }
    cell[..4].copy_from_slice(&3_u32.to_le_bytes());
    for (at, good) in [(6, true), (7, false), (1_855, false), (1_856, true)] {
        let mut cell = cell.clone();
        cell[at] = 1;
        assert_eq!(payload(&cell).is_ok(), good, "{at}");
    }
}

fn size() -> impl proptest::strategy::Strategy<Value = CellSize> {
    proptest::sample::select(vec![CellSize::Control, CellSize::Block])
}
