//! What will happen, in order.

use routing::Time;

/// A queue by time. Things at one time come in the order in which they were scheduled.
///
/// A heap with four children a node, of small entries that point into a slab: what will happen is large, and moves only
/// twice.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    heap: Vec<Entry>,
    slab: Vec<Option<T>>,
    free: Vec<u32>,
    scheduled: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Time,
    number: u64,
    slot: u32,
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        Self {
            heap: Vec::new(),
            slab: Vec::new(),
            free: Vec::new(),
            scheduled: 0,
        }
    }
}

impl<T> Schedule<T> {
    /// Adds a thing.
    pub(crate) fn push(&mut self, at: Time, thing: T) {
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = Some(thing);
            slot
        } else {
            self.slab.push(Some(thing));
            u32::try_from(self.slab.len() - 1).expect("fewer than 2^32 things are under way")
        };
        self.scheduled += 1;
        self.heap.push(Entry {
            at,
            number: self.scheduled,
            slot,
        });
        self.rise(self.heap.len() - 1);
    }

    /// Takes the first thing.
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        let last = self.heap.pop()?;
        let first = match self.heap.first_mut() {
            Some(root) => {
                let first = std::mem::replace(root, last);
                self.sink();
                first
            }
            None => last,
        };
        self.free.push(first.slot);
        let thing = self.slab[first.slot as usize].take();
        debug_assert!(thing.is_some(), "each entry owns its slot");
        Some((first.at, thing?))
    }

    /// When the first thing happens.
    pub(crate) fn first(&self) -> Option<Time> {
        self.heap.first().map(|entry| entry.at)
    }

    /// How many things were taken so far.
    pub(crate) const fn popped(&self) -> u64 {
        self.scheduled - self.heap.len() as u64
    }

    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if self.heap[parent] <= entry {
                break;
            }
            self.heap[place] = self.heap[parent];
            place = parent;
        }
        self.heap[place] = entry;
    }

    fn sink(&mut self) {
        let entry = self.heap[0];
        let mut place = 0;
        loop {
            let first = place * CHILDREN + 1;
            let end = (first + CHILDREN).min(self.heap.len());
            let Some(least) = (first..end).min_by_key(|&child| self.heap[child]) else {
                break;
            };
            if entry <= self.heap[least] {
                break;
            }
            self.heap[place] = self.heap[least];
            place = least;
        }
        self.heap[place] = entry;
    }
}

const CHILDREN: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a sorted list: things come by time, those of one time in the order in which they were scheduled.
        #[test]
        fn things_come_in_order(steps in proptest::collection::vec((0_u64..20, 0_usize..3), 0..200)) {
            let mut schedule = Schedule::default();
            let mut expected: Vec<(u64, usize)> = Vec::new();
            for (number, (at, pops)) in steps.into_iter().enumerate() {
                schedule.push(Time::from_micros(at), number);
                expected.push((at, number));
                expected.sort_unstable();
                for _ in 0..pops {
                    let first = schedule.pop().map(|(at, thing)| (at.as_micros(), thing));
                    let wanted = (!expected.is_empty()).then(|| expected.remove(0));
                    prop_assert_eq!(first, wanted);
                }
                prop_assert_eq!(schedule.first().map(Time::as_micros), expected.first().map(|&(at, _)| at));
            }
        }
    }
}
