//! What the originator does with cells.

use std::fmt;

use bytes::BytesMut;
use zeroize::Zeroizing;

use crate::onion::HOPS_MAX;
use crate::onion::cell::{self, CellError, CellSize, SharedKeys, TAG_LEN};
use crate::onion::window::Window;

/// The originator's keys for one hop, from its handshake with that relay. Wiped when dropped.
pub struct HopKeys {
    keys: SharedKeys,
    /// Known to the originator alone: makes padding that not even the end can tell from other bytes.
    fill: Zeroizing<[u8; 32]>,
    /// Numbers under which this relay has spoken.
    spoken: Window,
}

/// The originator's keys for all hops of a circuit, nearest first. Grows by one hop with every handshake.
pub struct CircuitKeys {
    /// One to [`HOPS_MAX`].
    hops: Vec<HopKeys>,
}

/// A circuit that has all the hops that one can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a circuit has at most {HOPS_MAX} hops, and this one has them all; ask for a shorter one")]
pub struct TooManyHops;

impl HopKeys {
    pub(super) const fn new(keys: SharedKeys, fill: Zeroizing<[u8; 32]>) -> Self {
        Self {
            keys,
            fill,
            spoken: Window::new(),
        }
    }
}

impl CircuitKeys {
    /// A circuit of one hop.
    #[must_use]
    pub fn new(first: HopKeys) -> Self {
        Self { hops: vec![first] }
    }

    /// Adds a hop behind the current end, which then only passes on.
    ///
    /// # Errors
    /// When there are [`HOPS_MAX`] already.
    pub fn push(&mut self, hop: HopKeys) -> Result<(), TooManyHops> {
        if self.hops.len() == HOPS_MAX {
            return Err(TooManyHops);
        }
        self.hops.push(hop);
        Ok(())
    }

    /// Number of hops, 1 to [`HOPS_MAX`].
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a circuit is never empty")]
    pub const fn len(&self) -> usize {
        self.hops.len()
    }

    /// A cell to the end. `number` must never have been used for a forward cell of this circuit.
    ///
    /// # Errors
    /// When the payload is longer than [`CellSize::payload_max`].
    pub fn seal_forward(
        &self,
        number: u32,
        size: CellSize,
        payload: &[u8],
    ) -> Result<BytesMut, CellError> {
        // Each layer puts its tag in front of the one inside it, and cuts as much off the end.
        let tags = TAG_LEN * self.hops.len();
        let mut buffer = BytesMut::zeroed(tags - TAG_LEN + size.len());
        let (_, body) = buffer.split_at_mut(tags);
        cell::write_payload(body, size, payload)?;
        let (_, unused) = body.split_at_mut(cell::PAYLOAD_LEN_BYTES + size.payload_max());
        let filler = self.filler(number, size);
        let (fill, tail) = unused.split_at_mut(unused.len() - filler.len());
        self.fill(number, size, fill);
        tail.copy_from_slice(&filler);

        for (index, hop) in self.hops.iter().enumerate().rev() {
            let (_, cell) = buffer.split_at_mut(TAG_LEN * index);
            let (cell, _) = cell.split_at_mut(size.len());
            let (room, body) = cell.split_at_mut(TAG_LEN);
            room.copy_from_slice(&cell::seal(&hop.keys.forward, size, number, body));
        }
        buffer.truncate(size.len());
        Ok(buffer)
    }

    /// Takes all layers off a backward cell, in place, and tells which hop spoke (0 is the nearest);
    /// [`payload`](super::payload) then reads it. Block cells come from the end alone.
    ///
    /// # Errors
    /// When the cell is from none of the hops, or came before. Its bytes are of no use then, and the circuit is to be ended.
    pub fn open_backward(&mut self, number: u32, cell: &mut [u8]) -> Result<usize, CellError> {
        let size = CellSize::of(cell)?;
        let end = self.hops.len() - 1;
        for (index, hop) in self.hops.iter_mut().enumerate() {
            if (index == end || size == CellSize::Control) && hop.open(size, number, cell)? {
                return Ok(index);
            }
            cell::apply_layer(&hop.keys.layer, size, number, cell);
        }
        Err(CellError::Forged)
    }

    /// The last bytes of the end's plaintext, such that what it was sent ends in what the relays before it append.
    fn filler(&self, number: u32, size: CellSize) -> Vec<u8> {
        let body_len = size.len() - TAG_LEN;
        let mut filler = Vec::with_capacity(TAG_LEN * HOPS_MAX);
        for hop in &self.hops {
            let offset = body_len - filler.len();
            filler.extend_from_slice(&[0; TAG_LEN]);
            cell::apply_body_keystream(&hop.keys.forward, size, number, offset, &mut filler);
        }
        // What the end itself would append.
        filler.truncate(filler.len() - TAG_LEN);
        filler
    }

    /// Fills the room that a longer circuit's tags would take. Zeros would tell the end how long the circuit is.
    fn fill(&self, number: u32, size: CellSize, room: &mut [u8]) {
        if let Some(end) = self.hops.last() {
            cell::apply_layer(&end.fill, size, number, room);
        }
    }
}

impl HopKeys {
    /// Whether this hop spoke; the cell is then opened, else unchanged.
    fn open(&mut self, size: CellSize, number: u32, cell: &mut [u8]) -> Result<bool, CellError> {
        let (body, tag) = cell
            .split_last_chunk_mut::<TAG_LEN>()
            .ok_or(CellError::Malformed)?;
        if cell::open(&self.keys.backward, size, number, body, tag).is_err() {
            return Ok(false);
        }
        if !self.spoken.is_fresh(number) {
            return Err(CellError::Replayed);
        }
        self.spoken.take(number);
        Ok(true)
    }
}

impl fmt::Debug for HopKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HopKeys([redacted])")
    }
}

impl fmt::Debug for CircuitKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitKeys")
            .field("hops", &self.hops.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl CircuitKeys {
    pub(super) fn from_hops(hops: Vec<HopKeys>) -> Self {
        Self { hops }
    }

    pub(super) fn into_hops(self) -> Vec<HopKeys> {
        self.hops
    }
}

#[cfg(test)]
impl HopKeys {
    pub(super) const fn shared(&self) -> &SharedKeys {
        &self.keys
    }

    pub(super) fn all_keys(&self) -> [[u8; 32]; 4] {
        let SharedKeys {
            forward,
            backward,
            layer,
        } = self.keys.clone();
        [forward, backward, layer, *self.fill]
    }
}
