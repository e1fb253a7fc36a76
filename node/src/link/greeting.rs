//! The first frame of both sides, which says who replaces what, and how strangers can be reached.

use bytes::Bytes;
use quinn::{Connection, RecvStream, SendStream};
use rand::RngExt;
use routing::RECORD_LEN_MAX;
use thiserror::Error;
use tokio::time::timeout;

use super::{
    config::LinkConfig,
    frame::{Frame, FrameError, FrameReader},
};

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

/// What a side says about itself. Of name, replacement, seamlessness and strangeness only the dialler's word counts, of
/// crossing only the acceptor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "three independent flags, as on the wire"
)]
pub(crate) struct Greeting {
    pub(crate) instance: Instance,
    /// The name of this connection.
    pub(crate) name: LinkName,
    /// The connection that this one takes the place of.
    pub(crate) replaces: LinkName,
    /// The dialler still has that connection: no message of importance was lost, the link just moves.
    pub(crate) seamless: bool,
    /// The dialler is a node of the opennet that the acceptor need not know.
    pub(crate) stranger: bool,
    /// The acceptor is dialling the dialler in this moment, as a stranger too.
    pub(crate) crossing: bool,
}

const SEAMLESS: u8 = 1;
const STRANGER: u8 = 2;
const CROSSING: u8 = 4;
const GREETING_LEN: usize = 16 + 8 + 8 + 1;

impl Greeting {
    /// What an acceptor says that has nothing to tell but which run it is.
    pub(crate) const fn of(instance: Instance) -> Self {
        Self {
            instance,
            name: LinkName::NONE,
            replaces: LinkName::NONE,
            seamless: false,
            stranger: false,
            crossing: false,
        }
    }

    /// With the sender's record, empty between those who know each other.
    pub(crate) fn encode(&self, record: &[u8]) -> Bytes {
        let mut body = Vec::with_capacity(GREETING_LEN + 2 + record.len());
        body.extend_from_slice(&self.instance.0);
        body.extend_from_slice(&self.name.0.to_be_bytes());
        body.extend_from_slice(&self.replaces.0.to_be_bytes());
        let flags = [
            (self.seamless, SEAMLESS),
            (self.stranger, STRANGER),
            (self.crossing, CROSSING),
        ];
        body.push(flags.iter().map(|(set, flag)| u8::from(*set) * flag).sum());
        let len = u16::try_from(record.len()).expect("a record has at most RECORD_LEN_MAX bytes");
        body.extend_from_slice(&len.to_be_bytes());
        body.extend_from_slice(record);
        body.into()
    }

    /// The greeting and its record, which nobody has looked into yet. Later versions may say more after what this one
    /// knows.
    pub(crate) fn decode(body: &[u8]) -> Option<(Self, Bytes)> {
        let (instance, rest) = body.split_first_chunk::<16>()?;
        let (name, rest) = rest.split_first_chunk::<8>()?;
        let (replaces, rest) = rest.split_first_chunk::<8>()?;
        let (flags, rest) = rest.split_first()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let record = rest.get(..len).filter(|_| len <= RECORD_LEN_MAX)?;
        let greeting = Self {
            instance: Instance(*instance),
            name: LinkName(u64::from_be_bytes(*name)),
            replaces: LinkName(u64::from_be_bytes(*replaces)),
            seamless: flags & SEAMLESS != 0,
            stranger: flags & STRANGER != 0,
            crossing: flags & CROSSING != 0,
        };
        Some((greeting, Bytes::copy_from_slice(record)))
    }
}

/// A connection on which both sides have said who they are.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) connection: Connection,
    /// We dialled.
    pub(crate) dialled: bool,
    /// What counts of both greetings, with the instance of the peer.
    pub(crate) terms: Greeting,
    /// How the peer can be reached, as it says itself; unchecked, and empty if it says nothing.
    pub(crate) record: Bytes,
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
    (ours, our_record): (Greeting, Bytes),
    config: &LinkConfig,
) -> Result<Greeted, GreetError> {
    let exchange = async {
        let mut send = connection.open_uni().await?;
        send.set_priority(ORDERED_STREAM_PRIORITY)
            .map_err(|_| GreetError::NoGreeting)?;
        send.write_chunk(Frame::Greeting(ours.encode(&our_record)).encode())
            .await?;
        // quinn hands streams over in the order of their numbers, so this is the first the peer opened.
        let mut receive = connection.accept_uni().await?;
        let mut frames = FrameReader::new(config.message_bytes_max);
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
    let ((theirs, record), ordered) = timeout(config.handshake_timeout, exchange)
        .await
        .map_err(|_| GreetError::TimedOut)??;
    let terms = if dialled {
        Greeting {
            instance: theirs.instance,
            crossing: theirs.crossing,
            ..ours
        }
    } else {
        Greeting {
            crossing: ours.crossing,
            ..theirs
        }
    };
    Ok(Greeted {
        connection,
        dialled,
        terms,
        record,
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
        fn a_greeting_survives_its_encoding_and_additions(
            flags: [bool; 3],
            name: u64,
            replaces: u64,
            instance: [u8; 16],
            record in prop::collection::vec(any::<u8>(), 0..=RECORD_LEN_MAX),
            more in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let [seamless, stranger, crossing] = flags;
            let greeting = Greeting {
                instance: Instance(instance),
                name: LinkName(name),
                replaces: LinkName(replaces),
                seamless,
                stranger,
                crossing,
            };
            let bytes = [&greeting.encode(&record)[..], &more[..]].concat();
            prop_assert_eq!(Greeting::decode(&bytes), Some((greeting, record.into())));
        }

        #[test]
        fn a_short_greeting_is_none(bytes in prop::collection::vec(any::<u8>(), 0..GREETING_LEN + 2)) {
            prop_assert_eq!(Greeting::decode(&bytes), None);
        }

        #[test]
        fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
            let record = Greeting::decode(&bytes).map(|(_, record)| record.len());
            prop_assert!(record.is_none_or(|len| len <= RECORD_LEN_MAX));
        }
    }
    #[test]
    fn a_record_that_is_too_long_or_cut_off_is_refused() {
        let greeting = Greeting::of(Instance::random());
        let mut long = greeting.encode(&[]).to_vec();
        let too_much = u16::try_from(RECORD_LEN_MAX + 1).unwrap();
        long[GREETING_LEN..].copy_from_slice(&too_much.to_be_bytes());
        long.resize(GREETING_LEN + 2 + RECORD_LEN_MAX + 1, 0);
        assert_eq!(Greeting::decode(&long), None);
        let whole = greeting.encode(&[7; 40]);
        assert!(Greeting::decode(&whole).is_some());
        assert_eq!(Greeting::decode(&whole[..whole.len() - 1]), None);
    }
}
