//! Messages over one connection, and its orderly end when another connection takes over.
//!
//! One side retires a connection by a goodbye that says how many message streams it has opened; each side answers when
//! it has received them all. Once both know, nothing of value is under way and the connection closes. A link that ends
//! for good ends one-sidedly: who hangs up says what it has sent, and the other closes when it has received that.

use std::{
    convert::Infallible,
    future::{Future, pending, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use crypto::NodeId;
use quinn::{Connection, ReadError, ReadToEndError, RecvStream, SendStream, VarInt};
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::{
    congestion::close_promptly,
    event::{LinkEvent, LinkShared, Priority},
    frame::{Frame, FrameReader},
    greeting::{GreetError, Greeted, Greeting, Ordered, read_frame},
    padding::{padded_len, padding, unpadded},
};

/// Why we close a connection, as the peer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CloseCode {
    /// The endpoint closes or has forgotten the peer.
    Done = 0,
    /// Another connection has taken over and everything is delivered.
    Retired = 1,
    /// The peer does not keep to the protocol.
    Misbehaved = 2,
}

/// A retired connection on which no message moves for so long is given up.
const RETIREMENT_PAUSE_MAX: Duration = Duration::from_secs(5);

/// A retired connection has this many such spans of time in all: two minutes for what may be 4 MiB each way.
const RETIREMENT_SPANS_MAX: usize = 24;

/// What was said before hanging up has this time to arrive: a guest is told in a few messages why it is declined.
const HANG_UP_TIME_MAX: Duration = Duration::from_secs(5);

/// A message whose stream is not complete after this time is given up. At 10 kB/s a block takes three seconds.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(60);

/// A connection at work.
pub(crate) struct Session {
    pub(crate) dialled: bool,
    pub(crate) terms: Greeting,
    connection: Connection,
    flow: Arc<watch::Sender<Flow>>,
    task: JoinHandle<()>,
}

/// How far the two sides are on the way to the end.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each side may have said each thing independently"
)]
struct Flow {
    /// We send nothing more.
    retiring: bool,
    /// We send what waits, and nothing after it.
    hanging_up: bool,
    /// The peer has hung up.
    hung_up: bool,
    /// Streams we had opened when we stopped.
    sent: Option<u64>,
    /// Streams the peer's goodbye announced.
    announced: Option<u64>,
    /// Streams of the peer that are complete, given up or reset.
    received: u64,
    /// The peer has everything that our goodbye announced.
    peer_has_all: bool,
}

/// Where a session gets and puts its messages.
#[derive(Clone)]
pub(crate) struct Ends {
    pub(crate) peer: NodeId,
    pub(crate) link: Arc<LinkShared>,
    pub(crate) events: mpsc::Sender<LinkEvent>,
    pub(crate) message_bytes_max: usize,
}

#[derive(Debug, Error)]
enum SessionError {
    #[error("connection lost: {0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("stream not writable: {0}")]
    Write(#[from] quinn::WriteError),
    #[error("ordered stream: {0}")]
    Ordered(#[from] GreetError),
    #[error("the peer broke the protocol: {0}")]
    Misbehaved(&'static str),
    #[error("nobody reads the events")]
    Unread,
    #[error("the peer has hung up")]
    HungUp,
}

impl Session {
    pub(crate) fn start(greeted: Greeted, ends: Ends) -> Self {
        let Greeted {
            connection,
            dialled,
            terms,
            record: _,
            ordered,
        } = greeted;
        let flow = Arc::new(watch::Sender::new(Flow::default()));
        let task = tokio::spawn(run(connection.clone(), ordered, ends, Arc::clone(&flow)));
        Self {
            dialled,
            terms,
            connection,
            flow,
            task,
        }
    }

    /// Sends nothing more, and ends when both sides have received everything or time is up.
    pub(crate) fn retire(&self) {
        self.flow.send_modify(|flow| flow.retiring = true);
    }

    /// Sends what waits in the outbox, which must take nothing more, and ends when the peer has received everything or
    /// time is up.
    pub(crate) async fn hang_up(&mut self) {
        self.flow.send_modify(|flow| flow.hanging_up = true);
        // Who does not close in time is closed upon.
        let _ = timeout(HANG_UP_TIME_MAX, self.ended()).await;
    }

    /// Waits for the end of a retired session.
    pub(crate) async fn parting(mut self) {
        for _ in 0..RETIREMENT_SPANS_MAX {
            let before = self.stream_frames();
            if timeout(RETIREMENT_PAUSE_MAX, self.ended()).await.is_ok() {
                return;
            }
            if self.stream_frames() == before {
                break;
            }
        }
        self.stop(CloseCode::Retired).await;
    }

    /// Pieces of messages sent and received so far.
    fn stream_frames(&self) -> (u64, u64) {
        let stats = self.connection.stats();
        (stats.frame_tx.stream, stats.frame_rx.stream)
    }

    /// Waits for the end; no message comes after it. May be dropped and called again.
    pub(crate) async fn ended(&mut self) {
        // A panic in the session ends it like any other error.
        let _ = (&mut self.task).await;
    }

    /// Closes the connection at once and waits for the end.
    pub(crate) async fn stop(mut self, code: CloseCode) {
        close_promptly(&self.connection, code.into());
        if !self.task.is_finished() {
            self.ended().await;
        }
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl From<CloseCode> for VarInt {
    fn from(code: CloseCode) -> Self {
        Self::from_u32(code as u32)
    }
}

impl Flow {
    fn received_all(&self) -> bool {
        self.announced
            .is_some_and(|announced| self.received >= announced)
    }
}

async fn run(connection: Connection, ordered: Ordered, ends: Ends, flow: Arc<watch::Sender<Flow>>) {
    let Ordered {
        send,
        receive,
        frames,
    } = ordered;
    let end: Result<(), SessionError> = tokio::select! {
        // Heard even while the messages wait for a slow reader.
        reason = connection.closed() => Err(reason.into()),
        end = write_ordered(send, &ends, &flow) => end,
        end = write_blocks(&connection, &ends, &flow) => end.map(|never| match never {}),
        end = read_ordered(receive, frames, &ends, &flow) => end.map(|never| match never {}),
        end = read_blocks(&connection, &ends, &flow) => end.map(|never| match never {}),
        () = hung_up(&flow) => Err(SessionError::HungUp),
    };
    let code = match &end {
        Ok(()) => CloseCode::Retired,
        Err(SessionError::Misbehaved(_) | SessionError::Ordered(GreetError::Frame(_))) => {
            CloseCode::Misbehaved
        }
        Err(_) => CloseCode::Done,
    };
    if let Err(reason) = end {
        tracing::debug!(peer = %ends.peer, %reason, "connection ended");
    }
    close_promptly(&connection, code.into());
}

/// Ends when both sides have said goodbye and received everything.
async fn write_ordered(
    mut stream: SendStream,
    ends: &Ends,
    flow: &watch::Sender<Flow>,
) -> Result<(), SessionError> {
    let (mut state, mut ending) = (flow.subscribe(), flow.subscribe());
    let hanging_up = loop {
        tokio::select! {
            biased;
            () = reached(&mut state, |flow| flow.retiring) => break false,
            frames = ends.link.outbox.next_ordered() => stream.write_chunk(frames).await?,
            () = reached(&mut ending, |flow| flow.hanging_up) => break true,
        }
    };
    reached(&mut state, |flow| flow.sent.is_some()).await;
    let streams = state.borrow().sent.unwrap_or_default();
    if hanging_up {
        let last = Frame::HangUp { streams }.encode();
        stream.write_chunk(last).await?;
        return pending().await;
    }
    stream
        .write_chunk(Frame::Goodbye { streams }.encode())
        .await?;
    reached(&mut state, Flow::received_all).await;
    stream.write_chunk(Frame::ReceivedAll.encode()).await?;
    reached(&mut state, |flow| flow.peer_has_all).await;
    Ok(())
}

async fn write_blocks(
    connection: &Connection,
    ends: &Ends,
    flow: &watch::Sender<Flow>,
) -> Result<Infallible, SessionError> {
    let (mut state, mut ending) = (flow.subscribe(), flow.subscribe());
    let mut streams = 0;
    loop {
        tokio::select! {
            biased;
            () = reached(&mut state, |flow| flow.retiring) => break,
            (block, priority) = ends.link.outbox.next_block() => {
                write_block(connection, block, priority).await?;
                streams += 1;
            }
            () = reached(&mut ending, |flow| flow.hanging_up) => break,
        }
    }
    flow.send_modify(|flow| flow.sent = Some(streams));
    pending().await
}

async fn write_block(
    connection: &Connection,
    block: Bytes,
    priority: Priority,
) -> Result<(), SessionError> {
    let mut stream = connection.open_uni().await?;
    // These two fail only on a stream that we have finished or reset, and a stop by the peer is its own loss.
    let _ = stream.set_priority(i32::from(priority == Priority::RealTime));
    let padding = padding(block.len());
    match stream.write_all_chunks(&mut [block, padding]).await {
        Ok(()) | Err(quinn::WriteError::Stopped(_)) => {}
        Err(e) => return Err(e.into()),
    }
    let _ = stream.finish();
    Ok(())
}

async fn read_ordered(
    mut stream: RecvStream,
    mut frames: FrameReader,
    ends: &Ends,
    flow: &watch::Sender<Flow>,
) -> Result<Infallible, SessionError> {
    while let Some(frame) = read_frame(&mut stream, &mut frames).await? {
        match frame {
            Frame::Message(bytes) => ends.deliver(bytes).await?,
            Frame::Goodbye { streams } => flow.send_modify(|flow| flow.announced = Some(streams)),
            Frame::ReceivedAll => flow.send_modify(|flow| flow.peer_has_all = true),
            Frame::HangUp { streams } => flow.send_modify(|flow| {
                flow.announced = Some(streams);
                flow.hung_up = true;
            }),
            Frame::Greeting(_) => return Err(SessionError::Misbehaved("it greeted twice")),
        }
    }
    Err(SessionError::Misbehaved("it ended the ordered stream"))
}

/// Reads every message stream as its bytes come, so that a slow one holds up no other.
async fn read_blocks(
    connection: &Connection,
    ends: &Ends,
    flow: &watch::Sender<Flow>,
) -> Result<Infallible, SessionError> {
    // Bounded by the number of streams that the peer may have open.
    let mut slow = JoinSet::new();
    loop {
        tokio::select! {
            stream = connection.accept_uni() => {
                let mut reading = Box::pin(read_block(stream?, ends.message_bytes_max));
                match poll_once(reading.as_mut()).await {
                    Poll::Ready(block) => took(block?, ends, flow).await?,
                    Poll::Pending => {
                        slow.spawn(timeout(MESSAGE_TIME_MAX, reading));
                    }
                }
            }
            Some(block) = slow.join_next() => {
                let in_time = block.unwrap_or(Ok(Ok(None)));
                took(in_time.unwrap_or(Ok(None))?, ends, flow).await?;
            }
        }
    }
}

async fn took(
    block: Option<Bytes>,
    ends: &Ends,
    flow: &watch::Sender<Flow>,
) -> Result<(), SessionError> {
    if let Some(bytes) = block {
        ends.deliver(bytes).await?;
    }
    flow.send_if_modified(|flow| {
        flow.received += 1;
        flow.announced.is_some()
    });
    Ok(())
}

/// A whole message, or none when the peer gave it up.
async fn read_block(
    mut stream: RecvStream,
    bytes_max: usize,
) -> Result<Option<Bytes>, SessionError> {
    match stream.read_to_end(padded_len(bytes_max)).await {
        Ok(bytes) => unpadded(&bytes.into(), bytes_max)
            .map(Some)
            .ok_or(SessionError::Misbehaved(
                "a message is not padded as it must be",
            )),
        Err(ReadToEndError::TooLong) => Err(SessionError::Misbehaved("a message is too long")),
        Err(ReadToEndError::Read(ReadError::ConnectionLost(e))) => Err(e.into()),
        Err(ReadToEndError::Read(_)) => Ok(None),
    }
}

impl Ends {
    async fn deliver(&self, bytes: Bytes) -> Result<(), SessionError> {
        let event = LinkEvent::Message {
            peer: self.peer,
            bytes,
        };
        self.events
            .send(event)
            .await
            .map_err(|_| SessionError::Unread)
    }
}

/// Ends when the peer has hung up and everything it sent before has been delivered.
async fn hung_up(flow: &watch::Sender<Flow>) {
    let mut state = flow.subscribe();
    reached(&mut state, |flow| flow.hung_up && flow.received_all()).await;
}

async fn reached(state: &mut watch::Receiver<Flow>, condition: impl FnMut(&Flow) -> bool) {
    // The sender lives as long as the session, so this fails only when nobody waits any more.
    let _ = state.wait_for(condition).await;
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
