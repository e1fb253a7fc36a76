//! The layers of a circuit, on one core: what no network of this machine can beat.

use std::hint::black_box;
use std::time::Instant;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use crypto::CONTENT_PAYLOAD_MAX;
use crypto::onion::{CellSize, CircuitKeys, Handshake, OnionSecret, RelayKeys, answer};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::Figure;

/// How fast blocks pass the ciphers of a circuit of `hops` hops: bare, once for each hop, and as cells that the end seals, the
/// relays wrap and the originator opens, which is two layers for each hop.
///
/// # Errors
/// With no hops, or more than a circuit can have.
pub fn measure_layers(bytes: u64, hops: u8) -> anyhow::Result<Vec<Figure>> {
    let blocks = u32::try_from(bytes / CONTENT_PAYLOAD_MAX as u64)?.max(1);
    let total = u64::from(blocks) * CONTENT_PAYLOAD_MAX as u64;
    let (mut circuit, mut relays) = circuit(hops)?;
    let payload = vec![0x5a_u8; CellSize::Block.payload_max()];
    let begin = Instant::now();
    for number in 0..blocks {
        let (end, before) = relays.split_last_mut().expect("a circuit has a hop");
        let mut cell = end.seal_backward(number, CellSize::Block, &payload)?;
        for relay in before.iter_mut().rev() {
            relay.wrap_backward(number, &mut cell)?;
        }
        black_box(circuit.open_backward(number, &mut cell)?);
    }
    let cells = Figure::from_time("cells: sealed, wrapped and opened", total, begin.elapsed());
    let mut block = vec![0xa5_u8; CONTENT_PAYLOAD_MAX];
    let cipher = ChaCha20Poly1305::new(&Key::from([1; 32]));
    let begin = Instant::now();
    for _ in 0..blocks * u32::from(hops) {
        let bytes = block.as_mut_slice().into();
        let tag = cipher.encrypt_inout_detached(&Nonce::from([0; 12]), b"", bytes);
        black_box(tag.map_err(|_| anyhow::anyhow!("the cipher refuses a block"))?);
    }
    let raw = Figure::from_time(
        "raw: ChaCha20-Poly1305 once for each hop",
        total,
        begin.elapsed(),
    );
    Ok(vec![cells, raw])
}

fn circuit(hops: u8) -> anyhow::Result<(CircuitKeys, Vec<RelayKeys>)> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let secret = OnionSecret::generate(&mut rng);
    let mut circuit: Option<CircuitKeys> = None;
    let mut relays = Vec::new();
    for _ in 0..hops {
        let (handshake, create) = Handshake::begin(secret.key(), &mut rng);
        let (created, relay) = answer([&secret], &create, &mut rng)?;
        let hop = handshake.finish(&created)?;
        match &mut circuit {
            Some(circuit) => circuit.push(hop)?,
            None => circuit = Some(CircuitKeys::new(hop)),
        }
        relays.push(relay);
    }
    let circuit = circuit.ok_or_else(|| anyhow::anyhow!("a circuit without hops"))?;
    Ok((circuit, relays))
}
