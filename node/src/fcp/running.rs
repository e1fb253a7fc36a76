//! A request from its start to its last message: the identifier, the events on the way, and how it ends.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::client::{Event, EventStream, Progress};

use super::connection::{Connection, Stop};
use super::dispatch::{RequestFields, Verbosity};
use super::failure::{GetFailure, PutFailure};
use super::message::Message;
use super::outbox::{Gone, Outbox};
use super::protocol_error::ProtocolError;
use super::requests::{Claim, ClaimError, RequestKind};
use super::spool::Spooled;

/// Shortest time between two `SimpleProgress` of one request. pyFreenet takes a tenth of a second for every
/// message of any kind.
const PROGRESS_PAUSE: Duration = Duration::from_millis(500);

/// The last messages of a request.
#[derive(Debug)]
pub(super) struct Ended {
    messages: Vec<Message>,
    /// A message with a payload, after the others.
    with_payload: Option<(Message, Spooled)>,
}

impl Ended {
    /// Ends with one message.
    pub(super) fn with(message: Message) -> Self {
        Self {
            messages: vec![message],
            with_payload: None,
        }
    }

    /// Then a message with a payload.
    pub(super) fn and_payload(self, message: Message, payload: Spooled) -> Self {
        Self {
            with_payload: Some((message, payload)),
            ..self
        }
    }

    async fn send(self, outbox: &Outbox) -> Result<(), Gone> {
        for message in &self.messages {
            outbox.send(message).await?;
        }
        match self.with_payload {
            Some((message, payload)) => outbox.send_with_payload(&message, payload).await,
            None => Ok(()),
        }
    }
}

impl From<ProtocolError> for Ended {
    fn from(error: ProtocolError) -> Self {
        Self::with(error.to_message())
    }
}

impl Connection {
    /// Starts a request in the background. Nothing of `work` happens unless its identifier is free and the
    /// node has room for it.
    pub(super) async fn launch(
        &self,
        fields: &RequestFields,
        kind: RequestKind,
        work: impl Future<Output = Ended> + Send + 'static,
    ) -> Result<(), Stop> {
        let claim = match self.requests.claim(&fields.identifier, kind) {
            Ok(claim) => claim,
            Err(ClaimError::Collision) => {
                let collision = Message::new("IdentifierCollision");
                return Ok(self
                    .outbox
                    .send(
                        &collision
                            .with("Identifier", &fields.identifier)
                            .with("Global", false),
                    )
                    .await?);
            }
            Err(ClaimError::TooMany) => return self.overloaded(fields, kind).await,
        };
        let shared = std::sync::Arc::clone(&self.shared);
        let Ok(permit) = std::sync::Arc::clone(&shared.requests).try_acquire_owned() else {
            drop(claim);
            return self.overloaded(fields, kind).await;
        };
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let work = async {
                let _running = shared
                    .running
                    .acquire()
                    .await
                    .expect("this semaphore is never closed");
                work.await
            };
            // Fails when the client is gone: nobody is left to be told.
            let _ = run(claim, work, &outbox).await;
            drop(permit);
        });
        Ok(())
    }

    async fn overloaded(&self, fields: &RequestFields, kind: RequestKind) -> Result<(), Stop> {
        let why = Some("too many requests are waiting at this node");
        let failed = match kind {
            RequestKind::Get => GetFailure::Overload.to_message(&fields.identifier, why),
            RequestKind::Put => PutFailure::Overload.to_message(&fields.identifier, why),
        };
        Ok(self.outbox.send(&failed).await?)
    }
}

async fn run(
    mut claim: Claim,
    work: impl Future<Output = Ended>,
    outbox: &Outbox,
) -> Result<(), Gone> {
    let ended = tokio::select! {
        ended = work => ended,
        () = claim.cancelled() => return Ok(()),
    };
    // First the identifier is free, then the client reads that it is.
    if claim.release() {
        ended.send(outbox).await
    } else {
        Ok(())
    }
}

/// Tells the client the events of a request until the request has told all.
pub(super) async fn forward(
    mut events: EventStream,
    fields: &RequestFields,
    outbox: &Outbox,
) -> Result<(), Gone> {
    let mut next_progress = Instant::now();
    let mut held_back: Option<Progress> = None;
    loop {
        let event = match held_back {
            None => events.next().await,
            Some(progress) => match tokio::time::timeout_at(next_progress, events.next()).await {
                Ok(event) => event,
                Err(_) => {
                    held_back = None;
                    next_progress = Instant::now() + PROGRESS_PAUSE;
                    outbox.send_if_room(&simple_progress(progress, fields));
                    continue;
                }
            },
        };
        match event {
            None => break,
            Some(Event::Progress(progress))
                if fields.verbosity.wants(Verbosity::SIMPLE_PROGRESS) =>
            {
                held_back = Some(progress);
            }
            // In a box: the task of a request holds this loop, and is large.
            Some(event) => Box::pin(tell(event, fields, outbox)).await?,
        }
    }
    if let Some(progress) = held_back {
        outbox.send_if_room(&simple_progress(progress, fields));
    }
    Ok(())
}

/// Tells one event.
async fn tell(event: Event, fields: &RequestFields, outbox: &Outbox) -> Result<(), Gone> {
    // The size is known as soon as anything is, and told once.
    if matches!(event, Event::ExpectedSize(_))
        && fields.verbosity.wants(Verbosity::COMPATIBILITY_MODE)
    {
        outbox.send(&compatibility_mode(fields)).await?;
    }
    match event_message(event, fields) {
        Some(message) => outbox.send(&message).await,
        None => Ok(()),
    }
}

fn simple_progress(progress: Progress, fields: &RequestFields) -> Message {
    named("SimpleProgress", fields)
        .with("Total", progress.total)
        .with("Required", progress.required)
        .with("Succeeded", progress.succeeded)
        .with("Failed", progress.failed)
        .with("FatallyFailed", progress.fatally_failed)
        .with("FinalizedTotal", progress.finalized)
        .with("MinSuccessFetchBlocks", progress.required)
        .with("LastProgress", milliseconds_now())
}

/// What `CompatibilityMode` tells in Hyphanet is how a document was stored, for whoever wants to insert it again and get the
/// same key. Warren has one way to store, which is none of Hyphanet's: the first of their names stands for that.
fn compatibility_mode(fields: &RequestFields) -> Message {
    let mode = "COMPAT_UNKNOWN";
    named("CompatibilityMode", fields)
        .with("Min", mode)
        .with("Max", mode)
        .with("Min.Number", 0)
        .with("Max.Number", 0)
        .with("DontCompress", false)
        .with("Definitive", true)
}

/// The message that tells an event, unless the client does not want to hear of it. Progress is told elsewhere.
fn event_message(event: Event, fields: &RequestFields) -> Option<Message> {
    let (bit, message) = match event {
        Event::Progress(_) => return None,
        Event::UriGenerated(uri) => return Some(named("URIGenerated", fields).with("URI", uri)),
        Event::SendingToNetwork => (
            Verbosity::SENDING_TO_NETWORK,
            named("SendingToNetwork", fields),
        ),
        Event::ExpectedMime(content_type) => (
            Verbosity::EXPECTED_MIME,
            named("ExpectedMIME", fields).with("Metadata.ContentType", content_type),
        ),
        Event::ExpectedSize(bytes) => (
            Verbosity::EXPECTED_DATA_LENGTH,
            named("ExpectedDataLength", fields).with("DataLength", bytes),
        ),
        Event::ExpectedHashes(hashes) => {
            let hex = |hash: &[u8; 32]| data_encoding::HEXLOWER.encode(hash);
            let message =
                named("ExpectedHashes", fields).with("Hashes.SHA256", hex(&hashes.sha256));
            (
                Verbosity::EXPECTED_HASHES,
                message.with("Hashes.BLAKE3", hex(&hashes.blake3)),
            )
        }
        Event::StartedCompression => (
            Verbosity::COMPRESSION,
            named("StartedCompression", fields).with("Codec", CODEC_NAME),
        ),
        Event::FinishedCompression {
            original,
            compressed,
        } => {
            let message = named("FinishedCompression", fields)
                .with("Codec", CODEC_NUMBER)
                .with("Codec.Name", CODEC_NAME);
            (
                Verbosity::COMPRESSION,
                message
                    .with("OriginalSize", original)
                    .with("CompressedSize", compressed),
            )
        }
        Event::PutFetchable(uri) => (
            Verbosity::PUT_FETCHABLE,
            named("PutFetchable", fields).with("URI", uri),
        ),
    };
    fields.verbosity.wants(bit).then_some(message)
}

/// The name of the compression, as in the events that tell of it.
const CODEC_NAME: &str = "ZSTD";
/// Its number in Warren's keys.
const CODEC_NUMBER: u32 = 16;

/// A message about a request.
pub(super) fn named(name: &str, fields: &RequestFields) -> Message {
    Message::new(name)
        .with("Identifier", &fields.identifier)
        .with("Global", false)
}

/// Milliseconds since 1970, as clients want times.
pub(super) fn milliseconds_now() -> u128 {
    // A clock before 1970 is nothing to fail a request for.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}
