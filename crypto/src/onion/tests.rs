use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

/// A circuit of `hops` hops and the relays' side of it.
fn circuit(hops: usize, seed: u8) -> (CircuitKeys, Vec<RelayKeys>) {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    let mut circuit: Option<CircuitKeys> = None;
    let mut relays = Vec::new();
    for _ in 0..hops {
        let secret = OnionSecret::generate(&mut rng);
        let (handshake, create) = Handshake::begin(secret.key(), &mut rng);
        let (created, relay) = answer([&secret], &create, &mut rng).unwrap();
        let hop = handshake.finish(&created).unwrap();
        relays.push(relay);
        match &mut circuit {
            Some(circuit) => circuit.push(hop).unwrap(),
            None => circuit = Some(CircuitKeys::new(hop)),
        }
    }
    (circuit.unwrap(), relays)
}

#[test]
fn cells_go_through_circuits_of_any_length_both_ways() {
    for hops in 1..=HOPS_MAX {
        let (mut circuit, mut relays) = circuit(hops, 1);
        for (number, size) in [(7, CellSize::Control), (8, CellSize::Block)] {
            let text = vec![0xab; size.payload_max()];
            let mut cell = circuit.seal_forward(number, size, &text).unwrap();
            for relay in &mut relays {
                relay.open_forward(number, &mut cell).unwrap();
                assert_eq!(cell.len(), size.len());
            }
            assert_eq!(payload(&cell), Ok(text.as_slice()));

            let (end, others) = relays.split_last_mut().unwrap();
            let mut cell = end.seal_backward(number, size, &text).unwrap();
            for relay in others.iter_mut().rev() {
                relay.wrap_backward(number, &mut cell).unwrap();
            }
            assert_eq!(circuit.open_backward(number, &mut cell), Ok(hops - 1));
            assert_eq!(payload(&cell), Ok(text.as_slice()));
        }
    }
}
