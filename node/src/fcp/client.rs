//! The program's side of the protocol: connects, sends messages, reads answers. `fcp` and `warren status` use
//! it.

use std::io;
use std::time::Duration;

use routing::Trust;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::limits::{Budget, HEAD_BYTES_MAX};
use super::message::{Message, Terminator};
use super::reader::{Incoming, LineLimits, Position, ReadError, read_message};
use crate::trust::trust_name;

/// How long to wait for the connection and for the node's greeting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of payload moved at once.
const COPY_BUFFER: usize = 256 << 10;
/// Longest payload a node may send us: no bound of ours, the caller says where it goes.
const PAYLOAD_MAX: u64 = i64::MAX.cast_unsigned();

/// A connection to a node.
#[derive(Debug)]
pub struct FcpClient {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    hello: Message,
    payload_left: u64,
    budget: Budget,
}

/// A message of the node. When `payload` is set, that many bytes must be taken with
/// [`FcpClient::read_payload`] before the next message is read; what is not taken is skipped.
#[derive(Debug)]
pub struct Answer {
    /// Name and fields.
    pub message: Message,
    /// Bytes of payload that follow.
    pub payload: Option<u64>,
}

impl FcpClient {
    /// Connects to a node and greets it under `name`, which must differ from that of other live connections
    /// of the same user.
    ///
    /// # Errors
    /// When no node answers at this address or what answers does not speak FCP 2.0.
    pub async fn connect(host: &str, port: u16, name: &str) -> Result<Self, ClientError> {
        let unreachable = |source: io::Error| ClientError::Unreachable {
            address: format!("{host}:{port}"),
            source,
        };
        let connected =
            tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await;
        let stream = connected
            .map_err(|_| unreachable(io::ErrorKind::TimedOut.into()))?
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let (reader, writer) = stream.into_split();
        let mut client = Self {
            reader: BufReader::with_capacity(COPY_BUFFER, reader),
            writer,
            hello: Message::new("NodeHello"),
            payload_left: 0,
            budget: Budget::new(2 * HEAD_BYTES_MAX),
        };
        client
            .send(
                &Message::new("ClientHello")
                    .with("Name", name)
                    .with("ExpectedVersion", "2.0"),
            )
            .await?;
        let hello = tokio::time::timeout(CONNECT_TIMEOUT, client.receive())
            .await
            .map_err(|_| ClientError::NotFcp)?;
        match hello {
            Ok(answer) if answer.message.name() == "NodeHello" => client.hello = answer.message,
            Ok(answer) if answer.message.name() == "ProtocolError" => {
                return Err(Refusal::from_message(&answer.message).into());
            }
            Ok(_) | Err(ClientError::Malformed(_)) => return Err(ClientError::NotFcp),
            Err(error) => return Err(error),
        }
        Ok(client)
    }

    /// What the node said of itself when the connection began.
    #[must_use]
    pub fn hello(&self) -> &Message {
        &self.hello
    }

    /// Sends a message without payload.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, message: &Message) -> Result<(), ClientError> {
        self.write(&message.encode(Terminator::End)).await
    }

    /// Begins a message with a payload; exactly `DataLength` bytes must follow with [`Self::send_payload`].
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send_head(&mut self, message: &Message) -> Result<(), ClientError> {
        self.write(&message.encode(Terminator::Data)).await
    }

    /// Sends `length` bytes of payload from `source`, telling `sent` after each piece how many bytes it had.
    ///
    /// # Errors
    /// When the source cannot be read or ends early (the connection is then useless), or the connection is
    /// lost.
    pub async fn send_payload<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut R,
        length: u64,
        mut sent: impl FnMut(u64),
    ) -> Result<(), ClientError> {
        let mut left = length;
        let mut buffer = vec![0; COPY_BUFFER];
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = source
                .read(&mut buffer[..room])
                .await
                .map_err(ClientError::Local)?;
            if count == 0 {
                return Err(ClientError::Local(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file became shorter",
                )));
            }
            self.write(&buffer[..count]).await?;
            left -= count as u64;
            sent(count as u64);
        }
        Ok(())
    }

    /// Waits for the next message of the node.
    ///
    /// # Errors
    /// When the connection is lost or what comes is not a message.
    pub async fn receive(&mut self) -> Result<Answer, ClientError> {
        let left = std::mem::take(&mut self.payload_left);
        if left > 0 {
            self.copy_payload(left, &mut tokio::io::sink(), |_| ())
                .await?;
        }
        let read = read_message(
            &mut self.reader,
            LineLimits::CLIENT,
            Position::Later,
            &self.budget,
        )
        .await;
        let incoming = match read {
            Ok(Some(incoming)) => incoming,
            Ok(None) => return Err(ClientError::Lost(io::ErrorKind::UnexpectedEof.into())),
            Err(ReadError::Connection(error)) => return Err(ClientError::Lost(error)),
            Err(ReadError::Refused(error)) => {
                return Err(ClientError::Malformed(error.to_string()));
            }
        };
        self.payload_left = payload_after(&incoming)?.unwrap_or(0);
        Ok(Answer {
            payload: payload_after(&incoming)?,
            message: incoming.message,
        })
    }

    /// Moves the payload of the message received last into `target`, telling `got` after each piece how many
    /// bytes it had.
    ///
    /// # Errors
    /// When the target cannot be written or the connection is lost.
    pub async fn read_payload<W: AsyncWrite + Unpin>(
        &mut self,
        target: &mut W,
        got: impl FnMut(u64),
    ) -> Result<(), ClientError> {
        let length = std::mem::take(&mut self.payload_left);
        self.copy_payload(length, target, got).await?;
        target.flush().await.map_err(ClientError::Local)
    }

    /// Sends a message and returns the first answer that is about its `Identifier` (or about none), skipping
    /// others.
    ///
    /// # Errors
    /// When the node refuses the message ([`ClientError::Refused`]) or the connection is lost.
    pub async fn ask(&mut self, message: &Message) -> Result<Message, ClientError> {
        self.send(message).await?;
        loop {
            let answer = self.receive().await?.message;
            let other =
                answer.identifier().is_some() && answer.identifier() != message.identifier();
            match answer.name() {
                _ if other => {}
                "ProtocolError" => return Err(Refusal::from_message(&answer).into()),
                _ => return Ok(answer),
            }
        }
    }

    /// Facts about the node (`GetNode`), with the volatile ones.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn node_data(&mut self) -> Result<Message, ClientError> {
        self.ask(
            &Message::new("GetNode")
                .with("Identifier", "node")
                .with("WithVolatile", true),
        )
        .await
    }

    /// One `Peer` message for each peer of the node.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn peers(&mut self) -> Result<Vec<Message>, ClientError> {
        let question = Message::new("ListPeers")
            .with("WithMetadata", true)
            .with("WithVolatile", true);
        self.send(&question.with("Identifier", "peers")).await?;
        let mut peers = Vec::new();
        loop {
            let answer = self.receive().await?.message;
            match answer.name() {
                "Peer" => peers.push(answer),
                "EndListPeers" => return Ok(peers),
                "ProtocolError" => return Err(Refusal::from_message(&answer).into()),
                _ => {}
            }
        }
    }

    /// Adds a friend by its reference, or changes how far a known one is trusted; returns the node's `Peer` message about
    /// it. Without a `trust` a new friend gets the usual.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn add_peer(
        &mut self,
        reference: &str,
        trust: Option<Trust>,
    ) -> Result<Message, ClientError> {
        let message = Message::new("AddPeer")
            .with("Identifier", "add")
            .with("Reference", reference.trim())
            .with_some("Trust", trust.map(|trust| trust_name(trust).to_uppercase()));
        self.ask(&message.with("Visibility", "NO")).await
    }

    /// Removes the peer with this identity.
    ///
    /// # Errors
    /// As [`Self::ask`]; code 19 when no peer has it.
    pub async fn remove_peer(&mut self, id: &str) -> Result<(), ClientError> {
        let message = Message::new("RemovePeer")
            .with("Identifier", "remove")
            .with("NodeIdentifier", id);
        let answer = self.ask(&message).await?;
        match answer.name() {
            "PeerRemoved" => Ok(()),
            "UnknownNodeIdentifier" => Err(Refusal {
                code: 19,
                text: "no peer has this identity".to_owned(),
            }
            .into()),
            other => Err(ClientError::Malformed(format!("unexpected answer {other}"))),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.writer
            .write_all(bytes)
            .await
            .map_err(ClientError::Lost)
    }

    async fn copy_payload<W: AsyncWrite + Unpin>(
        &mut self,
        mut left: u64,
        target: &mut W,
        mut got: impl FnMut(u64),
    ) -> Result<(), ClientError> {
        let mut buffer = vec![0; COPY_BUFFER];
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = self
                .reader
                .read(&mut buffer[..room])
                .await
                .map_err(ClientError::Lost)?;
            if count == 0 {
                return Err(ClientError::Lost(io::ErrorKind::UnexpectedEof.into()));
            }
            target
                .write_all(&buffer[..count])
                .await
                .map_err(ClientError::Local)?;
            left -= count as u64;
            got(count as u64);
        }
        Ok(())
    }
}

fn payload_after(incoming: &Incoming) -> Result<Option<u64>, ClientError> {
    match incoming.terminator {
        Terminator::End => Ok(None),
        Terminator::Data => incoming
            .announced_payload(PAYLOAD_MAX)
            .map(Some)
            .map_err(|error| ClientError::Malformed(error.to_string())),
    }
}

/// A `ProtocolError` of the node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The error's number ([`super::protocol_error::ErrorCode`]).
    pub code: u32,
    /// The node's explanation.
    pub text: String,
}

impl Refusal {
    /// Reads the error message.
    #[must_use]
    pub fn from_message(message: &Message) -> Self {
        let code = message
            .field("Code")
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let description = message
            .field("CodeDescription")
            .unwrap_or("refused by the node");
        let text = match message.field("ExtraDescription") {
            Some(extra) => format!("{description}: {extra}"),
            None => description.to_owned(),
        };
        Self { code, text }
    }
}

/// Why talking to the node failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers at the address.
    #[error("no node answers at {address}: {source}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something answers that is no node.
    #[error("what answers there does not speak FCP 2.0")]
    NotFcp,
    /// The connection ended.
    #[error("the connection to the node was lost: {0}")]
    Lost(io::Error),
    /// A file on our side could not be read or written.
    #[error("{0}")]
    Local(io::Error),
    /// The node refused the message.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The node sent something that is not a message.
    #[error("the node sent what cannot be understood: {0}")]
    Malformed(String),
}
