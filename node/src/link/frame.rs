//! The ordered stream: frames of one byte of kind, three bytes of length (big endian) and a body.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::padding::{padded_len, padding, unpadded};

/// Length of a frame without its body.
const HEAD_LEN: usize = 4;

/// Body of the longest frame that is not a message: a greeting with a record has half of it.
const OTHER_BYTES_MAX: usize = 1024;

const MESSAGE: u8 = 0;
const GREETING: u8 = 1;
const GOODBYE: u8 = 2;
const RECEIVED_ALL: u8 = 3;
const HANG_UP: u8 = 4;

/// One thing said on the ordered stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A message.
    Message(Bytes),
    /// The first frame of each side, see [`Greeting`](super::greeting::Greeting).
    Greeting(Bytes),
    /// The sender sends no more on this connection and has opened this many streams for messages.
    Goodbye { streams: u64 },
    /// The sender has received everything that the other's goodbye announced.
    ReceivedAll,
    /// The sender ends the link and has opened this many streams for messages; who has received them all closes.
    HangUp { streams: u64 },
}

/// The peer does not keep to the protocol.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("a frame of kind {kind} has {length} bytes, which is too long or not its length")]
    Length { kind: u8, length: usize },
    #[error("frame kind {0} is unknown")]
    Kind(u8),
    #[error("a message is not padded as it must be, or too long")]
    Padding,
}

/// Appends a message with its padding.
pub(crate) fn put_message(message: &[u8], out: &mut BytesMut) {
    put_head(MESSAGE, padded_len(message.len()), out);
    out.put_slice(message);
    out.put_slice(&padding(message.len()));
}

impl Frame {
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Message(body) => put_message(body, &mut out),
            Self::Greeting(body) => put(GREETING, body, &mut out),
            Self::Goodbye { streams } => put(GOODBYE, &streams.to_be_bytes(), &mut out),
            Self::ReceivedAll => put(RECEIVED_ALL, &[], &mut out),
            Self::HangUp { streams } => put(HANG_UP, &streams.to_be_bytes(), &mut out),
        }
        out.freeze()
    }

    fn decode(kind: u8, body: Bytes, message_bytes_max: usize) -> Result<Self, FrameError> {
        match kind {
            MESSAGE => unpadded(&body, message_bytes_max)
                .map(Self::Message)
                .ok_or(FrameError::Padding),
            GREETING => Ok(Self::Greeting(body)),
            GOODBYE | HANG_UP => {
                let length = body.len();
                let streams = <[u8; 8]>::try_from(&body[..])
                    .map_err(|_| FrameError::Length { kind, length })?;
                let streams = u64::from_be_bytes(streams);
                Ok(if kind == GOODBYE {
                    Self::Goodbye { streams }
                } else {
                    Self::HangUp { streams }
                })
            }
            RECEIVED_ALL => Ok(Self::ReceivedAll),
            kind => Err(FrameError::Kind(kind)),
        }
    }
}

/// Cuts the ordered stream into frames. Holds at most one frame and one chunk.
#[derive(Debug)]
pub(crate) struct FrameReader {
    message_bytes_max: usize,
    buffer: BytesMut,
}

impl FrameReader {
    pub(crate) fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            buffer: BytesMut::new(),
        }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next frame if it is complete. The length is checked as soon as the head is there, before its body is waited for.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(&head) = self.buffer.first_chunk::<HEAD_LEN>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = head;
        let length = length
            .into_iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(byte));
        let max = if kind == MESSAGE {
            padded_len(self.message_bytes_max)
        } else {
            OTHER_BYTES_MAX
        };
        if length > max {
            return Err(FrameError::Length { kind, length });
        }
        if self.buffer.len() < HEAD_LEN + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD_LEN);
        // A copy, so that a small message that is kept does not keep a whole batch in memory.
        let body = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        Frame::decode(kind, body, self.message_bytes_max).map(Some)
    }
}

fn put(kind: u8, body: &[u8], out: &mut BytesMut) {
    put_head(kind, body.len(), out);
    out.put_slice(body);
}

fn put_head(kind: u8, body_len: usize, out: &mut BytesMut) {
    let length = u32::try_from(body_len).expect(
        "a padded message is at most as LinkConfig::message_bytes_max allows, checked to fit 24 bits",
    );
    out.reserve(HEAD_LEN + body_len);
    out.put_u32(u32::from(kind) << 24 | length);
}

/// Longest message that a frame can carry, with its padding.
pub(crate) const FRAME_BYTES_MAX: usize = (1 << 24) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_frame() -> impl Strategy<Value = Frame> {
        let body = prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
        prop_oneof![
            body.clone().prop_map(Frame::Message),
            body.prop_map(Frame::Greeting),
            any::<u64>().prop_map(|streams| Frame::Goodbye { streams }),
            Just(Frame::ReceivedAll),
        ]
    }

    fn read_all(reader: &mut FrameReader) -> Vec<Frame> {
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(frames in prop::collection::vec(any_frame(), 0..9), piece in 1usize..70) {
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let mut reader = FrameReader::new(1_000);
            let mut read = Vec::new();
            for chunk in bytes.chunks(piece) {
                reader.push(chunk);
                read.extend(read_all(&mut reader));
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn arbitrary_bytes_give_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = FrameReader::new(100);
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }

    #[test]
    fn a_message_without_its_padding_is_refused() {
        let mut reader = FrameReader::new(1_000);
        reader.push(&[MESSAGE, 0, 0, 2, b'a', 0x80]);
        assert_eq!(reader.next(), Err(FrameError::Padding));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_the_body_comes() {
        let mut reader = FrameReader::new(1_000);
        reader.push(&[MESSAGE, 0, 0x09, 0x01]);
        assert_eq!(
            reader.next(),
            Err(FrameError::Length {
                kind: MESSAGE,
                length: 2_305
            })
        );
    }
}
