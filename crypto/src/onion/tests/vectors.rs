use std::convert::Infallible;

use curve25519_dalek::montgomery::MontgomeryPoint;
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey};
use ml_kem::{Decapsulate, Seed};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::cell::SharedKeys;
use super::*;
use crate::onion::handshake::agree;
use crate::vectors::{check, counting_bytes, hex};

#[test]
fn handshakes_are_as_recorded() {
    let vectors = [0x10, 0x80].into_iter().map(handshake).collect();
    check("onion_handshake", &vectors);
}

#[test]
fn cells_are_as_recorded() {
    let vectors = [
        (1, 0, CellSize::Control, 0),
        (3, 1_000_000, CellSize::Control, 1_852),
        (12, u32::MAX, CellSize::Control, 100),
        (6, 77, CellSize::Block, 32_864),
    ];
    let vectors = vectors
        .into_iter()
        .map(|(hops, number, size, len)| cells(hops, number, size, &counting_bytes(len)));
    check("onion_cells", &vectors.collect());
}

/// Gives out the bytes that it was made with, in order.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0[..bytes.len()]);
        self.0.drain(..bytes.len());
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// Every secret is one byte repeated, counting up from `first`.
fn handshake(first: u8) -> Value {
    let repeated = |offset, len| vec![first + offset; len];
    let secret = OnionSecret::from_seed(&[first; 32]);
    let x25519_secret = [first + 1; 32];
    let drawn = [repeated(1, 32), repeated(2, 64), repeated(3, 32)].concat();
    let (state, create) = Handshake::begin(secret.key(), &mut Given(drawn));
    let drawn = [repeated(4, 32), repeated(5, 32)].concat();
    let (created, relay) = answer([&secret], &create, &mut Given(drawn)).unwrap();
    let hop = state.finish(&created).unwrap();
    assert_eq!(hop.shared().layer, relay.shared().layer);

    let their_public = MontgomeryPoint(created[..32].try_into().unwrap());
    let onion_public = secret.key().montgomery();
    let kem = DecapsulationKey::from_seed(Seed::from([first + 2; 64]));
    let ciphertext = Ciphertext::try_from(&created[32..1_120]).unwrap();
    let [forward, backward, layer, fill] = hop.all_keys();
    assert_eq!(fill, [first + 3; 32]);
    json!({
        "onion_seed": hex([first; 32]),
        "onion_key": hex(secret.key().as_bytes()),
        "onion_key_x25519": hex(onion_public.as_bytes()),
        "originator_x25519_secret": hex(x25519_secret),
        "originator_ml_kem_seed": hex([first + 2; 64]),
        "relay_x25519_secret": hex([first + 4; 32]),
        "relay_ml_kem_message": hex([first + 5; 32]),
        "create": hex(create),
        "created": hex(created),
        "x25519_ephemeral": hex(agree(&x25519_secret, their_public)),
        "x25519_relay": hex(agree(&x25519_secret, onion_public)),
        "ml_kem_shared": hex(kem.decapsulate(&ciphertext)),
        "forward_key": hex(forward),
        "backward_key": hex(backward),
        "layer_key": hex(layer),
    })
}

fn cells(hops: u8, number: u32, size: CellSize, payload: &[u8]) -> Value {
    let keys = |hop: u8| SharedKeys {
        forward: [hop; 32],
        backward: [hop + 0x40; 32],
        layer: [hop + 0x80; 32],
    };
    let fill = [0xff; 32];
    let (mut circuit, mut relays) = (Vec::new(), Vec::new());
    for hop in 1..=hops {
        circuit.push(HopKeys::new(keys(hop), Zeroizing::new(fill)));
        relays.push(RelayKeys::new(keys(hop)));
    }
    let mut circuit = CircuitKeys::from_hops(circuit);

    let mut cell = circuit.seal_forward(number, size, payload).unwrap();
    let mut forward = vec![recorded(&cell)];
    for relay in &mut relays {
        relay.open_forward(number, &mut cell).unwrap();
        forward.push(recorded(&cell));
    }
    assert_eq!(super::payload(&cell), Ok(payload));

    let (end, others) = relays.split_last_mut().unwrap();
    let mut cell = end.seal_backward(number, size, payload).unwrap();
    let mut backward = vec![recorded(&cell)];
    for relay in others.iter_mut().rev() {
        relay.wrap_backward(number, &mut cell).unwrap();
        backward.push(recorded(&cell));
    }
    assert_eq!(
        circuit.open_backward(number, &mut cell),
        Ok(usize::from(hops) - 1)
    );
    assert_eq!(super::payload(&cell), Ok(payload));

    // With all cells of a long circuit the file would be large.
    if hops > 3 {
        for cells in [&mut forward, &mut backward] {
            let inner = 1..cells.len() - 1;
            cells.drain(inner);
        }
    }
    let all = |add: u8| {
        (1..=hops)
            .map(|hop| hex([hop + add; 32]))
            .collect::<Vec<_>>()
    };
    json!({
        "number": number,
        "size": size.len(),
        "payload": recorded(payload),
        "forward_keys": all(0),
        "backward_keys": all(0x40),
        "layer_keys": all(0x80),
        "fill_key": hex(fill),
        "forward_cells_of_the_links_then_plaintext_of_the_end": forward,
        "backward_cells_of_the_links_from_the_end_on": backward,
    })
}

/// Short things in full, block cells by their BLAKE3 hash, which keeps the file small.
fn recorded(bytes: &[u8]) -> Value {
    if bytes.len() > CellSize::Control.len() {
        json!({ "len": bytes.len(), "blake3": hex(blake3::hash(bytes).as_bytes()) })
    } else {
        json!(hex(bytes))
    }
}
