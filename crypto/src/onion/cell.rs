//! What cells look like, and the layers of encryption around them.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::block::CONTENT_BLOCK_LEN;
use crate::onion::HOPS_MAX;

/// Bytes of the tag that authenticates one layer.
pub const TAG_LEN: usize = 16;
/// Bytes that the length of a payload takes at the beginning of an opened cell.
pub const PAYLOAD_LEN_BYTES: usize = 4;

/// Cells have one of two sizes, so that a cell tells nothing else about what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CellSize {
    /// Commands and everything else that is small, handshakes and signed blocks among them.
    Control,
    /// A content block with a head of up to 64 bytes.
    Block,
}

/// A cell that is refused. The circuit is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// Cells have one of two lengths.
    #[error("a cell of {len} bytes: there are none of that length; the circuit is to be ended")]
    Length {
        /// Bytes received.
        len: usize,
    },
    /// The payload does not fit a cell of this size.
    #[error(
        "a payload of {len} bytes does not fit this cell, which holds at most {max}; split it or use the larger size"
    )]
    TooLong {
        /// Bytes given.
        len: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// The number was used before, or is too far behind the highest one to tell.
    #[error("a cell with a number that was used before; the circuit is to be ended")]
    Replayed,
    /// The tag is wrong: somebody on the way changed the cell, or made it up.
    #[error(
        "a cell that was changed on the way or is not from this circuit; the circuit is to be ended"
    )]
    Forged,
    /// It opened, but to something that sealing never makes.
    #[error(
        "a cell that was sealed wrongly: whoever spoke uses a faulty program; the circuit is to be ended"
    )]
    Malformed,
}

impl CellSize {
    /// Bytes of a cell.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a cell is never empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Control => 2_048,
            Self::Block => CONTENT_BLOCK_LEN + HEAD_LEN + PAYLOAD_LEN_BYTES + TAG_LEN * HOPS_MAX,
        }
    }

    /// Bytes of payload that a cell holds, the same in both directions and for any number of hops.
    #[must_use]
    pub const fn payload_max(self) -> usize {
        self.len() - PAYLOAD_LEN_BYTES - TAG_LEN * HOPS_MAX
    }

    /// The size of cells of `len` bytes.
    #[must_use]
    pub const fn from_len(len: usize) -> Option<Self> {
        if len == Self::Control.len() {
            Some(Self::Control)
        } else if len == Self::Block.len() {
            Some(Self::Block)
        } else {
            None
        }
    }

    /// The size of `cell`.
    pub(super) const fn of(cell: &[u8]) -> Result<Self, CellError> {
        match Self::from_len(cell.len()) {
            Some(size) => Ok(size),
            None => Err(CellError::Length { len: cell.len() }),
        }
    }
}

/// The payload of a cell that was opened, be it by the end of a circuit or by the originator.
///
/// # Errors
/// When length or padding are not as sealing makes them. A relay that is not the end gets that, or nonsense, for cells that
/// it should pass on.
pub fn payload(cell: &[u8]) -> Result<&[u8], CellError> {
    let size = CellSize::of(cell)?;
    let (len, rest) = cell
        .split_first_chunk::<PAYLOAD_LEN_BYTES>()
        .ok_or(CellError::Malformed)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| CellError::Malformed)?;
    let (padded, _) = rest
        .split_at_checked(size.payload_max())
        .ok_or(CellError::Malformed)?;
    let (payload, padding) = padded.split_at_checked(len).ok_or(CellError::Malformed)?;
    // Without an early end, so that it goes many bytes at a time: the padding can be 32 KiB.
    if padding.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(CellError::Malformed);
    }
    Ok(payload)
}

/// Writes the length of `payload` and the payload to the beginning of `cell`, which is zero.
pub(super) fn write_payload(
    cell: &mut [u8],
    size: CellSize,
    payload: &[u8],
) -> Result<(), CellError> {
    let max = size.payload_max();
    let too_long = CellError::TooLong {
        len: payload.len(),
        max,
    };
    if payload.len() > max {
        return Err(too_long);
    }
    let len = u32::try_from(payload.len()).map_err(|_| too_long)?;
    let (head, rest) = cell.split_at_mut(PAYLOAD_LEN_BYTES);
    head.copy_from_slice(&len.to_le_bytes());
    let (room, _) = rest.split_at_mut(payload.len());
    room.copy_from_slice(payload);
    Ok(())
}

/// What two parties share after a handshake. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct SharedKeys {
    /// Seals the relay's layer of forward cells.
    pub(super) forward: [u8; 32],
    /// Seals what the relay itself says.
    pub(super) backward: [u8; 32],
    /// Encrypts what relays behind it say.
    pub(super) layer: [u8; 32],
}

/// Encrypts `body` and gives the tag.
pub(super) fn seal(key: &[u8; 32], size: CellSize, number: u32, body: &mut [u8]) -> [u8; TAG_LEN] {
    ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&Nonce::from(nonce(size, number)), b"", body.into())
        .expect("a cell is far below the 256 GiB that the cipher takes")
        .into()
}

/// Decrypts `body` if the tag is right, else leaves it as it is. Tags are compared in constant time.
pub(super) fn open(
    key: &[u8; 32],
    size: CellSize,
    number: u32,
    body: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), CellError> {
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(
            &Nonce::from(nonce(size, number)),
            b"",
            body.into(),
            &(*tag).into(),
        )
        .map_err(|_| CellError::Forged)
}

/// Adds or takes off the keystream that [`seal`] lays over the bytes of a body from `offset` on. It goes on behind the body.
pub(super) fn apply_body_keystream(
    key: &[u8; 32],
    size: CellSize,
    number: u32,
    offset: usize,
    bytes: &mut [u8],
) {
    let mut cipher = ChaCha20::new(key.into(), &nonce(size, number).into());
    // The first block of the keystream makes the one-time key of the tag (RFC 8439, 2.8).
    cipher.seek(KEYSTREAM_BLOCK + offset);
    cipher.apply_keystream(bytes);
}

/// Adds or takes off a relay's layer around a backward cell.
pub(super) fn apply_layer(key: &[u8; 32], size: CellSize, number: u32, cell: &mut [u8]) {
    ChaCha20::new(key.into(), &nonce(size, number).into()).apply_keystream(cell);
}

/// No two cells under one key have the same nonce: the number is used once, and cells of both sizes are kept apart too.
fn nonce(size: CellSize, number: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some((first, last)) = nonce.split_first_mut() {
        *first = match size {
            CellSize::Control => 0,
            CellSize::Block => 1,
        };
        let (_, room) = last.split_at_mut(7);
        room.copy_from_slice(&number.to_le_bytes());
    }
    nonce
}

/// Room for the head of a command beside a content block.
const HEAD_LEN: usize = 64;
/// Bytes of one block of ChaCha20's keystream.
const KEYSTREAM_BLOCK: usize = 64;
