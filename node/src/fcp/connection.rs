//! One client: reads its messages, answers them, starts and cancels its requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::dda::DirectDiskAccess;
use super::hello::{self, NameHeld};
use super::limits::PAYLOAD_MAX;
use super::message::{Message, Terminator};
use super::outbox::{Gone, Outbox};
use super::protocol_error::{ErrorCode, ProtocolError};
use super::reader::{Incoming, LineLimits, Position, ReadError, read_message};
use super::requests::Requests;
use super::server::Shared;
use super::spool::skip;

/// How long a client may take to read what is queued when its connection ends.
const CLOSE_GRACE: Duration = Duration::from_secs(2);
/// How long a client may take to greet.
const GREETING_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes that are read and forgotten from a client that was refused, before the connection is closed.
const LINGER_BYTES_MAX: u64 = 64 << 20;
/// Bytes read at once.
const READ_BUFFER: usize = 64 << 10;

/// What the server knows of one client.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) outbox: Outbox,
    pub(super) requests: Requests,
    pub(super) dda: DirectDiskAccess,
    /// The identifier told in `NodeHello`, part of `FileHash`.
    pub(super) identifier: String,
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The client left, or asked to be left.
    Left,
    /// The client was told a fatal error.
    Refused,
    /// The node is stopping.
    Stopping,
    /// Another connection took the client's name.
    Replaced,
}

impl From<Gone> for Over {
    fn from(Gone: Gone) -> Self {
        Self::Left
    }
}

/// Serves one client until it leaves, the node stops, or its name is taken by another connection.
pub(super) async fn serve(
    stream: TcpStream,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
    number: u64,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::trace!(%error, "an FCP client left before it was served");
        return;
    }
    let (read_half, write_half) = stream.into_split();
    let mut reader = BufReader::with_capacity(READ_BUFFER, read_half);
    let (outbox, writing) = Outbox::new(write_half);
    // A set of one, because dropping it ends the task.
    let mut writer = JoinSet::new();
    writer.spawn(writing);
    let mut connection = Connection {
        shared,
        outbox,
        requests: Requests::default(),
        dda: DirectDiskAccess::default(),
        identifier: hello::connection_identifier(),
    };
    let over = tokio::select! {
        over = connection.converse(&mut reader, number) => over,
        _ = stopped.wait_for(|stop| *stop) => Over::Stopping,
        _ = writer.join_next() => Over::Left,
    };
    tracing::debug!(number, ?over, "an FCP connection ended");
    let Connection {
        outbox, requests, ..
    } = connection;
    drop(requests);
    let closing = async {
        say_farewell(over, outbox).await;
        while writer.join_next().await.is_some() {}
        if over == Over::Refused {
            // Closing with something unread would make the system throw away what the client has not read yet.
            let _ = skip(&mut reader, LINGER_BYTES_MAX).await;
        }
    };
    if tokio::time::timeout(CLOSE_GRACE, closing).await.is_err() {
        tracing::trace!(number, "an FCP connection was cut");
    }
}

/// Tells the client why the connection ends. Dropping the outbox ends the writer once everything is written.
async fn say_farewell(over: Over, outbox: Outbox) {
    let last = match over {
        Over::Left | Over::Refused => return,
        Over::Stopping => ProtocolError::new(ErrorCode::ShuttingDown, "")
            .fatal()
            .to_message(),
        Over::Replaced => Message::new("CloseConnectionDuplicateClientName"),
    };
    // A client that is gone needs no farewell.
    let _ = outbox.send(&last).await;
}

impl Connection {
    /// Greets the client, then answers messages until the end.
    async fn converse(&mut self, reader: &mut BufReader<OwnedReadHalf>, number: u64) -> Over {
        let greeting = tokio::time::timeout(GREETING_TIME_MAX, self.greet(reader, number));
        let (_name, mut replaced) = match greeting.await {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(over)) => return over,
            Err(_) => return Over::Left,
        };
        tokio::select! {
            over = self.answer_all(reader) => over,
            Ok(()) = &mut replaced => Over::Replaced,
        }
    }

    async fn greet(
        &mut self,
        reader: &mut BufReader<OwnedReadHalf>,
        number: u64,
    ) -> Result<(NameHeld, oneshot::Receiver<()>), Over> {
        let hello = match read_message(
            reader,
            LineLimits::SERVER,
            Position::First,
            &self.shared.budget,
        )
        .await
        {
            Ok(Some(hello)) => hello.message,
            Ok(None) | Err(ReadError::Connection(_)) => return Err(Over::Left),
            Err(ReadError::Refused(error)) => return self.refuse_greeting(error).await,
        };
        if hello.name() != "ClientHello" {
            let error =
                ProtocolError::new(ErrorCode::ClientHelloMustBeFirst, "").about(hello.identifier());
            return self.refuse_greeting(error).await;
        }
        match hello::client_name(&hello) {
            Ok(name) => {
                let greeted = self.shared.names.take(&name, number);
                self.outbox
                    .send(&hello::node_hello(&self.identifier))
                    .await?;
                Ok(greeted)
            }
            Err(error) => self.refuse_greeting(error).await,
        }
    }

    async fn refuse_greeting<T>(&self, error: ProtocolError) -> Result<T, Over> {
        self.outbox.send(&error.fatal().to_message()).await?;
        Err(Over::Refused)
    }

    async fn answer_all(&mut self, reader: &mut BufReader<OwnedReadHalf>) -> Over {
        loop {
            let incoming = match read_message(
                reader,
                LineLimits::SERVER,
                Position::Later,
                &self.shared.budget,
            )
            .await
            {
                Ok(Some(incoming)) => incoming,
                Ok(None) | Err(ReadError::Connection(_)) => return Over::Left,
                Err(ReadError::Refused(error)) => match self.refuse(&error).await {
                    Ok(()) => continue,
                    Err(over) => return over,
                },
            };
            tracing::trace!(name = incoming.message.name(), "an FCP message");
            let answered = match self.answer(incoming, reader).await {
                Ok(()) => Ok(()),
                Err(Stop::Refused(error)) => self.refuse(&error).await,
                Err(Stop::Over(over)) => Err(over),
            };
            if let Err(over) = answered {
                return over;
            }
        }
    }

    /// Tells the client of an error; a fatal one is the end.
    async fn refuse(&self, error: &ProtocolError) -> Result<(), Over> {
        self.outbox.send(&error.to_message()).await?;
        if error.is_fatal() {
            Err(Over::Refused)
        } else {
            Ok(())
        }
    }

    /// Skips the payload of a message that is not going to be used, so that the next message is found.
    pub(super) async fn skip_payload<R: AsyncRead + Unpin>(
        incoming: &Incoming,
        reader: &mut R,
    ) -> Result<(), Stop> {
        if incoming.terminator == Terminator::Data {
            let length = incoming.announced_payload(PAYLOAD_MAX)?;
            skip(reader, length)
                .await
                .map_err(|_| Stop::Over(Over::Left))?;
        }
        Ok(())
    }

    /// Runs work that waits for the disk with what the connection knows of direct disk access.
    pub(super) async fn with_dda<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut DirectDiskAccess) -> T + Send + 'static,
    ) -> Result<T, Stop> {
        let mut dda = std::mem::take(&mut self.dda);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut dda);
            (dda, result)
        });
        // Fails only when the runtime is being shut down.
        let (dda, result) = done.await.map_err(|_| Stop::Over(Over::Stopping))?;
        self.dda = dda;
        Ok(result)
    }
}

/// Why a message was not carried out.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client is told, and the connection goes on unless the error is fatal.
    Refused(ProtocolError),
    /// The connection is over.
    Over(Over),
}

impl From<ProtocolError> for Stop {
    fn from(error: ProtocolError) -> Self {
        Self::Refused(error)
    }
}

impl From<Gone> for Stop {
    fn from(gone: Gone) -> Self {
        Self::Over(gone.into())
    }
}
