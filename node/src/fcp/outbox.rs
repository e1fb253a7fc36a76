//! What waits to be written to one client.
//!
//! Every message goes through one queue of bounded length, so that they never mix and a client that does not
//! read makes those wait who have something to tell it, instead of filling the node's memory.

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::limits::OUTBOX_MESSAGES_MAX;
use super::message::{Message, Terminator};
use super::spool::Spooled;

/// The sending end of a connection's queue.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    queue: mpsc::Sender<Outgoing>,
}

/// The connection has ended: nobody is there to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

#[derive(Debug)]
struct Outgoing {
    head: Vec<u8>,
    payload: Option<Spooled>,
}

impl Outbox {
    /// A queue and the work that empties it into `connection`; it ends when the last `Outbox` is dropped or
    /// the client is gone.
    pub(super) fn new<W: AsyncWrite + Unpin + Send + 'static>(
        connection: W,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::channel(OUTBOX_MESSAGES_MAX);
        (Self { queue }, write_all(waiting, connection))
    }

    /// Queues a message, waiting while the queue is full.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Gone> {
        self.queue
            .send(Outgoing {
                head: message.encode(Terminator::End),
                payload: None,
            })
            .await
            .map_err(|_| Gone)
    }

    /// Queues a message with a payload, whose length its `DataLength` says, waiting while the queue is full.
    pub(super) async fn send_with_payload(
        &self,
        message: &Message,
        payload: Spooled,
    ) -> Result<(), Gone> {
        let message = message.clone().with("DataLength", payload.len());
        let outgoing = Outgoing {
            head: message.encode(Terminator::Data),
            payload: Some(payload),
        };
        self.queue.send(outgoing).await.map_err(|_| Gone)
    }

    /// Queues a message that may be left out: it is, when the client is slow to read.
    pub(super) fn send_if_room(&self, message: &Message) {
        // At half the queue, so that news of progress never makes a result wait.
        if self.queue.capacity() > OUTBOX_MESSAGES_MAX / 2 {
            // Full or closed by now: left out as well.
            drop(self.queue.try_send(Outgoing {
                head: message.encode(Terminator::End),
                payload: None,
            }));
        }
    }
}

async fn write_all<W: AsyncWrite + Unpin>(
    mut waiting: mpsc::Receiver<Outgoing>,
    mut connection: W,
) {
    while let Some(outgoing) = waiting.recv().await {
        let written = write_one(outgoing, &mut connection).await;
        if let Err(error) = written {
            // A payload that broke off leaves the client waiting for the rest: the connection has to end.
            tracing::debug!(%error, "writing to an FCP client failed");
            return;
        }
    }
    if let Err(error) = connection.shutdown().await {
        tracing::trace!(%error, "the FCP client closed first");
    }
}

async fn write_one<W: AsyncWrite + Unpin>(
    outgoing: Outgoing,
    connection: &mut W,
) -> std::io::Result<()> {
    connection.write_all(&outgoing.head).await?;
    if let Some(payload) = outgoing.payload {
        payload.copy_to(connection).await?;
    }
    connection.flush().await
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_makes_the_sender_wait_and_loses_only_progress() {
        let (mut client, server) = tokio::io::duplex(16);
        let (outbox, writer) = Outbox::new(server);
        let writer = tokio::spawn(writer);
        let message = Message::new("URIGenerated").with("URI", "x".repeat(100));
        let mut sent = 0;
        while tokio::time::timeout(std::time::Duration::from_millis(50), outbox.send(&message))
            .await
            .is_ok()
        {
            sent += 1;
            assert!(sent <= OUTBOX_MESSAGES_MAX + 1, "the queue is bounded");
        }
        outbox.send_if_room(&Message::new("SimpleProgress"));
        drop(outbox);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("URIGenerated").count(), sent);
        assert_eq!(text.matches("SimpleProgress").count(), 0);
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn sending_to_a_client_that_is_gone_says_so() {
        let (client, server) = tokio::io::duplex(16);
        let (outbox, writer) = Outbox::new(server);
        drop(client);
        drop(writer);
        assert_eq!(outbox.send(&Message::new("Void")).await, Err(Gone));
    }
}
