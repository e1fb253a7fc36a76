//! What a relay does with cells.

use std::fmt;

use bytes::BytesMut;

use crate::onion::cell::{self, CellError, CellSize, SharedKeys, TAG_LEN};
use crate::onion::window::Window;

/// A relay's keys for one circuit, and the numbers that it has seen in it. Less than 400 bytes; wiped when dropped.
pub struct RelayKeys {
    keys: SharedKeys,
    forward: Window,
    backward: Window,
}

impl RelayKeys {
    pub(super) const fn new(keys: SharedKeys) -> Self {
        Self {
            keys,
            forward: Window::new(),
            backward: Window::new(),
        }
    }

    /// Takes this relay's layer off a forward cell, in place. What is left goes to the next relay under the same number; at
    /// the end of the circuit, [`payload`](super::payload) reads it.
    ///
    /// # Errors
    /// When length, number or tag are wrong; the cell is unchanged then, and the circuit is to be ended.
    pub fn open_forward(&mut self, number: u32, cell: &mut [u8]) -> Result<(), CellError> {
        let size = CellSize::of(cell)?;
        if !self.forward.is_fresh(number) {
            return Err(CellError::Replayed);
        }
        let (tag, body) = cell
            .split_first_chunk_mut::<TAG_LEN>()
            .ok_or(CellError::Malformed)?;
        cell::open(&self.keys.forward, size, number, body, tag)?;
        // Only now: else anybody could make up cells that use up the numbers.
        self.forward.take(number);
        let body_len = body.len();
        cell.copy_within(TAG_LEN.., 0);
        let (_, pad) = cell.split_at_mut(body_len);
        pad.fill(0);
        cell::apply_body_keystream(&self.keys.forward, size, number, body_len, pad);
        Ok(())
    }

    /// A cell to the originator with a payload of this relay's own.
    ///
    /// # Errors
    /// When the payload is longer than [`CellSize::payload_max`], or the number was used.
    pub fn seal_backward(
        &mut self,
        number: u32,
        size: CellSize,
        payload: &[u8],
    ) -> Result<BytesMut, CellError> {
        if !self.backward.is_fresh(number) {
            return Err(CellError::Replayed);
        }
        let mut cell = BytesMut::zeroed(size.len());
        cell::write_payload(&mut cell, size, payload)?;
        self.backward.take(number);
        let (body, room) = cell.split_at_mut(size.len() - TAG_LEN);
        room.copy_from_slice(&cell::seal(&self.keys.backward, size, number, body));
        Ok(cell)
    }

    /// Puts this relay's layer around a cell from further back, in place.
    ///
    /// # Errors
    /// When the length is wrong or the number was used; the cell is unchanged then, and the circuit is to be ended.
    pub fn wrap_backward(&mut self, number: u32, cell: &mut [u8]) -> Result<(), CellError> {
        let size = CellSize::of(cell)?;
        if !self.backward.is_fresh(number) {
            return Err(CellError::Replayed);
        }
        self.backward.take(number);
        cell::apply_layer(&self.keys.layer, size, number, cell);
        Ok(())
    }
}

impl fmt::Debug for RelayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayKeys([redacted])")
    }
}

#[cfg(test)]
impl RelayKeys {
    pub(super) const fn shared(&self) -> &SharedKeys {
        &self.keys
    }
}
