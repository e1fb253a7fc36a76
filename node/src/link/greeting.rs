//! The first frame of both sides, which says who replaces what.

use std::time::Duration;

use bytes::Bytes;
use quinn::{Connection, RecvStream, SendStream};
use rand::RngExt;
use thiserror::Error;
use tokio::time::timeout;

use super::frame::{Frame, FrameError, FrameReader};

/// A run of an endpoint: drawn at its start, so that a restarted peer is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instance([u8; 16]);

/// A connection, named by its dialler. Zero names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkName(u64);

impl Instance {
    pub(crate) fn random() -> Self {
        Self(rand::rng().random())
    }
}

impl LinkName {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn random() -> Self {
        Self(rand::rng().random_range(1..=u64::MAX))
    }
}

/// What a side says about itself. Of the last three fields only the dialler's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) instance: Instance,
    /// The name of this connection.
    pub(crate) name: LinkName,
    /// The connection that this one takes the place of.
    pub(crate) replaces: LinkName,
    /// The dialler still has that connection: no message of importance was lost, the link just moves.
    pub(crate) seamless: bool,
}

const SEAMLESS: u8 = 1;
const GREETING_LEN: usize = 16 + 8 + 8 + 1;

impl Greeting {
    pub(crate) fn encode(&self) -> Bytes {
        let mut body = Vec::with_capacity(GREETING_LEN);
        body.extend_from_slice(&self.instance.0);
        body.extend_from_slice(&self.name.0.to_be_bytes());
        body.extend_from_slice(&self.replaces.0.to_be_bytes());
        body.push(if self.seamless { SEAMLESS } else { 0 });
        body.into()
    }

    /// Later versions may say more after what this one knows.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let (instance, rest) = body.split_first_chunk::<16>()?;
        let (name, rest) = rest.split_first_chunk::<8>()?;
        let (replaces, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            instance: Instance(*instance),
            name: LinkName(u64::from_be_bytes(*name)),
            replaces: LinkName(u64::from_be_bytes(*replaces)),
            seamless: rest.first()? & SEAMLESS != 0,
        })
    }
}

/// A connection on which both sides have said who they are.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) connection: Connection,
    /// We dialled.
    pub(crate) dialled: bool,
    /// The dialler's greeting, with the instance of the peer.
    pub(crate) terms: Greeting,
    pub(crate) ordered: Ordered,
}

/// The ordered stream in both directions.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) send: SendStream,
    pub(crate) receive: RecvStream,
    pub(crate) frames: FrameReader,
}

/// Why a connection got no further than its first frame.
#[derive(Debug, Error)]
pub(crate) enum GreetError {
    #[error("connection lost: {0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("stream not writable: {0}")]
    Write(#[from] quinn::WriteError),
    #[error("stream not readable: {0}")]
    Read(#[from] quinn::ReadError),
    #[error("malformed frame: {0}")]
    Frame(#[from] FrameError),
    #[error("the first frame is no greeting")]
    NoGreeting,
    #[error("no greeting in time")]
    TimedOut,
}

/// Exchanges greetings.
pub(crate) async fn greet(
    connection: Connection,
    dialled: bool,
    ours: Greeting,
    message_bytes_max: usize,
    within: Duration,
) -> Result<Greeted, GreetError> {
    let exchange = async {
        let mut send = connection.open_uni().await?;
        send.set_priority(ORDERED_STREAM_PRIORITY)
            .map_err(|_| GreetError::NoGreeting)?;
        send.write_chunk(Frame::Greeting(ours.encode()).encode())
            .await?;
        // quinn hands streams over in the order of their numbers, so this is the first the peer opened.
        let mut receive = connection.accept_uni().await?;
        let mut frames = FrameReader::new(message_bytes_max);
        let Some(Frame::Greeting(body)) = read_frame(&mut receive, &mut frames).await? else {
            return Err(GreetError::NoGreeting);
        };
        let theirs = Greeting::decode(&body).ok_or(GreetError::NoGreeting)?;
        Ok((
            theirs,
            Ordered {
                send,
                receive,
                frames,
            },
        ))
    };
    let (theirs, ordered) = timeout(within, exchange)
        .await
        .map_err(|_| GreetError::TimedOut)??;
    let terms = if dialled {
        Greeting {
            instance: theirs.instance,
            ..ours
        }
    } else {
        theirs
    };
    Ok(Greeted {
        connection,
        dialled,
        terms,
        ordered,
    })
}

/// Before every stream of blocks.
pub(crate) const ORDERED_STREAM_PRIORITY: i32 = 2;

/// The next frame of the ordered stream, `None` at its end.
pub(crate) async fn read_frame(
    receive: &mut RecvStream,
    frames: &mut FrameReader,
) -> Result<Option<Frame>, GreetError> {
    loop {
        if let Some(frame) = frames.next()? {
            return Ok(Some(frame));
        }
        match receive.read_chunk(CHUNK_BYTES_MAX, true).await? {
            Some(chunk) => frames.push(&chunk.bytes),
            None => return Ok(None),
        }
    }
}

/// Taken from the ordered stream at once at most.
const CHUNK_BYTES_MAX: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_greeting_survives_its_encoding_and_additions(seamless: bool, name: u64, replaces: u64, instance: [u8; 16], more in prop::collection::vec(any::<u8>(), 0..9)) {
            let greeting = Greeting { instance: Instance(instance), name: LinkName(name), replaces: LinkName(replaces), seamless };
            let bytes = [&greeting.encode()[..], &more[..]].concat();
            prop_assert_eq!(Greeting::decode(&bytes), Some(greeting));
        }

        #[test]
        fn a_short_greeting_is_none(bytes in prop::collection::vec(any::<u8>(), 0..GREETING_LEN)) {
            prop_assert_eq!(Greeting::decode(&bytes), None);
        }
    }
}
