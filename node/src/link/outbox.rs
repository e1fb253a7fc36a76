//! What waits to be sent on one link: bounded in bytes, ordered by priority.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use super::{
    event::{Priority, SendError},
    frame,
};

/// Messages up to this length go over the shared ordered stream whatever their priority: about one packet, for which
/// a stream of its own would cost more than it gives.
pub(crate) const SMALL_BYTES_MAX: usize = 1_200;

/// What the ordered stream may hold beyond the budget, so that a link full of blocks still takes an answer.
const ORDERED_RESERVE: usize = 1 << 20;

/// What each waiting message counts on top of its length: its place in the queue.
const MESSAGE_COST: usize = 64;

/// Bytes of frames written to the ordered stream in one go.
const BATCH_BYTES: usize = 32 << 10;

/// The messages of one link that no connection has taken yet.
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    bytes_max: usize,
    message_bytes_max: usize,
    ordered_added: Notify,
    block_added: Notify,
}

#[derive(Default)]
struct Waiting {
    ordered: VecDeque<Bytes>,
    real_time: VecDeque<Bytes>,
    bulk: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

impl Outbox {
    pub(crate) fn new(bytes_max: usize, message_bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            bytes_max,
            message_bytes_max,
            ordered_added: Notify::new(),
            block_added: Notify::new(),
        }
    }

    pub(crate) fn push(&self, bytes: Bytes, priority: Priority) -> Result<(), SendError> {
        if bytes.len() > self.message_bytes_max {
            return Err(SendError::TooLong {
                bytes: bytes.len(),
                max: self.message_bytes_max,
            });
        }
        let ordered = priority == Priority::Control || bytes.len() <= SMALL_BYTES_MAX;
        let room = self.bytes_max + if ordered { ORDERED_RESERVE } else { 0 };
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(SendError::Closed);
        }
        let cost = bytes.len() + MESSAGE_COST;
        if waiting.bytes + cost > room {
            return Err(SendError::Full);
        }
        waiting.bytes += cost;
        match (ordered, priority) {
            (true, _) => waiting.ordered.push_back(bytes),
            (false, Priority::Bulk) => waiting.bulk.push_back(bytes),
            (false, Priority::RealTime | Priority::Control) => waiting.real_time.push_back(bytes),
        }
        drop(waiting);
        if ordered {
            &self.ordered_added
        } else {
            &self.block_added
        }
        .notify_one();
        Ok(())
    }

    /// Refuses everything from now on and keeps what waits.
    pub(crate) fn refuse(&self) {
        self.lock().closed = true;
    }

    /// Refuses everything from now on and forgets what waits.
    pub(crate) fn close(&self) {
        *self.lock() = Waiting {
            closed: true,
            ..Waiting::default()
        };
    }

    /// Some frames for the ordered stream, as soon as there are any.
    pub(crate) async fn next_ordered(&self) -> Bytes {
        loop {
            if let Some(frames) = self.take_ordered() {
                return frames;
            }
            self.ordered_added.notified().await;
        }
    }

    /// The most urgent block, as soon as there is one.
    pub(crate) async fn next_block(&self) -> (Bytes, Priority) {
        loop {
            if let Some(block) = self.take_block() {
                return block;
            }
            self.block_added.notified().await;
        }
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    fn take_ordered(&self) -> Option<Bytes> {
        let mut waiting = self.lock();
        let mut frames = BytesMut::new();
        while frames.len() < BATCH_BYTES
            && let Some(message) = waiting.ordered.pop_front()
        {
            waiting.bytes -= message.len() + MESSAGE_COST;
            frame::put_message(&message, &mut frames);
        }
        (!frames.is_empty()).then(|| frames.freeze())
    }

    fn take_block(&self) -> Option<(Bytes, Priority)> {
        let mut waiting = self.lock();
        let block = match waiting.real_time.pop_front() {
            Some(block) => (block, Priority::RealTime),
            None => (waiting.bulk.pop_front()?, Priority::Bulk),
        };
        waiting.bytes -= block.0.len() + MESSAGE_COST;
        Some(block)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder of the lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 2_000;

    fn block(byte: u8) -> Bytes {
        vec![byte; BLOCK].into()
    }

    #[tokio::test]
    async fn real_time_blocks_overtake_bulk_ones() {
        let outbox = Outbox::new(100_000, 64_000);
        outbox.push(block(1), Priority::Bulk).unwrap();
        outbox.push(block(2), Priority::RealTime).unwrap();
        assert_eq!(outbox.next_block().await, (block(2), Priority::RealTime));
        assert_eq!(outbox.next_block().await, (block(1), Priority::Bulk));
        assert_eq!(outbox.waiting_bytes(), 0);
    }

    #[test]
    fn a_full_outbox_refuses_blocks_but_still_takes_an_answer() {
        let outbox = Outbox::new(10 * BLOCK, 64_000);
        while outbox.push(block(1), Priority::Bulk).is_ok() {}
        assert_eq!(
            outbox.push(block(1), Priority::RealTime),
            Err(SendError::Full)
        );
        assert_eq!(
            outbox.push(Bytes::from_static(b"done"), Priority::Control),
            Ok(())
        );
        assert!(outbox.waiting_bytes() <= 10 * BLOCK + 4 + MESSAGE_COST);
    }

    #[test]
    fn empty_messages_cannot_fill_memory() {
        let outbox = Outbox::new(0, 64_000);
        let taken = (0..)
            .take_while(|_| outbox.push(Bytes::new(), Priority::Control).is_ok())
            .count();
        assert_eq!(taken, ORDERED_RESERVE / MESSAGE_COST);
    }

    #[test]
    fn a_message_over_the_limit_and_a_closed_outbox_are_told() {
        let outbox = Outbox::new(100_000, 1_000);
        let too_long = SendError::TooLong {
            bytes: BLOCK,
            max: 1_000,
        };
        assert_eq!(outbox.push(block(1), Priority::Bulk), Err(too_long));
        outbox.close();
        assert_eq!(
            outbox.push(Bytes::new(), Priority::Bulk),
            Err(SendError::Closed)
        );
    }
}
