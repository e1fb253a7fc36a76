//! Circuits: a chain of relays of which each knows its neighbours in the chain only.
//!
//! The originator agrees on keys with one relay after the other ([`Handshake`], [`answer`]), each time through the relays
//! before it, and then talks with the last one, the *end*, in cells of two sizes ([`CellSize`]):
//!
//! - *Forward* (originator to end): a layer of authenticated encryption for each hop. A relay opens its layer
//!   ([`RelayKeys::open_forward`]) and passes on what is left, which has the same size. A cell that was changed, replayed
//!   or made up dies at the next honest relay, so it cannot mark a circuit for a relay further on.
//! - *Backward*: whoever speaks seals for the originator ([`RelayKeys::seal_backward`]), each relay on the way adds a layer
//!   ([`RelayKeys::wrap_backward`]), and the originator opens them all ([`CircuitKeys::open_backward`]).
//!
//! # What the caller must see to
//! - Every cell has a number, which travels in the clear beside it. The originator counts its forward cells up from a
//!   random number ([`first_number`]), whatever hop is the end at the time, and never uses a number twice.
//! - Nor may two speakers of a circuit: the originator tells a new end from which number on it may speak. A relay refuses to
//!   put its layer around a second cell with the same number.
//! - When an error comes back the circuit is to be ended: no honest neighbour causes one.
//!
//! ```
//! use crypto::onion::{CellSize, CircuitKeys, Handshake, OnionSecret, answer, first_number, payload};
//! # use rand_core::SeedableRng;
//! # let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
//! let relay_secret = OnionSecret::generate(&mut rng);
//! let (handshake, create) = Handshake::begin(relay_secret.key(), &mut rng);
//! let (created, mut relay) = answer([&relay_secret], &create, &mut rng)?;
//! let mut circuit = CircuitKeys::new(handshake.finish(&created)?);
//!
//! let number = first_number(&mut rng);
//! let mut cell = circuit.seal_forward(number, CellSize::Control, b"question")?;
//! relay.open_forward(number, &mut cell)?;
//! assert_eq!(payload(&cell)?, b"question");
//!
//! let mut cell = relay.seal_backward(7, CellSize::Control, b"answer")?;
//! let speaker = circuit.open_backward(7, &mut cell)?;
//! assert_eq!((speaker, payload(&cell)?), (0, b"answer".as_slice()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Formats, derivations and reasons are in `docs/CRYPTO.md`, section 9.

mod cell;
mod circuit;
mod handshake;
mod key;
mod relay;
mod window;

pub use cell::{CellError, CellSize, PAYLOAD_LEN_BYTES, TAG_LEN, payload};
pub use circuit::{CircuitKeys, HopKeys, TooManyHops};
pub use handshake::{CREATE_LEN, CREATED_LEN, Handshake, HandshakeError, answer};
pub use key::{OnionKey, OnionSecret};
pub use relay::RelayKeys;
pub use window::{CLOSING_NUMBER_MIN, WINDOW, closing_number, first_number};

/// Most hops that a circuit can have. Cells keep room for the tags of that many, whatever the circuit's length.
pub const HOPS_MAX: usize = 12;

#[cfg(test)]
mod tests;
