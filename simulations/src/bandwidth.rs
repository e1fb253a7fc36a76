//! How many bytes a node sends and receives in a second.

use std::collections::VecDeque;
use std::time::Duration;

/// What a node's access to the network carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes a second that leave the node; not zero.
    pub up: u64,
    /// Bytes a second that come in; not zero.
    pub down: u64,
}

/// Who goes first where several wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// Messages without a block.
    Small,
    /// Blocks that somebody waits for.
    RealTime,
    /// Other blocks.
    Bulk,
}

/// One direction of a node's access: carries one thing at a time, the most urgent first, and interrupts none.
#[derive(Debug)]
pub(crate) struct Pipe<T> {
    bytes_a_second: u64,
    busy: bool,
    waiting: [VecDeque<(T, usize)>; 3],
    waiting_bytes: usize,
}

impl<T> Pipe<T> {
    pub(crate) fn new(bytes_a_second: u64) -> Self {
        Self {
            bytes_a_second: bytes_a_second.max(1),
            busy: false,
            waiting: Default::default(),
            waiting_bytes: 0,
        }
    }

    /// Queues a thing of `len` bytes.
    pub(crate) fn push(&mut self, thing: T, len: usize, priority: Priority) {
        self.waiting[priority as usize].push_back((thing, len));
        self.waiting_bytes += len;
    }

    /// Takes the next thing if none is being carried, and says how long it is under way. Then [`Pipe::done`] is to be called.
    pub(crate) fn start(&mut self) -> Option<(T, Duration)> {
        if self.busy {
            return None;
        }
        let (thing, len) = self.waiting.iter_mut().find_map(VecDeque::pop_front)?;
        self.busy = true;
        self.waiting_bytes -= len;
        let micros = (len as u64).saturating_mul(1_000_000) / self.bytes_a_second;
        Some((thing, Duration::from_micros(micros)))
    }

    /// The thing that was being carried has passed.
    pub(crate) const fn done(&mut self) {
        self.busy = false;
    }

    /// How many bytes wait, the thing that is being carried not counted.
    pub(crate) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urgent_goes_first_and_each_takes_its_time() {
        let mut pipe = Pipe::new(1_000_000);
        pipe.push("bulk", 32_000, Priority::Bulk);
        let (first, took) = pipe.start().unwrap();
        assert_eq!((first, took), ("bulk", Duration::from_millis(32)));
        for (thing, priority) in [
            ("late bulk", Priority::Bulk),
            ("page", Priority::RealTime),
            ("word", Priority::Small),
        ] {
            pipe.push(thing, 100, priority);
        }
        assert_eq!(pipe.start(), None, "one at a time");
        assert_eq!(pipe.waiting_bytes(), 300);
        let order = std::iter::from_fn(|| {
            pipe.done();
            pipe.start().map(|(thing, _)| thing)
        });
        assert_eq!(order.collect::<Vec<_>>(), ["word", "page", "late bulk"]);
    }
}
