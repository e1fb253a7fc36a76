//! A bounded queue between callers that must not wait and the threads that do.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Jobs waiting for a thread. Adding never waits; taking waits for a job.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    len_max: usize,
}

struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

/// Why a job was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

/// What a thread that asked for jobs gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    /// At least one job, oldest first.
    Jobs(Vec<T>),
    /// The waiting time passed without a job.
    Nothing,
    /// The queue is closed, and every job was taken.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(len_max: usize) -> Self {
        let state = State {
            jobs: VecDeque::with_capacity(len_max.min(64)),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            len_max,
        }
    }

    /// Adds a job at the end, if there is room.
    pub(super) fn add(&self, job: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.jobs.len() >= self.len_max {
            return Err(Refused::Full);
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes up to `most` jobs, waiting up to `patience` for the first (`None`: for as long as it takes).
    pub(super) fn take(&self, most: usize, patience: Option<Duration>) -> Taken<T> {
        let idle = |state: &mut State<T>| state.jobs.is_empty() && !state.closed;
        let mut state = match patience {
            None => self
                .changed
                .wait_while(self.lock(), idle)
                .unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if state.jobs.is_empty() {
            return if state.closed {
                Taken::Closed
            } else {
                Taken::Nothing
            };
        }
        let count = state.jobs.len().min(most);
        Taken::Jobs(state.jobs.drain(..count).collect())
    }

    /// Refuses further jobs. Those inside are still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing between lock and unlock can panic half way, so the state is whole even if a thread died.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_come_out_in_order_and_in_groups() {
        let queue = Queue::new(8);
        for job in 0..5 {
            queue.add(job).unwrap();
        }
        assert_eq!(queue.take(3, None), Taken::Jobs(vec![0, 1, 2]));
        assert_eq!(queue.take(3, None), Taken::Jobs(vec![3, 4]));
        assert_eq!(queue.take(3, Some(Duration::ZERO)), Taken::Nothing);
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let queue = Queue::new(2);
        assert_eq!(
            [queue.add(1), queue.add(2), queue.add(3)],
            [Ok(()), Ok(()), Err(Refused::Full)]
        );
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_then_ends_every_waiting_thread() {
        let queue = Queue::new(2);
        queue.add(1).unwrap();
        queue.close();
        assert_eq!(queue.add(2), Err(Refused::Closed));
        assert_eq!(queue.take(9, None), Taken::Jobs(vec![1]));
        assert_eq!(queue.take(9, None), Taken::<i32>::Closed);

        let queue = Queue::<i32>::new(2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.take(1, None));
            queue.close();
            assert_eq!(waiting.join().unwrap(), Taken::Closed);
        });
    }
}
