//! What circuits cost, on one core, beside the bare ciphers on the same machine: `cargo bench -p crypto --bench onion --profile dev`.
//!
//! The cells' rates count the bytes of a whole block cell, once for each call and whatever the number of hops.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#![expect(clippy::disallowed_methods, reason = "a measurement reads a clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use crypto::onion::{
    CellSize, CircuitKeys, Handshake, OnionKey, OnionSecret, RelayKeys, answer, payload,
};
use curve25519_dalek::montgomery::MontgomeryPoint;
use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use ml_kem::{Decapsulate, Encapsulate, KeyExport};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// The default number of hops.
const HOPS: usize = 6;
/// Each figure is the fastest of so many short runs, taken in turns: what else the machine does only makes runs slower.
const RUNS: usize = 200;
/// Cells in a run.
const CELLS: u32 = 20;
/// Handshakes in a run.
const HANDSHAKES: u32 = 4;

fn main() {
    handshakes();
    bare_handshakes();
    cells();
}

/// Runs of one thing that is measured.
struct Figure {
    what: String,
    runs: Vec<Duration>,
}

impl Figure {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            runs: Vec::new(),
        }
    }

    fn run(&mut self, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        self.runs.push(start.elapsed());
    }

    /// Time of one of the `parts` of the fastest run, in microseconds.
    fn micros(&self, parts: u32) -> f64 {
        let fastest = self.runs.iter().min().copied();
        fastest.unwrap_or_default().as_secs_f64() * 1e6 / f64::from(parts)
    }
}

fn handshakes() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let secret = OnionSecret::generate(&mut rng);
    let mut figures = ["begin", "answer (the relay)", "finish", "read an onion key"]
        .map(|what| Figure::new(format!("handshake: {what}")));
    for _ in 0..RUNS {
        let [begin, relay, finish, read] = &mut figures;
        let mut begun = Vec::new();
        begin.run(|| {
            begun.extend((0..HANDSHAKES).map(|_| Handshake::begin(secret.key(), &mut rng)));
        });
        let mut answers = Vec::new();
        relay.run(|| {
            for (_, create) in &begun {
                answers.push(answer([&secret], create, &mut rng).expect("an honest originator"));
            }
        });
        finish.run(|| {
            for ((handshake, _), (created, _)) in begun.into_iter().zip(&answers) {
                black_box(handshake.finish(created).expect("an honest relay"));
            }
        });
        read.run(|| {
            for _ in 0..HANDSHAKES {
                let bytes = black_box(*secret.key().as_bytes());
                black_box(OnionKey::from_bytes(bytes).expect("a good key"));
            }
        });
    }
    for figure in &figures {
        println!("{}: {:.1} us", figure.what, figure.micros(HANDSHAKES));
    }
}

/// What a handshake is made of: twice X25519 and once ML-KEM on each side, and a key for both.
fn bare_handshakes() {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut figures = [
        "X25519 alone, a key",
        "X25519 alone, a secret",
        "ML-KEM-768 alone, a key",
        "ML-KEM-768 alone, encapsulation for a key from outside",
        "ML-KEM-768 alone, decapsulation",
    ]
    .map(Figure::new);
    for _ in 0..RUNS {
        let [key, agree, kem_key, encapsulate, decapsulate] = &mut figures;
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let mut public = MontgomeryPoint::default();
        key.run(|| public = MontgomeryPoint::mul_base_clamped(black_box(secret)));
        agree.run(|| {
            let _shared = black_box(black_box(public).mul_clamped(secret));
        });
        let mut seed = [0; 64];
        rng.fill_bytes(&mut seed);
        let mut pair = None;
        kem_key.run(|| pair = Some(DecapsulationKey::from_seed(seed.into())));
        let pair = pair.expect("it was made");
        let outside = pair.encapsulation_key().to_bytes();
        let mut sent = None;
        encapsulate.run(|| {
            let key = EncapsulationKey::new(&outside).expect("it is a key");
            sent = Some(key.encapsulate_with_rng(&mut rng));
        });
        let (ciphertext, _) = sent.expect("it was sent");
        decapsulate.run(|| {
            let _shared = black_box(pair.decapsulate(&ciphertext));
        });
    }
    for figure in &figures {
        println!("{}: {:.1} us", figure.what, figure.micros(1));
    }
}

fn cells() {
    let size = CellSize::Block;
    let mut bench = Bench::new();
    let text = vec![7; size.payload_max()];
    for run in 0..RUNS {
        bench.run_bare(size);
        bench.run(u32::try_from(run).expect("few runs") * CELLS, size, &text);
    }
    bench.print(size);
}

struct Bench {
    circuit: CircuitKeys,
    relays: Vec<RelayKeys>,
    aead: Figure,
    cipher: Figure,
    /// What is measured, with the layers that a call handles: of the AEAD and of the bare cipher.
    figures: [(Figure, u32, u32); 5],
}

impl Bench {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let (mut hops, mut relays) = (Vec::new(), Vec::new());
        for _ in 0..HOPS {
            let secret = OnionSecret::generate(&mut rng);
            let (handshake, create) = Handshake::begin(secret.key(), &mut rng);
            let (created, relay) =
                answer([&secret], &create, &mut rng).expect("an honest originator");
            hops.push(handshake.finish(&created).expect("an honest relay"));
            relays.push(relay);
        }
        let mut hops = hops.into_iter();
        let mut circuit = CircuitKeys::new(hops.next().expect("six hops"));
        for hop in hops {
            circuit.push(hop).expect("six hops fit");
        }
        let layers = u32::try_from(HOPS).expect("few hops");
        let figures = [
            (
                Figure::new(format!("forward, originator seals for {HOPS} hops")),
                layers,
                0,
            ),
            (Figure::new("forward, a relay opens its layer"), 1, 0),
            (Figure::new("backward, the end seals"), 1, 0),
            (Figure::new("backward, a relay adds its layer"), 0, 1),
            (
                Figure::new(format!("backward, originator opens {HOPS} hops")),
                1,
                layers - 1,
            ),
        ];
        Self {
            circuit,
            relays,
            aead: Figure::new("ChaCha20-Poly1305 alone"),
            cipher: Figure::new("ChaCha20 alone"),
            figures,
        }
    }

    /// What the bare ciphers take for as many bytes.
    fn run_bare(&mut self, size: CellSize) {
        let mut plain = vec![7; size.len()];
        self.aead.run(|| {
            let aead = ChaCha20Poly1305::new(&[3; 32].into());
            for _ in 0..CELLS {
                let tag =
                    aead.encrypt_inout_detached(&[0; 12].into(), b"", plain.as_mut_slice().into());
                let _ = black_box(tag.expect("a cell is not too long"));
            }
        });
        self.cipher.run(|| {
            for _ in 0..CELLS {
                ChaCha20::new(&[3; 32].into(), &[0; 12].into()).apply_keystream(&mut plain);
            }
        });
        black_box(plain);
    }

    /// Cells both ways, with the numbers from `first` on.
    fn run(&mut self, first: u32, size: CellSize, text: &[u8]) {
        let numbers = first..first + CELLS;
        let [(seal, ..), (open, ..), (say, ..), (wrap, ..), (hear, ..)] = &mut self.figures;
        let mut cells = Vec::new();
        seal.run(|| {
            for number in numbers.clone() {
                let cell = self.circuit.seal_forward(number, size, text);
                cells.push(cell.expect("it fits"));
            }
        });
        for (index, relay) in self.relays.iter_mut().enumerate() {
            let mut pass = || {
                for (number, cell) in numbers.clone().zip(&mut cells) {
                    relay.open_forward(number, cell).expect("a good cell");
                }
            };
            if index == 0 {
                open.run(pass);
            } else {
                pass();
            }
        }
        assert!(cells.iter().all(|cell| payload(cell) == Ok(text)));

        cells.clear();
        let (end, others) = self.relays.split_last_mut().expect("six relays");
        say.run(|| {
            for number in numbers.clone() {
                cells.push(end.seal_backward(number, size, text).expect("it fits"));
            }
        });
        for (index, relay) in others.iter_mut().enumerate().rev() {
            let mut pass = || {
                for (number, cell) in numbers.clone().zip(&mut cells) {
                    relay.wrap_backward(number, cell).expect("a good cell");
                }
            };
            if index == 0 {
                wrap.run(pass);
            } else {
                pass();
            }
        }
        hear.run(|| {
            for (number, cell) in numbers.clone().zip(&mut cells) {
                let speaker = self.circuit.open_backward(number, cell);
                assert_eq!(speaker, Ok(HOPS - 1));
            }
        });
        assert!(cells.iter().all(|cell| payload(cell) == Ok(text)));
    }

    fn print(&self, size: CellSize) {
        let bytes = f64::from(u32::try_from(size.len()).expect("cells are short"));
        let aead = self.aead.micros(CELLS);
        let cipher = self.cipher.micros(CELLS);
        for (what, micros) in [(&self.aead.what, aead), (&self.cipher.what, cipher)] {
            println!("{what}: {micros:.1} us a cell, {:.0} MB/s", bytes / micros);
        }
        for (figure, aeads, ciphers) in &self.figures {
            let micros = figure.micros(CELLS);
            let bare = aead * f64::from(*aeads) + cipher * f64::from(*ciphers);
            println!(
                "{}: {micros:.1} us a cell, {:.0} MB/s, {:.2} times its bare ciphers",
                figure.what,
                bytes / micros,
                micros / bare
            );
        }
    }
}
