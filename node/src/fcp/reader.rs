//! Reading messages from a connection: bounded lines, bounded fields, tolerant where clients in use are sloppy.

use std::io;

use data_encoding::{BASE64, BASE64_NOPAD, Encoding};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::limits::{
    Budget, FIELD_LINE_MAX, FIELDS_MAX, HEAD_BYTES_MAX, NAME_LINE_MAX, Reservation,
};
use super::message::{Message, Terminator};
use super::protocol_error::{ErrorCode, ProtocolError};

/// Bytes of a message head that are read without asking the shared [`Budget`].
const HEAD_BYTES_FREE: usize = 64 << 10;

/// A message as it was read, before its payload.
#[derive(Debug)]
pub struct Incoming {
    /// Name and fields.
    pub message: Message,
    /// How it ended.
    pub terminator: Terminator,
    /// Shared memory that it holds while it is handled.
    _reservation: Option<Reservation>,
}

impl Incoming {
    /// Bytes of payload that follow when the terminator says so.
    ///
    /// # Errors
    /// Fatal, because where the next message begins is unknown: `DataLength` missing, no number, negative or
    /// above `payload_max`.
    pub fn announced_payload(&self, payload_max: u64) -> Result<u64, ProtocolError> {
        match self.message.byte_count("DataLength") {
            Ok(Some(length)) if length <= payload_max => Ok(length),
            Ok(Some(_)) => Err(self
                .message
                .error(
                    ErrorCode::InvalidField,
                    format!("DataLength is above the limit of {payload_max} bytes"),
                )
                .fatal()),
            Ok(None) => Err(self
                .message
                .error(
                    ErrorCode::MissingField,
                    "a message that ends with Data needs DataLength",
                )
                .fatal()),
            Err(error) => Err(error.fatal()),
        }
    }
}

/// Why no message could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The other side broke the form of a message. Unless the error is fatal the next message can be read.
    #[error(transparent)]
    Refused(#[from] ProtocolError),
    /// The connection broke, possibly within a message.
    #[error("the connection broke: {0}")]
    Connection(#[from] io::Error),
}

/// How long lines may be: servers are strict, clients must read what a server says about long keys.
#[derive(Clone, Copy, Debug)]
pub struct LineLimits {
    /// Longest name line in bytes.
    pub name: usize,
    /// Longest field line in bytes.
    pub field: usize,
}

impl LineLimits {
    /// What the server accepts.
    pub const SERVER: Self = Self {
        name: NAME_LINE_MAX,
        field: FIELD_LINE_MAX,
    };
    /// What the client accepts: keys of the greatest length that a URI may have fit.
    pub const CLIENT: Self = Self {
        name: NAME_LINE_MAX,
        field: 64 << 10,
    };
}

/// Whether any terminator is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The first message of a connection: any line without `=` ends it, as in Hyphanet.
    First,
    /// A later message: the terminator must begin with `End` or be `Data`.
    Later,
}

/// Reads one message up to and including its terminator; `None` when the connection ended between messages.
///
/// # Errors
/// When the form of a message is broken or the connection is. A message that ends in the middle is an
/// [`io::ErrorKind::UnexpectedEof`].
pub async fn read_message<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    limits: LineLimits,
    position: Position,
    budget: &Budget,
) -> Result<Option<Incoming>, ReadError> {
    let mut line = Vec::new();
    let name = loop {
        if !read_line(reader, limits.name, &mut line).await? {
            return Ok(None);
        }
        let name = text(&line)?.trim();
        if !name.is_empty() {
            break name.to_owned();
        }
    };
    let mut head = Head {
        message: Message::new(name),
        fields: 0,
        bytes: 0,
        reservation: None,
        broken: None,
    };
    loop {
        if !read_line(reader, limits.field, &mut line).await? {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if line.contains(&b'=') {
            head.add_field(&line, budget)?;
        } else if !line.is_empty() && line[0] != b'#' {
            return head.end(&line, position).map(Some);
        } else {
            head.count(line.len(), budget)?;
        }
    }
}

/// A message whose fields are being read.
struct Head {
    message: Message,
    fields: usize,
    bytes: usize,
    reservation: Option<Reservation>,
    /// The first fault that does not keep us from finding the end of the message.
    broken: Option<&'static str>,
}

impl Head {
    fn add_field(&mut self, line: &[u8], budget: &Budget) -> Result<(), ProtocolError> {
        self.count(line.len(), budget)?;
        if line[0] == b'#' {
            return Ok(());
        }
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(self.too_large(format!("a message has at most {FIELDS_MAX} fields")));
        }
        let Ok(line) = std::str::from_utf8(line) else {
            self.broken = Some("a field is not UTF-8");
            return Ok(());
        };
        let (key, value) = line.split_once('=').expect("the caller found a =");
        match value.strip_prefix('=').and_then(decode_value) {
            Some(decoded) => self.message.set(key, decoded),
            None => self.message.set(key, value),
        }
        Ok(())
    }

    /// Bounds the size of the head, whatever its lines mean.
    fn count(&mut self, line_bytes: usize, budget: &Budget) -> Result<(), ProtocolError> {
        let before = self.bytes;
        self.bytes += line_bytes + 1;
        if self.bytes > HEAD_BYTES_MAX {
            return Err(self.too_large(format!(
                "a message has at most {HEAD_BYTES_MAX} bytes of fields"
            )));
        }
        if before / HEAD_BYTES_FREE == self.bytes / HEAD_BYTES_FREE {
            return Ok(());
        }
        let Some(more) = budget.take(HEAD_BYTES_FREE) else {
            return Err(self.too_large(
                "the node has no memory left for a message of this size; try again later",
            ));
        };
        match &mut self.reservation {
            Some(reservation) => reservation.merge(more),
            None => self.reservation = Some(more),
        }
        Ok(())
    }

    fn end(self, line: &[u8], position: Position) -> Result<Incoming, ReadError> {
        let line = line.trim_ascii();
        let terminator = match line {
            b"Data" => Terminator::Data,
            _ if line.starts_with(b"End") || position == Position::First => Terminator::End,
            _ => {
                return Err(self
                    .message
                    .error(
                        ErrorCode::MessageParse,
                        "a message ends with EndMessage or Data",
                    )
                    .into());
            }
        };
        let incoming = Incoming {
            message: self.message,
            terminator,
            _reservation: self.reservation,
        };
        match self.broken {
            None => Ok(incoming),
            // The payload of a broken message would be taken for messages.
            Some(why) if terminator == Terminator::Data => Err(incoming
                .message
                .error(ErrorCode::MessageParse, why)
                .fatal()
                .into()),
            Some(why) => Err(incoming.message.error(ErrorCode::MessageParse, why).into()),
        }
    }

    fn too_large(&self, why: impl Into<String>) -> ProtocolError {
        self.message.error(ErrorCode::MessageParse, why).fatal()
    }
}

/// Reads a line without its end into `line`; `false` at the end of the stream.
async fn read_line<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    length_max: usize,
    line: &mut Vec<u8>,
) -> Result<bool, ReadError> {
    line.clear();
    // Room for the line end, which may be CRLF.
    let room = u64::try_from(length_max + 2).expect("line limits are small");
    if (&mut *reader).take(room).read_until(b'\n', line).await? == 0 {
        return Ok(false);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
        if line.len() <= length_max {
            return Ok(true);
        }
    } else if line.len() <= length_max {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Err(ProtocolError::new(
        ErrorCode::MessageParse,
        format!("a line is longer than {length_max} bytes"),
    )
    .fatal()
    .into())
}

fn text(line: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(line).map_err(|_| {
        ProtocolError::new(
            ErrorCode::MessageParse,
            "the name of a message is not UTF-8",
        )
        .fatal()
        .into()
    })
}

/// Decodes the value of a `Key==base64` line; `None` when it is not one after all.
fn decode_value(encoded: &str) -> Option<String> {
    let standard = encoded.replace('~', "+").replace('-', "/");
    let encoding: Encoding = if standard.ends_with('=') {
        BASE64
    } else {
        BASE64_NOPAD
    };
    let decoded = encoding.decode(standard.as_bytes()).ok()?;
    String::from_utf8(decoded)
        .ok()
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
